"""Where headless verbs write: data on standard output, diagnostics on standard error, and never a byte that a
terminal would obey but our own colours."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TextIO

import msgspec

from komodo_tui.domain.text import clean
from komodo_tui.headless.tables import Cell, Column, layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from komodo_tui.domain.errors import KomodoError

Tone = Literal["", "good", "busy", "warn", "bad", "dim", "bold"]
_SGR: dict[Tone, str] = {"good": "32", "busy": "36", "warn": "33", "bad": "31", "dim": "2", "bold": "1"}


class Glyphs(NamedTuple):
    """The marks of states. Each goes with its word: none means anything alone."""

    ok: str = "●"
    busy: str = "◐"
    warn: str = "▲"
    fail: str = "✖"
    off: str = "○"
    paused: str = "‖"
    unknown: str = "?"
    ellipsis: str = "…"


ASCII_GLYPHS = Glyphs("*", "~", "!", "X", "o", "=", "?", "...")


class Output:
    """One verb's output. ``json`` wants one document, or lines of it for streams."""

    def __init__(
        self,
        *,
        json: bool = False,
        colour: bool | None = None,
        ascii_only: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        """``colour``: None = where standard output is a terminal and NO_COLOR is not set."""
        self._out = sys.stdout if out is None else out
        self._err = sys.stderr if err is None else err
        self.json = json
        self.terminal = self._out.isatty()
        self.colour = self.terminal and not os.environ.get("NO_COLOR") if colour is None else colour
        self.glyphs = ASCII_GLYPHS if ascii_only or not _unicode(self._out) else Glyphs()

    def line(self, text: str = "") -> None:
        """One line of data, cleaned."""
        self._out.write(clean(text) + "\n")

    def raw(self, data: bytes) -> None:
        """Bytes that are meant to arrive as they are: a program's own output."""
        self._out.flush()
        self._out.buffer.write(data)
        self._out.buffer.flush()

    def write(self, text: str) -> None:
        """Text that has been cleaned already, in bulk."""
        self._out.write(text)

    def flush(self) -> None:
        """Let what was written be seen now."""
        self._out.flush()

    def document(self, value: Any) -> None:
        """The one JSON document of a verb."""
        self._out.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")

    def record(self, value: Any) -> None:
        """One line of JSON of a stream."""
        self._out.write(msgspec.json.encode(value).decode() + "\n")

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
        """Aligned columns under their headings; on a terminal made to fit its width."""
        width = os.get_terminal_size(self._out.fileno()).columns if self.terminal else 0
        for line in layout(columns, list(rows), width=width, ellipsis=self.glyphs.ellipsis):
            self._out.write("".join(self.paint(text, tone) for text, tone in line).rstrip() + "\n")

    def pairs(self, values: Mapping[str, str]) -> None:
        """Names and their values, one a line."""
        width = max((len(name) for name in values), default=0)
        for name, value in values.items():
            self.line(f"{name:<{width}}  {value}".rstrip())

    def paint(self, text: str, tone: Tone) -> str:
        """Clean text, in a colour where colours are wanted."""
        text = clean(text)
        code = _SGR.get(tone)
        return f"\x1b[{code}m{text}\x1b[0m" if code and self.colour and text.strip() else text

    def say(self, text: str) -> None:
        """A diagnostic, on standard error."""
        self._err.write(clean(text) + "\n")
        self._err.flush()

    def status(self, text: str) -> None:
        """A diagnostic that the next one replaces, where standard error is a terminal; else nothing."""
        if self._err.isatty():
            self._err.write(f"\r\x1b[K{clean(text)}")
            self._err.flush()

    def error(self, error: KomodoError) -> None:
        """What went wrong and what to do, on standard error."""
        where = f"{error.server}: " if error.server else ""
        self.say(f"komodo-tui: {where}{error.message}")
        if error.hint:
            self.say(f"  {error.hint}")


def _unicode(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") == "utf8"
