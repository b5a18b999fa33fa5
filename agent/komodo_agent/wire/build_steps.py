"""The steps of a build, read from what ``docker build`` prints: BuildKit's plain progress, or the classic builder's.

BuildKit prints ``#5 [2/3] RUN make``, then ``#5 0.412 text`` for each line of output, and at last ``#5 DONE 1.2s``,
``#5 CACHED`` or ``#5 ERROR: why``. Lines of several steps are mixed. The classic builder prints
``Step 2/3 : RUN make``, the step's output, `` ---> Using cache`` where nothing was done, and `` ---> 0123456789ab``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .builds import BuildStep

if TYPE_CHECKING:
    from collections.abc import Callable

_CLASSIC = re.compile(r"Step (?P<number>\d+)/(?P<all>\d+) : (?P<text>.*)")
_BUILDKIT = re.compile(r"#(?P<id>\d+) (?P<rest>.*)")
_DONE = re.compile(r"DONE (?P<seconds>\d+(?:\.\d+)?)s")
_OUTPUT = re.compile(r"(?:\d+:\d\d(?:\.\d+)?|\d+\.\d+) (?P<text>.*)|(?:\d+\.\d+)$")
_NUMBERED = re.compile(r"\[(?:\S+ +)?(?P<number>\d+)/(?P<all>\d+)\]")
_KEPT = 40
"""Lines of each step that are kept to be shown if it fails."""
_MOST = 500
"""Steps that are kept."""
_NAME_LENGTH = 200


class _Step:
    def __init__(self, name: str, began: float) -> None:
        self.name = name[:_NAME_LENGTH]
        self.began = began
        self.seconds = 0.0
        self.state = "running"
        self.lines: list[str] = []

    def end(self, state: str, seconds: float) -> None:
        self.state = state
        self.seconds = round(max(seconds, 0.0), 3)

    def keep(self, line: str) -> None:
        self.lines.append(line)
        del self.lines[:-_KEPT]


class StepReader:
    """Takes the lines of one build as they come. ``clock`` is monotonic; classic steps are timed with it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._steps: dict[str, _Step] = {}
        self._current: _Step | None = None
        self._number, self._all = 0, 0
        self._classic = False

    def add(self, line: str) -> str:
        """Take one line. Returns a line that tells how long a step took, where the builder does not say so itself."""
        classic = _CLASSIC.match(line)
        if classic:
            return self._begin_classic(classic)
        if self._classic:
            self._add_classic(line)
            return ""
        found = _BUILDKIT.match(line)
        if found and found["id"] != "0":  # that one only names the builder
            self._add_buildkit(found["id"], found["rest"])
        return ""

    @property
    def now(self) -> str:
        """What is done now, in a few words; empty before the first step."""
        if self._current is None:
            return ""
        return self._current.name if not self._classic else f"step {self._number}/{self._all}: {self._current.name}"

    @property
    def share(self) -> float | None:
        """How far it is, 0-1; None where that is not known."""
        return min(max(self._number - 1, 0) / self._all, 1.0) if self._all else None

    def end(self, *, ok: bool, stopped: bool = False) -> str:
        """The build has ended; returns as :meth:`add` does. ``stopped``: somebody ended it."""
        failed = any(step.state == "failed" for step in self._steps.values())
        for step in self._steps.values():
            if step.state == "running":
                state = "done" if ok else "cancelled" if failed or stopped else "failed"
                step.end(state, self._clock() - step.began)
        return self._took() if self._classic else ""

    @property
    def steps(self) -> tuple[BuildStep, ...]:
        """Those there were, in their order; the time of one that runs is what it took so far."""
        now = self._clock()
        return tuple(
            BuildStep(
                name=step.name,
                seconds=step.seconds if step.state != "running" else round(now - step.began, 3),
                state=step.state,
            )
            for step in list(self._steps.values())[:_MOST]
        )

    @property
    def failed(self) -> tuple[str, tuple[str, ...]]:
        """The step that failed and its last lines; an empty name where no step did."""
        bad = [step for step in self._steps.values() if step.state == "failed"]
        ranked = [step for step in bad if step.lines] or bad
        return (ranked[-1].name, tuple(ranked[-1].lines)) if ranked else ("", ())

    def _begin_classic(self, found: re.Match[str]) -> str:
        told = ""
        if self._current is not None and self._current.state == "running":
            self._current.end("done", self._clock() - self._current.began)
        if self._current is not None:
            told = self._took()
        self._classic = True
        self._number, self._all = int(found["number"]), int(found["all"])
        self._current = _Step(f"[{found['number']}/{found['all']}] {found['text']}", self._clock())
        self._steps[found["number"]] = self._current
        return told

    def _took(self) -> str:
        step = self._current
        if step is None or step.state == "cached":
            return ""
        return f" ---> step {self._number}/{self._all} took {step.seconds:.1f} s"

    def _add_classic(self, line: str) -> None:
        step = self._current
        if step is None:
            return
        if line.strip() == "---> Using cache":
            step.end("cached", 0.0)
        elif line.strip():
            step.keep(line)

    def _add_buildkit(self, number: str, rest: str) -> None:
        step = self._steps.get(number)
        if step is None:
            self._current = self._steps[number] = _Step(rest, self._clock())
            self._count(rest)
            return
        done = _DONE.fullmatch(rest)
        if done:
            step.end("done", float(done["seconds"]))
        elif rest == "CACHED":
            step.end("cached", 0.0)
        elif rest == "CANCELED":
            step.end("cancelled", self._clock() - step.began)
        elif rest.startswith("ERROR: "):
            step.keep(rest)
            step.end("failed", self._clock() - step.began)
        elif rest != step.name:
            self._current = step
            output = _OUTPUT.match(rest)
            step.keep((output["text"] or "") if output else rest)

    def _count(self, name: str) -> None:
        found = _NUMBERED.match(name)
        if found:
            self._number, self._all = max(self._number, int(found["number"])), max(self._all, int(found["all"]))
