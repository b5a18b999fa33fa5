"""Where alerts go, and when they press nobody: the menu of both, and what can be done with one."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from komodo_tui.domain.units import duration_text
from komodo_tui.ui.alerts.editing import AlerterEditing, MaintenanceEditing
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem

if TYPE_CHECKING:
    from komodo_tui.domain.alerters import Alerter
    from komodo_tui.domain.maintenance import MaintenanceDefinition
    from komodo_tui.store.deliveries import DeliveryStatus
    from komodo_tui.ui.alerts.book import AlertBook
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

Span = tuple[float, float, "MaintenanceDefinition"]


class _Known(NamedTuple):
    alerters: dict[str, tuple[Alerter, DeliveryStatus]]
    maintenance: dict[str, MaintenanceDefinition]


def _read(runtime: Runtime) -> _Known:
    """Blocks. Raises StoreError."""
    from komodo_tui.operations.alerts.definitions import AlertingDefinitions  # late: few look at them
    from komodo_tui.store.deliveries import DeliveryQueue

    kept = AlertingDefinitions(runtime.definitions)
    assert runtime.alerts is not None
    queue = DeliveryQueue(runtime.alerts)
    alerters = {name: (alerter, queue.status(name)) for name, alerter in kept.alerters.known().items()}
    return _Known(alerters, kept.maintenance.known())


def maintenance_text(spans: list[Span], now: float) -> str:
    """``maintenance: backups until 04:00; next kernel, mon 09:00 (3d)``; empty where there is none."""
    on = [f"{each.name} until {_when(ends, now)}" for begins, ends, each in spans if begins <= now]
    coming = [(begins, each) for begins, _, each in spans if begins > now]
    words = [f"now {', '.join(on)}"] if on else []
    if coming:
        begins, each = coming[0]
        words.append(f"next {each.name}, {_when(begins, now)} (in {duration_text(begins - now)})")
    return f"maintenance: {'; '.join(words)}" if words else ""


def _when(at: float, now: float) -> str:
    moment = time.localtime(at)
    if abs(at - now) < 12 * 3600:
        return time.strftime("%H:%M", moment)
    form = "%a %H:%M" if at - now < 6 * 86400 else "%Y-%m-%d %H:%M"
    return time.strftime(form, moment)


async def where(runtime: Runtime, shell: Shell, book: AlertBook) -> None:
    """Show them, and do with one what is picked. Raises KomodoError."""
    known = await asyncio.to_thread(_read, runtime)
    now, refused = shell.now(), "read-only mode" if runtime.settings.read_only else ""
    items = [
        MenuItem(f"alerter {name}", f"alerter {name}", "", _alerter_help(alerter, status))
        for name, (alerter, status) in known.alerters.items()
    ]
    items += [
        MenuItem(f"maintenance {name}", f"maintenance {name}", "", _maintenance_help(each, now))
        for name, each in known.maintenance.items()
    ]
    items += [
        MenuItem("new alerter", "new alerter…", "a", "mail, chat, phone, webhook", refused),
        MenuItem("new maintenance", "new maintenance…", "m", "a mute that comes again", refused),
    ]
    picked = await shell.ask(MenuDialog("Where alerts go, and when they press nobody", items))
    if picked is None:
        return
    kind, _, name = picked.partition(" ")
    if kind == "new":
        await (AlerterEditing(runtime, shell) if name == "alerter" else _maintenance(runtime, shell)).new()
    elif kind == "alerter":
        await _one_alerter(runtime, shell, known.alerters[name][0], refused)
    else:
        await _one_maintenance(runtime, shell, known.maintenance[name], refused)
    book.look()


async def _one_alerter(runtime: Runtime, shell: Shell, alerter: Alerter, refused: str) -> None:
    picked = await shell.ask(MenuDialog(f"Alerter {alerter.name}", [
        MenuItem("test", "send a test", "t", "one message, now"), *_common(alerter.enabled, refused),
    ]))  # fmt: skip
    editing = AlerterEditing(runtime, shell)
    if picked == "test":
        from komodo_tui.operations.alerts.sending import TEST, send  # late: it loads hundreds of modules

        shell.flash(f"{alerter.name}: sending")
        await asyncio.to_thread(send, alerter, TEST, runtime.values.lookup("", ""))
        shell.flash(f"{alerter.name}: sent", "ok")
    elif picked == "edit":
        await editing.edit(alerter.name)
    elif picked == "remove":
        await editing.remove(alerter.name)
    elif picked == "switch":
        stored = await asyncio.to_thread(editing.kept.stored, alerter.name)
        other = msgspec.structs.replace(stored.value, enabled=not stored.value.enabled)
        await shell.acts.run(editing.operation("edit", alerter.name, other, stored.rev))


async def _one_maintenance(runtime: Runtime, shell: Shell, definition: MaintenanceDefinition, refused: str) -> None:
    picked = await shell.ask(
        MenuDialog(f"Maintenance {definition.name}: {definition.when}", _common(definition.enabled, refused))
    )
    editing, name = _maintenance(runtime, shell), definition.name
    if picked == "edit":
        await editing.edit(name)
    elif picked == "remove":
        await editing.remove(name)
    elif picked == "switch":
        stored = await asyncio.to_thread(editing.kept.stored, name)
        other = msgspec.structs.replace(stored.value, enabled=not stored.value.enabled)
        await shell.acts.run(editing.operation("edit", name, other, stored.rev))


def _common(enabled: bool, refused: str) -> list[MenuItem]:
    return [
        MenuItem("edit", "edit…", "e", "", refused),
        MenuItem("switch", "switch off" if enabled else "switch on", "o", "", refused),
        MenuItem("remove", "forget…", "d", "", refused),
    ]


def _maintenance(runtime: Runtime, shell: Shell) -> MaintenanceEditing:
    return MaintenanceEditing(runtime, shell, now=shell.now)


def _alerter_help(alerter: Alerter, status: DeliveryStatus) -> str:
    words = [alerter.url.partition("://")[0] if "://" in alerter.url else "", f"from {alerter.level} on"]
    words += [", ".join(alerter.kinds)] * bool(alerter.kinds)
    if status.waiting:
        words.append(f"{status.waiting} wait: {status.error}" if status.error else f"{status.waiting} wait")
    return ", ".join(filter(None, words)) if alerter.enabled else "off"


def _maintenance_help(definition: MaintenanceDefinition, now: float) -> str:
    if not definition.enabled:
        return f"off; {definition.when}"
    begins, ends = definition.span(now)
    when = f"on until {_when(ends, now)}" if begins <= now else f"next {_when(begins, now)}"
    return f"{when}; {definition.what()}"
