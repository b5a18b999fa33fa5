"""Acknowledging and muting, as acts with a plan and an entry in the history."""

from __future__ import annotations

import asyncio
import shlex
import time
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.alerts import TITLES
from komodo_tui.domain.errors import KomodoError, NotFoundError, RefusedError, UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.units import count_text, time_text
from komodo_tui.operations.container_plans import Draft
from komodo_tui.operations.outcomes import cancelled, done, failed

if TYPE_CHECKING:
    from komodo_tui.domain.alerts import AlertOperation, Mute
    from komodo_tui.domain.operations import Actor, StepResult
    from komodo_tui.operations.job_steps import Report
    from komodo_tui.store.alerts import AlertStore

LONGEST_MUTE = 365 * 86400.0
"""Seconds: what nobody shall hear of for longer is no alert."""


def draft_alert(operation: AlertOperation, store: AlertStore, now: float) -> Draft:
    """Check it against what there is.

    Raises:
        UsageError: a span is over, too long, or names a kind that is none.
        NotFoundError: there is no such alert or mute.
        RefusedError: an alert is over, or somebody takes care of it already.
    """
    if operation.verb == "acknowledge":
        return _draft_acknowledge(operation, store, now)
    if operation.mute is None:
        raise UsageError("it is not said what to mute")
    if operation.verb == "unmute":
        mute = next((one for one in store.mutes(now) if one.id == operation.mute.id), None)
        if mute is None:
            raise NotFoundError(f"there is no mute {operation.mute.id}", hint="komodo-tui alerts --mutes lists them")
        step = PlanStep(
            target=_target(mute), text=f"hear {mute_text(mute)} again", command=f"komodo-tui alerts --unmute {mute.id}"
        )
        return Draft(f"Unmute {mute_text(mute)}", "unmute", (step,), "mute it again")
    mute = operation.mute
    if not mute.until > max(now, mute.starts):
        raise UsageError("the span of the mute is over before it begins")
    if mute.until - now > LONGEST_MUTE:
        raise UsageError("a mute lasts a year at most")
    if mute.kind and mute.kind not in TITLES:
        raise UsageError(f"there is no kind of alert {mute.kind!r}", hint=f"known: {', '.join(TITLES)}")
    span = f"{f'from {time_text(mute.starts)} ' if mute.starts > now else ''}until {time_text(mute.until)}"
    command = ["komodo-tui", "alerts", "--mute", _pattern(mute), "--for", f"{mute.until - max(now, mute.starts):.0f}"]
    step = PlanStep(target=_target(mute), text=f"mute {mute_text(mute)} {span}", command=shlex.join(command))
    return Draft(f"Mute {mute_text(mute)} {span}", "mute", (step,), "komodo-tui alerts --unmute")


def _draft_acknowledge(operation: AlertOperation, store: AlertStore, now: float) -> Draft:
    if not operation.alerts:
        raise UsageError("it is not said which alert to acknowledge")
    steps, titles = [], []
    for number in dict.fromkeys(operation.alerts):
        alert = store.get(number, now)
        if not alert.open:
            raise RefusedError(f"alert {number} is resolved already: {alert.title}")
        if alert.acknowledged is not None:
            raise RefusedError(f"alert {number} was acknowledged already by {alert.acknowledged_by}")
        target = Target(server=alert.subject.server, name=alert.subject.what or alert.subject.kind, id=str(number))
        command = shlex.join(["komodo-tui", "alerts", "--ack", str(number)])
        steps.append(PlanStep(target=target, text=f"take care of {alert.title}", command=command))
        titles.append(alert.title)
    title = titles[0] if len(titles) == 1 else count_text(len(titles), "alert")
    return Draft(f"Acknowledge {title}", "acknowledge", tuple(steps), "it presses again when it gets worse")


def mute_text(mute: Mute) -> str:
    """``disk alerts of db-*``"""
    where = mute.server if mute.what == "*" else f"{mute.what}@{mute.server}"
    return f"{f'{mute.kind} ' if mute.kind else ''}alerts of {where}"


def _pattern(mute: Mute) -> str:
    where = mute.server if mute.what == "*" else f"{mute.what}@{mute.server}"
    return f"{mute.kind}:{where}" if mute.kind else where


def _target(mute: Mute) -> Target:
    # No server but a pattern for many: it stands in the server's place, so that the history tells where it counts.
    return Target(server=mute.server, name=mute.what if mute.what != "*" else mute.kind)


class AlertStep:
    """One alert acknowledged, or one mute set or ended."""

    def __init__(
        self, operation: AlertOperation, target: Target, store: AlertStore, actor: Actor, report: Report
    ) -> None:
        self.target = target
        self._operation = operation
        self._store = store
        self._who = str(actor)
        self._report = report
        self._cancelled = False

    async def run(self) -> StepResult:
        """Do it."""
        if self._cancelled:
            return cancelled(self.target)
        began = time.monotonic()
        try:
            await asyncio.to_thread(self._change)
            result = done(self.target)
        except KomodoError as error:
            result = failed(self.target, error)
        self._report("done" if result.ok else "failed", result.error)
        return msgspec.structs.replace(result, seconds=round(time.monotonic() - began, 3))

    def _change(self) -> None:
        operation = self._operation
        if operation.verb == "acknowledge":
            self._store.acknowledge(int(self.target.id), self._who, operation.note, time.time())
        elif operation.mute is not None and operation.verb == "mute":
            self._store.mute(msgspec.structs.replace(operation.mute, who=self._who))
        elif operation.mute is not None:
            self._store.unmute(operation.mute.id)

    async def cancel(self) -> None:
        """Do not begin."""
        self._cancelled = True
