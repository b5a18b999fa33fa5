"""Acknowledging and muting: what has to be asked before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.alerts import Alert, AlertOperation, Mute
from komodo_tui.domain.units import duration_text
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.ui.alerts.book import AlertBook
    from komodo_tui.ui.shell import Shell

_SPANS = (3600.0, 8 * 3600.0, 86400.0, 7 * 86400.0)


async def acknowledge(shell: Shell, book: AlertBook, alerts: Sequence[Alert]) -> None:
    """Ask for a note, and say that the person takes care. Raises KomodoError."""
    wanted = [alert for alert in alerts if alert.open and alert.acknowledged is None]
    if not wanted:
        shell.flash("over, or acknowledged already", "warn")
        return
    title = wanted[0].title if len(wanted) == 1 else f"{len(wanted)} alerts"
    values = await shell.ask(
        FormDialog(f"Acknowledge {title}", [Field("note", "note", help="what you do about it; others see it")],
                   verb="acknowledge")
    )  # fmt: skip
    if values is None:
        return
    operation = AlertOperation(
        verb="acknowledge", alerts=tuple(alert.id for alert in wanted), note=str(values["note"]).strip()
    )
    await shell.acts.run(operation, asked=True)
    book.look()


async def mute(shell: Shell, book: AlertBook, alert: Alert) -> None:
    """Ask what to mute and for how long, or which mute to end. Raises KomodoError."""
    subject, now = alert.subject, shell.now()
    items = [
        MenuItem(f"this {span}", f"this one for {duration_text(span)}", str(n)) for n, span in enumerate(_SPANS, 1)
    ]
    items += [
        MenuItem(f"all {span}", f"all of {subject.server} for {duration_text(span)}", str(n))
        for n, span in enumerate(_SPANS, len(items) + 1)
    ]
    items += [
        MenuItem(f"end {one.id}", f"end the mute of {one.server}", "e", one.reason)
        for one in book.mutes
        if one.covers(subject, now)
    ][:1]
    picked = await shell.ask(MenuDialog(f"Mute {alert.title}", items))
    if picked is None:
        return
    what, _, number = picked.partition(" ")
    if what == "end":
        operation = AlertOperation(verb="unmute", mute=Mute(id=int(number), until=0.0))
    else:
        until = now + float(number)
        same = what == "this"
        # names are matched as globs: a bracket in one would begin a set of characters
        operation = AlertOperation(verb="mute", mute=Mute(
            server=_literal(subject.server), kind=subject.kind if same else "",
            what=_literal(subject.what) if same else "*", starts=now, until=until,
        ))  # fmt: skip
    await shell.acts.run(operation, asked=True)
    book.look()


def _literal(text: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)
