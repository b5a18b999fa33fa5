"""A run as plain lines with times, or as lines of JSON."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import ExitCode
from komodo_tui.domain.procedures.check import stage_title, step_title
from komodo_tui.domain.procedures.journal import (
    RunEnded,
    RunResumed,
    RunStarted,
    StageEnded,
    StageStarted,
    StepEnded,
    StepStarted,
    TargetEnded,
)
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.domain.text import clean_tree
from komodo_tui.domain.units import clock_text, long_duration_text

if TYPE_CHECKING:
    from komodo_tui.domain.procedures.journal import Entry
    from komodo_tui.headless.output import Output
    from komodo_tui.operations.procedures.journal import Place
    from komodo_tui.operations.progress import StepProgress

_OUTPUT_LINES = 40
"""Lines of a failed target's output that are printed."""
_HELD = 20_000
"""Lines that a quiet run keeps for the case that it fails."""


class RunLines:
    """Prints what happens in a run. A quiet one holds its lines back, and prints them only when it fails."""

    def __init__(self, out: Output, *, quiet: bool) -> None:
        self._out = out
        self._quiet = quiet
        self._held: list[str] = []
        self._definitions: dict[str, ProcedureDefinition] = {}
        self.ended: RunEnded | None = None
        self.partly = False
        """Whether a step that failed did some of its targets."""

    def entry(self, run: str, entry: Entry, at: float | None = None) -> None:
        """One entry of the journal, written at this Unix time (None = now)."""
        if isinstance(entry, RunStarted):
            self._definitions[run] = msgspec.convert(entry.definition, ProcedureDefinition)
        if isinstance(entry, RunEnded) and "." not in run:
            self.ended = entry
        if isinstance(entry, StepEnded) and entry.end == "failed" and not entry.summary.startswith("0 of "):
            self.partly = self.partly or " done" in entry.summary
        if self._out.json:
            if not self._quiet:
                self._out.record(
                    {"run": run, "at": at or time.time(), **clean_tree(msgspec.to_builtins(entry, order="sorted"))}
                )
                self._out.flush()
            return
        for line in self._lines(run, entry):
            self._print(f"{clock_text(at or time.time())} {'  ' * run.count('.')}{line}")

    def output(self, run: str, place: Place, progress: StepProgress) -> None:
        """What a target writes while it runs: not printed, the journal keeps its tail."""

    def close(self, end: RunEnded) -> None:
        """The run is over."""
        if self._quiet and end.outcome != "success":
            for line in self._held:
                self._out.line(line)
        self._out.flush()

    def _print(self, line: str) -> None:
        if not self._quiet:
            self._out.line(line)
            self._out.flush()
        elif len(self._held) < _HELD:
            self._held.append(line)

    def _lines(self, run: str, entry: Entry) -> list[str]:
        if isinstance(entry, RunStarted):
            given = " ".join(f"{name}={value}" for name, value in entry.parameters.items())
            again = f", again what failed in {entry.again}" if entry.again else ""
            only = f", on {' '.join(entry.servers)} only" if entry.servers else ""
            head = f"run {run} of {entry.procedure} by {entry.actor}{again}{only}"
            return [head + (f": {given}" if given else "")]
        if isinstance(entry, RunResumed):
            return [f"resumed by {entry.actor}"]
        if isinstance(entry, RunEnded):
            return [f"{entry.outcome}" + (f": {entry.summary}" if entry.summary else "")]
        stages = self._definitions[run].stages
        if isinstance(entry, StepStarted):
            return self._asked(run, entry)
        if isinstance(entry, StageStarted):
            return [stage_title(stages[entry.stage], entry.stage + 1)]
        if isinstance(entry, StageEnded):
            if entry.end == "success":
                return []
            return [f"{stage_title(stages[entry.stage], entry.stage + 1)}: {entry.end}, {entry.summary}"]
        if isinstance(entry, StepEnded):
            title = step_title(stages[entry.stage].steps[entry.step])
            return [f"  {title}: {entry.end} in {long_duration_text(entry.seconds)}, {entry.summary}"]
        return self._target_lines(entry) if isinstance(entry, TargetEnded) else []

    def _asked(self, run: str, entry: StepStarted) -> list[str]:
        if not entry.asks:
            return []
        until = f"until {clock_text(entry.until)}"
        return [f"  waits for approval {until}: {entry.asks}", f"    komodo-tui procedure approve {run}"]

    def _target_lines(self, entry: TargetEnded) -> list[str]:
        took = long_duration_text(entry.seconds)
        if entry.end == "success":
            return [f"    {entry.target}: done in {took}"]
        hint = f" ({entry.hint})" if entry.hint else ""
        lines = [f"    {entry.target}: {entry.end} in {took}, {entry.error}{hint}"]
        return [*lines, *(f"    | {line}" for line in entry.output.splitlines()[-_OUTPUT_LINES:])]


def exit_code(end: RunEnded, lines: RunLines) -> int:
    """What the process tells its caller of a run."""
    if end.outcome == "success":
        return ExitCode.DONE
    if end.outcome == "cancelled":
        return ExitCode.INTERRUPTED
    return ExitCode.PARTLY_FAILED if lines.partly else ExitCode.FAILED
