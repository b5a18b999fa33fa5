"""The output of one build: read whole where it has ended, followed where it runs, its steps and their times above."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_agent.wire.build_steps import StepReader
from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.text import clean
from komodo_tui.domain.units import long_duration_text
from komodo_tui.ui.definitions.asking import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from komodo_agent.wire.builds import BuildStep
    from komodo_tui.operations.build_history import BuildRun
    from komodo_tui.operations.build_runs import BuildOutput
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.widgets.lines import Line

LONGEST = 3000
"""Lines that are shown of one; the whole of it is a file away."""
_WAIT = 2.0
_PAUSE = 1.0
_STEPS = 60


class OutputReader:
    """Reads the output of the run named last by :meth:`want`. ``changed`` is called when there is more of it."""

    def __init__(self, runtime: Runtime, shell: Shell, output: BuildOutput, changed: Callable[[], None]) -> None:
        self._runtime = runtime
        self._shell = shell
        self._output = output
        self._changed = changed
        self._task: asyncio.Task[None] | None = None
        self.run: BuildRun | None = None
        self.lines: list[str] = []
        self.left_out = 0
        self.problem = ""
        self._reader: StepReader | None = None

    def want(self, run: BuildRun | None) -> None:
        """Read this one; None: read nothing any more."""
        if run is not None and self.run is not None and (run.id, run.outcome) == (self.run.id, self.run.outcome):
            return
        same = run is not None and self.run is not None and run.id == self.run.id
        self.stop()
        self.run = run
        if not same:
            self.lines, self.left_out, self.problem, self._reader = [], 0, "", None
        if run is not None:
            self._task = asyncio.create_task(self._read(run), name="build output")

    def stop(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    @property
    def steps(self) -> Sequence[BuildStep]:
        """The steps there are so far."""
        if self.run is not None and self.run.steps:
            return self.run.steps
        return self._reader.steps if self._reader is not None else ()

    async def _read(self, run: BuildRun) -> None:
        try:
            if run.outcome is None:
                await self._follow(run)
            else:
                lines = (await self._output.read(run)).rstrip("\n").split("\n")
                self._keep(lines, fresh=True)
        except KomodoError as error:
            self.problem = error.message
        self._changed()

    async def _follow(self, run: BuildRun) -> None:
        self._reader = StepReader(asyncio.get_running_loop().time)
        offset, partial = 0, b""
        while True:
            try:
                client = await self._runtime.fleet.link(run.server).client(PATIENCE)
                data, status = await client.job_log(run.job, offset, _WAIT)
            except KomodoError as error:
                self.problem = error.message
                self._changed()
                await asyncio.sleep(_PAUSE)
                continue
            self.problem = ""
            offset += len(data)
            *whole, partial = (partial + data).split(b"\n")
            lines = [clean(line.decode("utf-8", "replace")) for line in whole]
            for line in lines:
                self._reader.add(line)
            self._keep(lines)
            self._changed()
            if status not in ("queued", "running") and not data:
                return

    def _keep(self, lines: list[str], *, fresh: bool = False) -> None:
        if fresh:
            self.lines, self.left_out = [], 0
        self.lines += lines
        extra = len(self.lines) - LONGEST
        if extra > 0:
            self.left_out += extra
            del self.lines[:extra]


def output_head(reader: OutputReader, glyphs: Glyphs) -> list[Line]:
    """What stands above the lines: the steps with their times, what came of it."""
    run = reader.run
    if run is None:
        return []
    signs = {
        "done": (glyphs.done, "ok"), "cached": (glyphs.dot, "dim"), "failed": (glyphs.fail, "bad"),
        "running": (glyphs.busy, "busy"), "cancelled": (glyphs.stopped, "dim"),
    }  # fmt: skip
    head: list[Line] = [((f"{glyphs.warn} {reader.problem}", "warn"),)] if reader.problem else []
    for step in list(reader.steps)[-_STEPS:]:
        sign, tone = signs.get(step.state, (glyphs.dot, "dim"))
        took = "cached" if step.state == "cached" else long_duration_text(step.seconds)
        name = (step.name, "bad" if step.state == "failed" else "")
        head.append(((f"{sign} ", tone), (f"{took:>8}  ", "dim"), name))
    head += [((f"{glyphs.ok} {reference}", "accent"),) for reference in run.references]
    head += [((f"{glyphs.fail} {run.error}", "bad"),)] if run.error else []
    head += [(("", ""),)] if head else []
    if reader.left_out:
        words = f"the first {reader.left_out} lines are left out: komodo-tui builds {run.name} --log"
        head.append(((words, "dim"),))
    return head
