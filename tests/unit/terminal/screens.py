"""A core's picture as plain text and attributes, for assertions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from komodo_tui.ui.terminal.core import Frame, Row


class Picture:
    """Keeps the rows of a core's frames, as a pane does."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.frame: Frame | None = None

    def take(self, frame: Frame) -> Picture:
        if frame.full:
            self.rows.clear()
        self.rows.update(dict(frame.dirty))
        self.frame = frame
        return self

    def line(self, y: int) -> str:
        """The text of a row; a wide character stands for two cells."""
        return "".join(text for text, _, _ in self.rows.get(y, [])).rstrip(" ")

    @property
    def lines(self) -> list[str]:
        assert self.frame is not None
        text = [self.line(y) for y in range(self.frame.rows)]
        while text and not text[-1]:
            text.pop()
        return text

    def style(self, x: int, y: int) -> int:
        """The packed style of a cell."""
        at = 0
        for _, style, cells in self.rows.get(y, []):
            if at <= x < at + cells:
                return style
            at += cells
        return 0
