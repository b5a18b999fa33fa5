"""What an emulator core is to the rest of the pane: bytes in, frames out.

Everything that crosses this interface is plain and picklable, so a core can live in this process or in another.
No type of an emulator library and no Rich or Textual object appears here.
"""

from __future__ import annotations

from enum import IntFlag
from typing import Literal, Protocol

import msgspec

MIN_COLS, MIN_ROWS = 4, 2
MAX_COLS, MAX_ROWS = 1000, 500
"""Sizes outside are clamped: the native core is known to die at one to three columns or rows."""

HISTORY_ROWS = 10_000
"""Rows of scrollback a terminal keeps."""

CLIPBOARD_LIMIT = 74_994
"""Most bytes of text taken from a program's clipboard write (OSC 52); a longer one is dropped whole."""

TITLE_LIMIT = 256
"""Most characters of a title that are kept."""

Run = tuple[str, int, int]
"""Text, packed style (see ``styles``), width in cells. A run is either all single-width, all double-width, or one
cell whose text is a base and combining characters. Never holds a control character."""
Row = list[Run]
"""The runs of a row from the left; what is not covered at the right end is blank in the default style."""


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where and how the cursor is drawn. Invisible also when it is scrolled out of view."""

    x: int = 0
    y: int = 0
    visible: bool = True
    shape: Literal["block", "bar", "underline"] = "block"
    blink: bool = False


class Scrollbar(msgspec.Struct, frozen=True, array_like=True):
    """The viewport's place: rows in all (history and screen), first row shown, rows shown."""

    total: int = 0
    offset: int = 0
    length: int = 0

    @property
    def below(self) -> int:
        """Rows hidden below the viewport; 0 when it follows the output."""
        return max(0, self.total - self.offset - self.length)


class Frame(msgspec.Struct, array_like=True):
    """What changed since the frame before."""

    cols: int
    rows: int
    dirty: list[tuple[int, Row]]
    """Rows to draw again, by viewport row."""
    full: bool
    """The dirty rows are the whole viewport: forget what was drawn before."""
    cursor: Cursor
    modes: frozenset[int]
    """Which of ``TRACKED_MODES`` (DEC private modes) are set."""
    alternate: bool
    """The alternate screen (full-screen programs) is shown: there is no history to scroll."""
    keyboard: int
    """Flags of the kitty keyboard protocol that the program asked for; 0 = legacy keys."""
    scrollbar: Scrollbar
    title: str | None = None
    """The new title if it changed; as the program wrote it, so clean it before showing."""
    bells: int = 0
    clipboard: str | None = None
    """What the program asks to put into the clipboard."""
    held: bool = False
    """The program holds the drawing back (synchronized output, mode 2026): nothing else in here is new."""


class Hit(msgspec.Struct, frozen=True, array_like=True):
    """A match of a search: rows count from the first row of the history, the end column is exclusive."""

    row: int
    col: int
    end_row: int
    end_col: int


class Mods(IntFlag):
    """Modifiers of a key or mouse event."""

    NONE = 0
    SHIFT = 1
    ALT = 2
    CTRL = 4


class KeyInput(msgspec.Struct, frozen=True, array_like=True):
    """A key press.

    ``key`` is the character typed (``a``, ``A``, ``é``, space) or a name: ``enter tab escape backspace insert delete
    home end pageup pagedown up down left right f1``…``f20``. Shift is in ``mods`` only where the character does not
    already tell it.
    """

    key: str
    mods: int = 0


MouseAction = Literal["press", "release", "move"]


class MouseInput(msgspec.Struct, frozen=True, array_like=True):
    """A mouse event at a cell (0-based). Buttons: 0 none, 1 left, 2 middle, 3 right, 4-7 wheel up/down/left/right."""

    action: MouseAction
    button: int
    x: int
    y: int
    mods: int = 0
    pressed: bool = False
    """A button is held down (while moving)."""


TRACKED_MODES = (
    1,
    5,
    6,
    7,
    9,
    25,
    45,
    66,
    67,
    69,
    1000,
    1002,
    1003,
    1004,
    1005,
    1006,
    1007,
    1015,
    1016,
    2004,
    2026,
    2027,
    2031,
    2048,
)
"""The DEC private modes a frame reports: what the pane's input handling needs and what a restart restores."""
APP_CURSOR, FOCUS_REPORTS, ALTERNATE_SCROLL, BRACKETED_PASTE = 1, 1004, 1007, 2004
MOUSE_TRACKING = frozenset({9, 1000, 1002, 1003})


