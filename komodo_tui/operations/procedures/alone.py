"""Steps that touch no server: waiting, asking, telling, naming."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import ActError, KomodoError, NotFoundError, UsageError
from komodo_tui.domain.operations import StepResult, Target
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.journal import StepStarted, TargetStarted
from komodo_tui.domain.procedures.words import words
from komodo_tui.operations.outcomes import done, failed, interrupted
from komodo_tui.operations.procedures.acts import ended
from komodo_tui.operations.procedures.targets import pick_containers
from komodo_tui.operations.procedures.waits import wait_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from komodo_tui.domain.alerters import Alerter, Message
    from komodo_tui.operations.procedures.journal import Place, RunJournal
    from komodo_tui.operations.procedures.parts import RunParts
    from komodo_tui.operations.procedures.spread import Done

_LOOK = 0.5
"""Seconds between looks for an answer."""
_SEND = 60.0
"""Seconds an alerter may take."""


async def _set(step: steps.Set, parts: RunParts, journal: RunJournal, place: Place) -> Done:
    return "success", ", ".join(f"{name} = {value}" for name, value in step.values.items()), step.values


async def _sleep(step: steps.Sleep, parts: RunParts, journal: RunJournal, place: Place) -> Done:
    seconds = parse_duration(step.seconds)
    await asyncio.sleep(seconds)
    return "success", f"{seconds:g} s", {}


async def _wait(step: steps.Wait, parts: RunParts, journal: RunJournal, place: Place) -> Done:
    return "success", await wait_for(step, parts, journal.began), {}


async def _approve(step: steps.Approve, parts: RunParts, journal: RunJournal, place: Place) -> Done:
    """Ask, and wait for the answer. A run that is resumed goes on waiting until the same time."""
    begun = journal.begun.get(place)
    until = begun.until if begun is not None and begun.until else time.time() + parse_duration(step.timeout)
    if begun is None or not begun.until:
        await journal.write(StepStarted(stage=place[0], step=place[1], asks=step.message or "go on?", until=until))
    while True:
        answer = await asyncio.to_thread(parts.runs.answered, journal.run, *place)
        if answer is not None:
            break
        if time.time() >= until:
            raise ActError(f"nobody approved it within {step.timeout}", hint="run it again, and answer in time")
        await asyncio.sleep(min(_LOOK, max(0.01, until - time.time())))
    note = f": {answer.note}" if answer.note else ""
    if not answer.yes:
        raise ActError(f"refused by {answer.who}{note}")
    return "success", f"approved by {answer.who}{note}", {step.save: answer.note} if step.save else {}


async def _notify(step: steps.Notify, parts: RunParts, journal: RunJournal, place: Place) -> Done:
    """One message by each alerter; one that may have been sent by an earlier process is not sent again."""
    from komodo_tui.domain.alerters import Message

    alerters = await asyncio.to_thread(_alerters, step, parts)
    title = step.title or _title(journal)
    message = Message(title, step.message, step.level)
    results: list[StepResult] = []
    for alerter in alerters:
        target = Target(server="", name=alerter.name)
        results.append(await _told(step, alerter, target, message, parts, journal, place))
    bad = [result for result in results if not result.ok]
    if bad:
        end = "interrupted" if all(result.end == "interrupted" for result in bad) else "failed"
        return (
            "interrupted" if end == "interrupted" else "failed",
            f"{len(results) - len(bad)} of {len(results)} told; {bad[0].error}",
            {},
        )
    return "success", f"{', '.join(alerter.name for alerter in alerters)} told", {}


async def _check_updates(step: steps.CheckUpdates, parts: RunParts, journal: RunJournal, place: Place) -> Done:
    """Every server is asked at once; what a registry does not say is no update."""
    picker = steps.RestartContainers(match=step.match, servers=step.servers)
    picked = pick_containers(picker, words(step.match), parts)
    if picked.away:
        raise ActError(f"{picked.away[0].name} cannot be asked", hint="name the servers that are there")
    servers = list(dict.fromkeys(target.server for target in picked.targets))
    await asyncio.gather(*(parts.runtime.updates.check(server, 0.0) for server in servers))
    lines = []
    for target in picked.targets:
        container = parts.state.servers[target.server].containers.get(target.id)
        if container is not None and parts.runtime.updates.outdated(target.server, container):
            lines.append(f"{target}: {container.image}")
    said = f"{len(lines)} of {len(picked.targets)} containers run an image that was replaced"
    if lines and step.found == "fail":
        raise ActError(f"{said}: {', '.join(lines[:5])}", hint="deploy them with pull: always")
    return "success", said, {step.save: "\n".join(lines)} if step.save else {}


def _title(journal: RunJournal) -> str:
    return f"procedure {journal.procedure}"


def _alerters(step: steps.Notify, parts: RunParts) -> list[Alerter]:
    from komodo_tui.operations.alerts.sending import known_alerters  # late: it loads the YAML parser

    known = {alerter.name: alerter for alerter in known_alerters(parts.runtime.definitions)}
    wanted = words(step.alerters) or tuple(known)
    if not known:
        raise NotFoundError("there is no alerter to tell", hint="docs/alerts.md says how to make one")
    for name in wanted:
        if name not in known:
            raise NotFoundError(f"there is no alerter {name!r}", hint=f"known: {', '.join(known)}")
    return [known[name] for name in wanted]


async def _told(
    step: steps.Notify, alerter: Alerter, target: Target, message: Message, parts: RunParts, journal: RunJournal,
    place: Place,
) -> StepResult:  # fmt: skip
    before, begun = journal.targets.get((place, target)), (place, target) in journal.open
    if before is not None and before.end == "success":
        return done(target)
    if begun and not steps.idempotent(step):
        result = interrupted(target, "whether it was told is not known", hint="idempotent: true tells again")
    else:
        await journal.write(TargetStarted(stage=place[0], step=place[1], target=target, attempt=1))
        result = await _sent(alerter, target, message, parts)
    await journal.write(ended(place, target, 1, result))
    return result


async def _sent(alerter: Alerter, target: Target, message: Message, parts: RunParts) -> StepResult:
    from komodo_tui.operations.alerts.sending import send

    try:
        async with asyncio.timeout(_SEND):
            await asyncio.to_thread(send, alerter, message, parts.runtime.values.lookup("", ""))
    except TimeoutError:
        return failed(target, ActError(f"alerter {alerter.name} did not answer within {_SEND:g} s"))
    except KomodoError as error:
        return failed(target, error)
    return done(target)


ALONE: dict[type[steps.Step], Callable[[Any, RunParts, RunJournal, Place], Awaitable[Done]]] = {
    steps.Set: _set,
    steps.Sleep: _sleep,
    steps.Wait: _wait,
    steps.Approve: _approve,
    steps.Notify: _notify,
    steps.CheckUpdates: _check_updates,
}
"""How each of them is done. A cancel of the task ends it."""


def alone(step: steps.Step) -> Callable[[Any, RunParts, RunJournal, Place], Awaitable[Done]]:
    """How this step is done. Raises UsageError where nobody said so."""
    try:
        return ALONE[type(step)]
    except KeyError:
        raise UsageError(f"{type(step).__name__} is no step that this version can do") from None
