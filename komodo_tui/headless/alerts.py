"""``alerts``: list, acknowledge, mute."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from komodo_tui.domain.alerts import TITLES, AlertOperation, Mute, worst_first
from komodo_tui.domain.errors import ExitCode, NotFoundError
from komodo_tui.domain.units import duration_text, time_text
from komodo_tui.headless.acts import run
from komodo_tui.headless.maintenance import defined, forgotten, list_mutes
from komodo_tui.headless.tables import Cell, Column

if TYPE_CHECKING:
    from komodo_tui.domain.alerts import Alert, DefineAlertingOperation
    from komodo_tui.headless.output import Tone
    from komodo_tui.headless.session import Runtime, Session

_COLUMNS = (
    Column(""),
    Column("ID"),
    Column("WHAT"),
    Column("WHERE", flexible=True),
    Column("SINCE"),
    Column("HOW", flexible=True),
    Column("STATE", flexible=True),
)
_STALE = 30.0
"""Seconds without a look after which nobody evaluates: that is done every five."""


async def alerts(session: Session) -> int:
    """Look, or change what presses."""
    arguments = session.arguments
    async with session.runtime() as runtime:
        if arguments.show is not None:
            return await asyncio.to_thread(_show, session, runtime)
        if arguments.mutes:
            await asyncio.to_thread(list_mutes, session, runtime, time.time())
            return ExitCode.DONE
        if arguments.alerters:
            return await asyncio.to_thread(_alerters, session, runtime)
        if arguments.test:
            return await _test(session, runtime)
        operation = await asyncio.to_thread(_operation, session, runtime)
        if operation is not None:
            return await run(session, runtime, operation)
        return await asyncio.to_thread(_list, session, runtime)


def read_pattern(text: str, starts: float, until: float, reason: str) -> Mute:
    """``[KIND:][NAME@]SERVER`` as a mute."""
    kind, colon, rest = text.partition(":")
    if not colon or kind not in TITLES:
        kind, rest = "", text
    what, at, server = rest.rpartition("@")
    return Mute(server=server, kind=kind, what=what if at else "*", starts=starts, until=until, reason=reason)


def _operation(session: Session, runtime: Runtime) -> AlertOperation | DefineAlertingOperation | None:
    arguments = session.arguments
    if arguments.ack:
        return AlertOperation(verb="acknowledge", alerts=tuple(arguments.ack), note=arguments.note)
    if arguments.mute:
        starts = time.time() + arguments.delay
        mute = read_pattern(arguments.mute, starts, starts + arguments.span, arguments.note)
        return defined(mute, arguments, runtime) if arguments.every else AlertOperation(verb="mute", mute=mute)
    if arguments.forget:
        return forgotten(arguments.forget, runtime)
    if arguments.unmute is not None:
        return AlertOperation(verb="unmute", mute=Mute(id=arguments.unmute, until=0.0))
    return None


def _list(session: Session, runtime: Runtime) -> int:
    arguments, now = session.arguments, time.time()
    found = runtime.alerts.open_alerts(now)
    if arguments.all:
        found += runtime.alerts.resolved_alerts(now, arguments.limit)
    if arguments.server:
        found = [alert for alert in found if alert.subject.server in arguments.server]
    found.sort(key=worst_first)
    last = runtime.alerts.last_look()
    if session.out.json:
        session.out.document({"evaluated": last, "alerts": found})
        return ExitCode.DONE
    if last is None or now - last > _STALE:
        ago = "never yet" if last is None else f"last {duration_text(now - last)} ago; this is how it was then"
        session.out.say(f"komodo-tui: nobody looks for alerts ({ago}): start komodo-tui watch")
    session.out.table(_COLUMNS, [_row(session, alert, now) for alert in found])
    return ExitCode.DONE


def _row(session: Session, alert: Alert, now: float) -> list[Cell]:
    glyphs = session.out.glyphs
    tone: Tone = "dim" if not alert.pressing else "bad" if alert.level == "critical" else "warn"
    sign = glyphs.fail if alert.level == "critical" else glyphs.busy
    return [
        Cell(sign if alert.open else glyphs.ok, tone),
        Cell(str(alert.id)),
        Cell(TITLES[alert.subject.kind], tone),
        Cell(str(alert.subject)),
        Cell(duration_text(now - alert.opened)),
        Cell(alert.text),
        Cell(state_text(alert)),
    ]


def state_text(alert: Alert) -> str:
    """``critical``, ``critical, acknowledged by ana``, ``over after 5m``."""
    if alert.resolved is not None:
        return f"over after {duration_text(alert.resolved - alert.opened)}"
    words: list[str] = [alert.level]
    if alert.acknowledged is not None:
        words.append(f"acknowledged by {alert.acknowledged_by}" + (f": {alert.note}" if alert.note else ""))
    return ", ".join(words + ["muted"] * alert.muted + ["flapping"] * alert.flapping)


def _show(session: Session, runtime: Runtime) -> int:
    alert = runtime.alerts.get(session.arguments.show, time.time())
    entries = runtime.alerts.entries(alert.id)
    if session.out.json:
        session.out.document({"alert": alert, "entries": entries})
        return ExitCode.DONE
    session.out.pairs(
        {"what": TITLES[alert.subject.kind], "where": str(alert.subject), "state": state_text(alert),
         "since": time_text(alert.opened), "how": alert.text}
    )  # fmt: skip
    session.out.line()
    for entry in entries:
        who = f" by {entry.who}" if entry.who else ""
        session.out.line(f"{time_text(entry.at)}  {entry.change}{who}  {entry.level}  {entry.text}".rstrip())
    return ExitCode.DONE


async def _test(session: Session, runtime: Runtime) -> int:
    from komodo_tui.operations.alerts.sending import TEST, known_alerters, send  # late: it loads the YAML parser

    alerters = {alerter.name: alerter for alerter in await asyncio.to_thread(known_alerters, runtime.definitions)}
    alerter = alerters.get(session.arguments.test)
    if alerter is None:
        known = ", ".join(alerters) or "none"
        raise NotFoundError(f"there is no alerter {session.arguments.test!r}", hint=f"known: {known}")
    await asyncio.to_thread(send, alerter, TEST, runtime.values.lookup("", ""))
    session.out.line(f"{alerter.name}: sent")
    return ExitCode.DONE


def _alerters(session: Session, runtime: Runtime) -> int:
    from komodo_tui.operations.alerts.sending import known_alerters  # late: it loads the YAML parser
    from komodo_tui.store.deliveries import DeliveryQueue

    queue = DeliveryQueue(runtime.alerts)
    found = [(alerter, queue.status(alerter.name)) for alerter in known_alerters(runtime.definitions)]
    if session.out.json:  # without the URLs: people write tokens into them
        session.out.document([
            {"name": alerter.name, "level": alerter.level, "kinds": alerter.kinds, "servers": alerter.servers,
             "on": alerter.on, "status": status}
            for alerter, status in found
        ])  # fmt: skip
        return ExitCode.DONE
    rows = [
        (alerter.name, alerter.level, ", ".join(alerter.kinds) or "all", ", ".join(alerter.servers),
         time_text(status.last), str(status.waiting), status.error)
        for alerter, status in found
    ]  # fmt: skip
    columns = ("NAME", "FROM", "KINDS", "SERVERS", "LAST", "WAITING", "TROUBLE")
    session.out.table(
        [Column(title, flexible=title == "TROUBLE") for title in columns], [[*map(Cell, row)] for row in rows]
    )
    return ExitCode.DONE