class Options(msgspec.Struct, frozen=True, array_like=True):
    """How a core is set up."""

    history: int = HISTORY_ROWS
    foreground: int = 0xC0C0C0
    """The default colours (0xRRGGBB) told to programs that ask; drawing leaves the default to the pane."""
    background: int = 0x000000


class Core(Protocol):
    """An emulator core in this process. Not thread-safe. Calls after :meth:`close` are errors."""

    name: str
    feed_slice: int
    """The most bytes to give to one :meth:`feed`, so that it takes a few milliseconds at worst."""

    def feed(self, data: bytes) -> bytes:
        """Take output of the program; returns what to answer it (device reports), often nothing."""
        ...

    def resize(self, cols: int, rows: int) -> bytes:
        """Set the size, re-wrapping the history; returns what to answer the program (in-band size reports)."""
        ...

    def take_frame(self, force: bool = False) -> Frame:
        """What to draw. ``force`` draws even while the program holds the drawing back."""
        ...

    def encode_key(self, key: KeyInput) -> bytes:
        """The bytes the program expects for this key, in the modes it has set; empty if it has none."""
        ...

    def encode_mouse(self, mouse: MouseInput) -> bytes:
        """The bytes for a mouse event; empty when the program does not want it."""
        ...

    def encode_paste(self, text: str) -> bytes:
        """The bytes for pasted text: bracketed when the program asked for it, never able to leave the brackets."""
        ...

    def encode_focus(self, focused: bool) -> bytes:
        """The bytes for a change of focus; empty when the program does not want it."""
        ...

    def scroll(self, delta: int) -> Scrollbar:
        """Move the viewport by rows (negative: into history)."""
        ...

    def scroll_to(self, row: int) -> Scrollbar:
        """Put this row (counted from the first of the history) at the top of the viewport."""
        ...

    def scroll_bottom(self) -> Scrollbar:
        """Follow the output again."""
        ...

    def scrollbar(self) -> Scrollbar:
        """Where the viewport is."""
        ...

    def search(self, text: str, limit: int = 10_000) -> list[Hit]:
        """Where a text is in history and screen, top down; ignores case unless the text has an upper-case letter."""
        ...

    def text(self, start_row: int, start_col: int, end_row: int, end_col: int) -> str:
        """The text between two cells, the end inclusive; wrapped lines are joined, trailing blanks dropped."""
        ...

    def close(self) -> None:
        """Free it. Safe to call twice."""
        ...


class PaneCore(Protocol):
    """A core as the pane uses it: the same calls, awaited, wherever the core runs. Raises :class:`CoreLostError`."""

    async def feed(self, data: bytes) -> bytes: ...
    async def resize(self, cols: int, rows: int) -> bytes: ...
    async def take_frame(self, force: bool = False) -> Frame: ...
    async def encode_key(self, key: KeyInput) -> bytes: ...
    async def encode_mouse(self, mouse: MouseInput) -> bytes: ...
    async def encode_paste(self, text: str) -> bytes: ...
    async def encode_focus(self, focused: bool) -> bytes: ...
    async def scroll(self, delta: int) -> Scrollbar: ...
    async def scroll_to(self, row: int) -> Scrollbar: ...
    async def scroll_bottom(self) -> Scrollbar: ...
    async def scrollbar(self) -> Scrollbar: ...
    async def search(self, text: str, limit: int = 10_000) -> list[Hit]: ...
    async def text(self, start_row: int, start_col: int, end_row: int, end_col: int) -> str: ...
    async def close(self) -> None: ...
    def take_notice(self) -> str:
        """A sentence for the person in front (the core had to be restarted), once; else empty."""
        ...


class CoreLostError(Exception):
    """The core cannot go on: its process keeps dying, or none can be started."""


def trimmed(row: Row) -> Row:
    """The row without blanks of the default style at its end."""
    while row and row[-1][1] == 0 and row[-1][0].endswith(" "):
        text, style, cells = row[-1]
        kept = text.rstrip(" ")
        row = [*row[:-1], (kept, style, cells - (len(text) - len(kept)))] if kept else row[:-1]
    return row


def clamp_size(cols: int, rows: int) -> tuple[int, int]:
    """The nearest size a core takes."""
    return min(max(cols, MIN_COLS), MAX_COLS), min(max(rows, MIN_ROWS), MAX_ROWS)
