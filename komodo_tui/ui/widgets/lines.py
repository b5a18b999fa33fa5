"""Lines of toned text that change often: only those that differ are written again."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from komodo_tui.ui.widgets.header import strip_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.ui.render.cells import Span

Line = tuple["Span", ...]


class Lines(Widget):
    """Shows lines from the top; what does not fit is cut at the right and at the foot."""

    def __init__(self, *, fixed: bool = False, id: str | None = None, classes: str | None = None) -> None:
        """``fixed``: its height is given by style; else it is as high as it has lines."""
        super().__init__(id=id, classes=classes)
        self._fixed = fixed
        if not fixed:
            self.styles.height = 0
        self._lines: tuple[Line, ...] = ()

    def show(self, lines: Sequence[Line]) -> None:
        """Show these."""
        before, self._lines = self._lines, tuple(lines)
        if len(before) != len(self._lines) and not self._fixed:
            self.styles.height = len(self._lines)
            self.refresh(layout=True)
            return
        changed = [n for n, (old, new) in enumerate(zip_longest(before, self._lines)) if old != new]
        if changed:
            self.refresh(*(Region(0, n, self.size.width, 1) for n in changed))

    def render_line(self, y: int) -> Strip:
        """One line."""
        width = self.size.width
        return strip_of(self._lines[y], width, self) if y < len(self._lines) else Strip.blank(width)
