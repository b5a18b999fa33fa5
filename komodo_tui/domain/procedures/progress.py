"""A run's journal as lines of stages, steps and targets, as far as it stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.procedures.check import stage_title, step_title
from komodo_tui.domain.procedures.journal import (
    RunEnded,
    RunStarted,
    StageEnded,
    StageStarted,
    StepEnded,
    StepStarted,
    TargetEnded,
    TargetMoved,
    TargetStarted,
)
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.domain.units import long_duration_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_tui.domain.operations import Target
    from komodo_tui.domain.procedures.journal import Entry

Key = tuple[int, ...]
"""``(stage,)``, ``(stage, step)`` or ``(stage, step, target)``: in the order of the screen."""
_MOVED = {"done": "success", "failed": "failed", "cancelled": "cancelled", "reconnecting": "running"}


@dataclass
class RunLine:
    """One line of a run."""

    depth: int
    """0 a stage, 1 a step, 2 a target."""
    title: str
    key: Key = ()
    end: str = "waiting"
    """``waiting``, ``running``, ``asking``, or how it ended."""
    summary: str = ""
    output: str = ""
    began: float = 0.0
    ended: float = 0.0
    target: Target | None = None
    action: str = ""
    """Of a target: its act in the history, while it is under way."""
    until: float = 0.0
    """Of a step that asks a person: when no answer counts as a no."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Of a step: the numbers of its targets, by name."""

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.end not in ("waiting", "running", "asking")

    def seconds(self, now: float) -> float:
        """How long it took, or has been running; 0 where it never began."""
        return (self.ended or now) - self.began if self.began else 0.0

    def took(self, now: float) -> str:
        """The same in words."""
        return long_duration_text(self.seconds(now)) if self.began else ""


class RunProgress:
    """Takes the entries of one run in, in their order."""

    def __init__(self) -> None:
        self.lines: dict[Key, RunLine] = {}
        self.definition: ProcedureDefinition | None = None
        self.parameters: dict[str, str] = {}
        self.who = ""
        self.only: tuple[str, ...] = ()
        """Servers the run is limited to."""
        self.again = ""
        """The run whose failed steps it does again."""
        self.started = 0.0
        self.ended: RunEnded | None = None
        self.end_time = 0.0
        self.seen = 0
        """Number of the last entry taken in."""
        self.stages: list[RunLine] = []
        self.steps: list[RunLine] = []
        self.servers: dict[str, int] = {}
        """Those that were touched, in the order they came, numbered from 0."""
        self._changed: set[Key] = set()

    def changed(self) -> dict[Key, RunLine]:
        """The lines that are not as they were at the last call."""
        found = {key: self.lines[key] for key in self._changed}
        self._changed.clear()
        return found

    def take(self, entries: Iterable[tuple[int, float, Entry]]) -> bool:
        """Take new entries in; returns whether there were any."""
        before = self.seen
        for number, at, entry in entries:
            self.seen = number
            self._take(at, entry)
        return self.seen != before

    @property
    def asking(self) -> RunLine | None:
        """A step that waits for a person now."""
        if self.ended is not None:
            return None
        return next((step for step in self.steps if step.end == "asking"), None)

    def targets(self, step: RunLine) -> list[RunLine]:
        """The targets of a step, in their order."""
        return [self.lines[*step.key, number] for number in step.numbers.values()]

    def _take(self, at: float, entry: Entry) -> None:
        if isinstance(entry, RunStarted):
            self._begin(at, entry)
        elif isinstance(entry, StageStarted):
            self._start((entry.stage,), at)
        elif isinstance(entry, StepStarted):
            self._step(at, entry)
        elif isinstance(entry, TargetStarted):
            line = self._target((entry.stage, entry.step), entry.target)
            line.end, line.began, line.ended, line.action = "running", at, 0.0, entry.action
            line.summary = f"attempt {entry.attempt}" if entry.attempt > 1 else ""
        elif isinstance(entry, TargetMoved):
            line = self._target((entry.stage, entry.step), entry.target)
            line.end, line.summary = _MOVED.get(entry.status, line.end), entry.text or line.summary
            line.ended = at if line.over else 0.0
        elif isinstance(entry, TargetEnded):
            self._target_ended(at, entry)
        elif isinstance(entry, StepEnded):
            self._end((entry.stage, entry.step), at, entry.end, entry.summary)
        elif isinstance(entry, StageEnded):
            self._end((entry.stage,), at, entry.end, entry.summary)
        elif isinstance(entry, RunEnded):
            self.ended, self.end_time = entry, at

    def _begin(self, at: float, entry: RunStarted) -> None:
        self.definition = msgspec.convert(entry.definition, ProcedureDefinition)
        self.parameters, self.who, self.started = entry.parameters, str(entry.actor), at
        self.only, self.again = entry.servers, entry.again
        for number, stage in enumerate(self.definition.stages):
            line = self.lines[number,] = RunLine(0, stage_title(stage, number + 1), (number,))
            self.stages.append(line)
            for index, step in enumerate(stage.steps):
                line = self.lines[number, index] = RunLine(1, step_title(step), (number, index))
                self.steps.append(line)
        self._changed |= set(self.lines)

    def _start(self, key: Key, at: float) -> RunLine:
        line = self.lines[key]
        self._changed.add(key)
        line.end, line.began = "running", line.began or at
        return line

    def _step(self, at: float, entry: StepStarted) -> None:
        line = self._start((entry.stage, entry.step), at)
        if entry.asks:
            line.end, line.summary, line.until = "asking", entry.asks, entry.until
        for target in entry.targets:
            self._target((entry.stage, entry.step), target)

    def _target_ended(self, at: float, entry: TargetEnded) -> None:
        line = self._target((entry.stage, entry.step), entry.target)
        hint = f" ({entry.hint})" if entry.hint else ""
        line.began = line.began or at - entry.seconds
        line.end, line.ended, line.output, line.action = entry.end, line.ended or at, entry.output, ""
        line.summary = f"{entry.error}{hint}" if entry.error else line.summary

    def _end(self, key: Key, at: float, end: str, summary: str) -> None:
        """A line's targets change with it: what is folded away depends on its step."""
        line = self.lines[key]
        self._changed |= {key, *((*key, number) for number in line.numbers.values())}
        line.end, line.ended, line.summary = end, at if line.began else 0.0, summary

    def _target(self, place: tuple[int, int], target: Target) -> RunLine:
        step, name = self.lines[place], str(target)
        number = step.numbers.setdefault(name, len(step.numbers))
        key = (*place, number)
        line = self.lines.get(key)
        self._changed |= {key, place}
        if line is None:
            line = self.lines[key] = RunLine(2, name, key, target=target)
            self.servers.setdefault(target.server or name, len(self.servers))
        return line
