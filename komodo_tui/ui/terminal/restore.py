"""What is needed to bring a terminal back in a new core: the end of its output, and its last picture."""

from __future__ import annotations

from collections import deque

from komodo_tui.ui.terminal import styles
from komodo_tui.ui.terminal.core import TRACKED_MODES, Cursor, Frame, Row

TAIL_LIMIT = 256 * 1024
"""Bytes of output kept for each terminal."""

_HOLD = 2026
_SHAPES = {"block": 1, "underline": 3, "bar": 5}
_SGR = (
    (styles.BOLD, 1), (styles.FAINT, 2), (styles.ITALIC, 3), (styles.UNDERLINE, 4), (styles.BLINK, 5),
    (styles.INVERSE, 7), (styles.INVISIBLE, 8), (styles.STRIKE, 9), (styles.DOUBLE_UNDERLINE, 21),
    (styles.OVERLINE, 53),
)  # fmt: skip


class Tail:
    """The last output of a program, in the pieces it was fed in, and which of it the last picture shows."""

    def __init__(self, limit: int = TAIL_LIMIT) -> None:
        self._limit = limit
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._size = 0
        self._next = 0
        self._shown = 0
        self.complete = True
        """Nothing has been forgotten: feeding it again gives the same terminal."""

    def add(self, piece: bytes) -> int:
        """Keep it; returns its number."""
        number = self._next
        self._next += 1
        self._pieces.append((number, piece))
        self._size += len(piece)
        while self._size > self._limit and len(self._pieces) > 1:
            self._size -= len(self._pieces.popleft()[1])
            self.complete = False
        return number

    def drop(self, number: int) -> int:
        """Forget one piece; returns its size."""
        for index, (known, piece) in enumerate(self._pieces):
            if known == number:
                del self._pieces[index]
                self._size -= len(piece)
                return len(piece)
        return 0

    def clear(self) -> None:
        """Forget everything."""
        self._pieces.clear()
        self._size = 0
        self.complete = False

    def mark_shown(self) -> None:
        """A picture has been taken of everything so far."""
        self._shown = self._next

    def before_picture(self) -> bytes:
        """The output that the last picture shows."""
        return b"".join(piece for number, piece in self._pieces if number < self._shown)

    def after_picture(self) -> bytes:
        """The output that came later."""
        return b"".join(piece for number, piece in self._pieces if number >= self._shown)


class LastPicture:
    """The screen as the last frames left it, while it followed the output."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._frame: Frame | None = None

    def take(self, frame: Frame) -> None:
        """Learn from a frame."""
        if frame.held or frame.scrollbar.below:
            return
        if frame.full:
            self._rows.clear()
        self._rows.update(frame.dirty)
        self._frame = frame

    def output(self) -> bytes:
        """Output that draws it, on the right screen and with the modes and the cursor as they were."""
        frame = self._frame
        if frame is None:
            return b""
        parts = ["\x18\x1b(B\x0f\x1b[?69l\x1b[r\x1b[?6l\x1b[4l\x1b[?7l", f"\x1b[?1049{'h' if frame.alternate else 'l'}"]
        for y in range(frame.rows):
            parts.append(f"\x1b[{y + 1};1H\x1b[0m\x1b[2K" + "".join(map(_drawn, self._rows.get(y, ()))))
        parts.append("\x1b[0m")
        parts += [f"\x1b[?{mode}{'h' if mode in frame.modes else 'l'}" for mode in TRACKED_MODES if mode != _HOLD]
        parts.append(f"\x1b[={frame.keyboard};1u" + _cursor(frame.cursor))
        return "".join(parts).encode("utf-8", "replace")


def _cursor(cursor: Cursor) -> str:
    return f"\x1b[{_SHAPES[cursor.shape] + (0 if cursor.blink else 1)} q\x1b[{cursor.y + 1};{cursor.x + 1}H"


def _drawn(run: tuple[str, int, int]) -> str:
    foreground, background, attributes = styles.unpack(run[1])
    codes = ["0", *[str(code) for bit, code in _SGR if attributes & bit]]
    for base, color in ((38, foreground), (48, background)):
        if color & styles.RGB:
            codes.append(f"{base};2;{color >> 16 & 255};{color >> 8 & 255};{color & 255}")
        elif color:
            codes.append(f"{base};5;{color - 1}")
    return f"\x1b[{';'.join(codes)}m{run[0]}"
