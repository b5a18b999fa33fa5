"""One pattern over a log view: what matches is highlighted, counted, stepped through, or all that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.ui.logs.finder import Finder
from komodo_tui.ui.logs.search import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.worker import Worker

    from komodo_tui.ui.logs.search import Matches, Pattern
    from komodo_tui.ui.logs.view import LogView


class Finding:
    """Gives a view its pattern. All of it belongs to the event loop."""

    def __init__(
        self,
        view: LogView,
        spawn: Callable[[Callable[[], Coroutine[None, None, None]]], Worker[None]],
        changed: Callable[[], None],
    ) -> None:
        """``spawn`` runs a search as a worker, ``changed`` is called when it found something."""
        self._view = view
        self._spawn = spawn
        self._changed = changed
        self._finder: Finder | None = None
        self._worker: Worker[None] | None = None
        self.hiding = False
        """Whether lines that do not match are hidden."""

    @property
    def pattern(self) -> Pattern | None:
        """What is looked for."""
        return self._finder.pattern if self._finder is not None else None

    @property
    def matches(self) -> Matches | None:
        """What was found so far."""
        return self._finder.matches if self._finder is not None else None

    def use(self, source: str) -> None:
        """Look for this; for nothing when empty."""
        if source == (self.pattern.source if self.pattern is not None else ""):
            return
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None
        self._finder = None
        if not source:
            self.hiding = False
        else:
            self._finder = Finder(self._view.ring, compile_pattern(source), self._found)
            self._worker = self._spawn(self._finder.run)
        self._show()

    def toggle_hiding(self) -> None:
        """Hide the other lines, or show them again; the cursor's line stays where it can."""
        self.hiding = not self.hiding
        self._show()

    def grown(self) -> None:
        """The ring changed."""
        if self._finder is not None:
            self._finder.grown()

    def step(self, sign: int) -> str:
        """Put the cursor on the next match (1) or the one before (-1); returns what to tell about it.

        From a view that follows, either goes to the newest.
        """
        matches = self.matches
        if not matches:
            return "no line matches" if matches is not None else ""
        cursor = self._view.cursor
        if self._view.viewport.follow or cursor is None:
            self._view.show_line(matches.at(-1))
            return ""
        found = matches.after(cursor) if sign > 0 else matches.before(cursor)
        told = ""
        if found is None:
            found = matches.at(0 if sign > 0 else -1)
            told = "from the oldest again" if sign > 0 else "from the newest again"
        self._view.show_line(found)
        return told

    def position(self) -> int:
        """``3`` of "3 of 17", for the cursor; 0 while following, or before the first."""
        matches, cursor = self.matches, self._view.cursor
        if matches is None or cursor is None or self._view.viewport.follow:
            return 0
        return matches.position(cursor)

    def _found(self) -> None:
        self._view.grown()
        self._changed()

    def _show(self) -> None:
        self._view.show_matches(self.pattern, self.matches if self.hiding else None)
