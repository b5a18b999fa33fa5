"""The builds there have been, as the history of acts tells: which version, of which commit, how long, how large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.builds import BuildStep
from komodo_tui.domain.builds import parse_version, pushed_name
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.filters import parse_actions
from komodo_tui.domain.follow_ups import FollowUp
from komodo_tui.domain.operations import Outcome

if TYPE_CHECKING:
    from komodo_tui.domain.builds import BuildDefinition
    from komodo_tui.domain.operations import ActionRecord, StepResult
    from komodo_tui.store.follow_ups import FollowUpStore
    from komodo_tui.store.history import History

FOLLOWING = "following"
"""It is built, and what is to follow goes on."""
NOT_FOLLOWED = "follow-up failed"
"""It is built, and what was to follow did not go well."""
_FEW = 5
_ENOUGH = 500
_decode_lines = msgspec.json.Decoder(tuple[str, ...]).decode
_decode_steps = msgspec.json.Decoder(tuple[BuildStep, ...]).decode


class BuildRun(msgspec.Struct, frozen=True, kw_only=True):
    """One build that was begun."""

    id: str
    """Of its act."""
    name: str
    server: str
    version: str
    started: float
    ended: float | None = None
    outcome: Outcome | None = None
    """None while it runs."""
    who: str = ""
    seconds: float = 0.0
    commit: str = ""
    image: str = ""
    """The image's id."""
    size: int = 0
    references: tuple[str, ...] = ()
    builder: str = ""
    steps: tuple[BuildStep, ...] = ()
    failed_step: str = ""
    failed_lines: tuple[str, ...] = ()
    error: str = ""
    job: str = ""
    """Of the agent."""
    follow_up: FollowUp | None = None
    """What was to be done after it; None: nothing was."""

    @property
    def state(self) -> str:
        """``running``, its outcome; where it succeeded, also whether what follows goes on or did not go well."""
        if self.outcome != "success" or self.follow_up is None or self.follow_up.state == "success":
            return self.outcome or "running"
        return FOLLOWING if self.follow_up.state == "under way" else NOT_FOLLOWED

    @property
    def why(self) -> str:
        """What did not go well, or what goes on after it."""
        if self.state in (FOLLOWING, NOT_FOLLOWED) and self.follow_up is not None:
            return self.follow_up.words
        return self.error


def run_of(record: ActionRecord) -> BuildRun:
    """A build as its record tells it."""
    step = record.steps[0] if record.steps else None
    result = step.result if step is not None else {}
    target = record.targets[0]
    jobs = record.operation.get("intent", {}).get("jobs", ())
    return BuildRun(
        id=record.id, name=target.name, server=target.server, started=record.started, ended=record.ended,
        version=str(record.operation.get("version", "")), outcome=record.outcome, who=str(record.actor),
        seconds=_seconds(record, step), commit=result.get("commit", ""),
        image=result.get("image", ""), size=_number(result.get("size", "")),
        references=tuple(result.get("references", "").split()), builder=result.get("builder", ""),
        steps=_steps(result.get("steps", "")), failed_step=result.get("failed_step", ""),
        failed_lines=_lines(result.get("failed_lines", "")), error=step.error if step is not None else "",
        job=str(jobs[0]) if jobs else "",
    )  # fmt: skip


class BuildHistory:
    """Reads the history: call it in a thread where the loop has to go on. Raises StoreError."""

    def __init__(self, history: History, follow_ups: FollowUpStore | None = None) -> None:
        """``follow_ups``: where what came after each is kept, for those who want to know that."""
        self._history = history
        self._follow_ups = follow_ups

    def runs(self, name: str = "", limit: int = 50) -> list[BuildRun]:
        """The newest first, of one build or of all."""
        wanted = parse_actions(f"act:build target:{name}" if name else "act:build")
        found = []
        for record in self._history.walk(wanted, page=limit):  # a record may have 64 KB of output
            if record.act == "build" and record.targets and (not name or record.targets[0].name == name):
                found.append(run_of(record))
                if len(found) >= limit:
                    break
        if self._follow_ups is None:
            return found
        known = self._follow_ups.of(run.id for run in found)
        return [msgspec.structs.replace(run, follow_up=known.get(run.id)) for run in found]

    def last(self, name: str) -> BuildRun | None:
        """The last one that succeeded."""
        for limit in (_FEW, _ENOUGH):  # most often the last one did
            found = next((run for run in self.runs(name, limit) if run.outcome == "success"), None)
            if found is not None:
                return found
        return None

    def last_version(self, name: str) -> str:
        """Of the last one that succeeded; empty = none has."""
        last = self.last(name)
        try:
            parse_version(last.version if last is not None else "")
        except UsageError:
            return ""
        return last.version if last is not None else ""


def built_image(definition: BuildDefinition | None, history: History, name: str) -> str:
    """What others call the image that was built last: by its registry where it is pushed and not shipped.

    Empty where no build of that name has succeeded. Blocks; raises StoreError.
    """
    last = BuildHistory(history).last(name)
    if last is None:
        return ""
    local = last.references[0] if last.references else last.image
    if definition is None or not definition.registries or definition.ship or not last.references:
        return local
    return f"{pushed_name(definition, definition.registries[0])}:{local.rpartition(':')[2]}"


def _steps(text: str) -> tuple[BuildStep, ...]:
    try:
        return _decode_steps(text) if text else ()
    except msgspec.DecodeError:
        return ()


def _seconds(record: ActionRecord, step: StepResult | None) -> float:
    """As its agent measured it: a build that was followed to its end by another program began before that looked."""
    told = step.result.get("seconds", "") if step is not None else ""
    try:
        return float(told)
    except ValueError:
        return step.seconds if step is not None else 0.0


def _lines(text: str) -> tuple[str, ...]:
    try:
        return _decode_lines(text) if text else ()
    except msgspec.DecodeError:
        return ()


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
