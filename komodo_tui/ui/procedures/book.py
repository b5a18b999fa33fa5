"""What the Procedures page knows: definitions and runs, read in threads and kept until the next look."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.procedures.figures import next_time
from komodo_tui.store.runs import RunStore
from komodo_tui.ui.definitions.asking import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.procedures.journal import RunSummary
    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_AGAIN = 2.0
"""Seconds between two looks at what other processes run."""
_RUNS = 50
"""Runs of a procedure that are shown; its success rate is of these."""


class Recipe(NamedTuple):
    """A procedure and its latest runs."""

    definition: ProcedureDefinition
    runs: tuple[RunSummary, ...]
    alive: frozenset[str]
    """Ids of those that a process works on."""

    following: float | None = None
    """When a watch would run it next."""

    @property
    def last(self) -> RunSummary | None:
        """The newest run."""
        return self.runs[0] if self.runs else None

    def result(self, run: RunSummary) -> str:
        """How a run ended, or ``running``, or ``interrupted`` where its process is gone."""
        return run.outcome or ("running" if run.run in self.alive else "interrupted")


class Book:
    """All of it. Reading happens behind; ``changed`` is called when something else came of it."""

    def __init__(self, runtime: Runtime, shell: Shell, changed: Callable[[], None]) -> None:
        self._runtime = runtime
        self._shell = shell
        self._changed = changed
        self._reading = Reading(shell, self._read, self._take)
        self._looked = 0.0
        self.store = RunStore(runtime.state_dir.runs)
        self.recipes: dict[str, Recipe] = {}
        self.read = False

    def look(self) -> None:
        """Read again, once what is being read is there."""
        self._looked = self._shell.now()
        self._reading.look()

    def tick(self, changes: Changes) -> None:
        """Look from time to time: other processes run things."""
        if self._shell.now() - self._looked >= _AGAIN:
            self.look()

    def _take(self, found: dict[str, Recipe]) -> None:
        new = not self.read or found != self.recipes
        self.recipes, self.read = found, True
        if new:
            self._changed()

    def _read(self) -> dict[str, Recipe]:
        found = {}
        for name, definition in self._runtime.procedures().known().items():
            runs = tuple(run for run in self.store.runs(name, _RUNS) if "." not in run.run)
            alive = frozenset(run.run for run in runs if run.outcome is None and self.store.alive(run.run))
            found[name] = Recipe(definition, runs, alive, next_time(definition, self._shell.now()))
        return found
