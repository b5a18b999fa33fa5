"""A run's journal as lines: its stages, their steps, their targets, each as it stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass
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
    TargetStarted,
)
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.domain.units import long_duration_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_tui.domain.procedures.journal import Entry

Key = tuple[object, ...]


@dataclass
class RunLine:
    """One line of a run."""

    depth: int
    """0 a stage, 1 a step, 2 a target."""
    title: str
    end: str = "waiting"
    """``waiting``, ``running``, or how it ended."""
    summary: str = ""
    output: str = ""
    began: float = 0.0
    ended: float = 0.0
    position: int = 0
    """Its place from the top."""

    def took(self, now: float) -> str:
        """How long it took, or has been running."""
        if not self.began:
            return ""
        return long_duration_text((self.ended or now) - self.began)


class RunProgress:
    """Takes the entries of one run in, in their order."""

    def __init__(self) -> None:
        self.lines: dict[Key, RunLine] = {}
        """By ``(stage,)``, ``(stage, step)`` and ``(stage, step, target)``; their order is that of the screen."""
        self.definition: ProcedureDefinition | None = None
        self.parameters: dict[str, str] = {}
        self.who = ""
        self.started = 0.0
        self.ended: RunEnded | None = None
        self.end_time = 0.0
        self.seen = 0
        """Number of the last entry taken in."""

    def take(self, entries: Iterable[tuple[int, float, Entry]]) -> bool:
        """Take new entries in; returns whether there were any."""
        before = self.seen
        for number, at, entry in entries:
            self.seen = number
            self._take(at, entry)
        return self.seen != before

    def _take(self, at: float, entry: Entry) -> None:
        if isinstance(entry, RunStarted):
            self._begin(at, entry)
        elif isinstance(entry, StageStarted):
            self._start((entry.stage,), at)
        elif isinstance(entry, StepStarted):
            self._start((entry.stage, entry.step), at)
            for target in entry.targets:
                self._target((entry.stage, entry.step), str(target))
        elif isinstance(entry, TargetStarted):
            line = self._target((entry.stage, entry.step), str(entry.target))
            line.end, line.began, line.ended = "running", at, 0.0
            line.summary = f"attempt {entry.attempt}" if entry.attempt > 1 else ""
        elif isinstance(entry, TargetEnded):
            line = self._target((entry.stage, entry.step), str(entry.target))
            hint = f" ({entry.hint})" if entry.hint else ""
            line.began = line.began or at - entry.seconds
            line.end, line.ended, line.output = entry.end, at, entry.output
            line.summary = f"{entry.error}{hint}" if entry.error else line.summary
        elif isinstance(entry, StepEnded):
            self._end((entry.stage, entry.step), at, entry.end, entry.summary)
        elif isinstance(entry, StageEnded):
            self._end((entry.stage,), at, entry.end, entry.summary)
        elif isinstance(entry, RunEnded):
            self.ended, self.end_time = entry, at

    def _begin(self, at: float, entry: RunStarted) -> None:
        self.definition = msgspec.convert(entry.definition, ProcedureDefinition)
        self.parameters, self.who, self.started = entry.parameters, str(entry.actor), at
        for number, stage in enumerate(self.definition.stages):
            self.lines[number,] = RunLine(0, stage_title(stage, number + 1))
            for index, step in enumerate(stage.steps):
                self.lines[number, index] = RunLine(1, step_title(step))
        self._order(self.lines)

    def _start(self, key: Key, at: float) -> None:
        line = self.lines[key]
        line.end, line.began = "running", line.began or at

    def _end(self, key: Key, at: float, end: str, summary: str) -> None:
        line = self.lines[key]
        line.end, line.ended, line.summary = end, at if line.began else 0.0, summary

    def _target(self, place: tuple[int, int], name: str) -> RunLine:
        key: Key = (*place, name)
        line = self.lines.get(key)
        if line is None:
            line = RunLine(2, name)
            # In its place: after the step and its other targets.
            items = list(self.lines.items())
            at = max(n for n, (other, _) in enumerate(items) if other[:2] == place) + 1
            items.insert(at, (key, line))
            self._order(dict(items))
        return line

    def _order(self, lines: dict[Key, RunLine]) -> None:
        self.lines = lines
        for position, line in enumerate(lines.values()):
            line.position = position
