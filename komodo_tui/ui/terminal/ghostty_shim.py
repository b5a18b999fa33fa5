"""Sequences that the native core does not know, or takes otherwise than xterm, put into ones that it does.

* DEL (0x7F) is nothing; the core makes a cell of it.
* ``CSI g`` clears the tab stop at the cursor, as ``CSI 0 g`` does.
* ``CSI ! p`` (DECSTR, what ``reset`` and ``tput reset`` write) sets back modes, margins, character sets and attributes
  and leaves cursor and picture alone.

A sequence that is not complete is held back until it is: two or three bytes of which nothing would be seen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNKNOWN = re.compile(rb"\x1b\[(!p|g)")
_TAILS = (b"\x1b[!", b"\x1b[", b"\x1b")

_SOFT_RESET = (
    b"\x1b[?25h\x1b[4l\x1b[?1l\x1b>\x1b[?7h\x1b[?45l\x1b[?1045l\x1b[?69l\x1b[?6l\x1b[r"
    b'\x1b[0m\x1b[0"q\x1b(B\x1b)B\x1b*B\x1b+B\x0f\x1b7'
)
"""As in the table of DECSTR in DEC's VT520 manual (EK-VT520-RM), but for the line wrap, which xterm turns on. Homes the
cursor, and that is then the saved one."""


def soft_reset(x: int, y: int) -> bytes:
    """What does as DECSTR does, with the cursor at this column and row, counted from 0."""
    return _SOFT_RESET + b"\x1b[%d;%dH" % (y + 1, x + 1)


class Shim:
    """The filter of one terminal's output."""

    def __init__(self) -> None:
        self._held = b""

    def pieces(self, data: bytes) -> Iterator[bytes | None]:
        """The output in pieces; None stands for a DECSTR between them."""
        if self._held:
            data, self._held = self._held + data, b""
        if data.endswith(_TAILS):
            cut = data.rindex(b"\x1b")
            data, self._held = data[:cut], data[cut:]
        data = data.replace(b"\x7f", b"")
        at = 0
        for match in _UNKNOWN.finditer(data):
            yield data[at : match.start()]
            yield b"\x1b[0g" if match[1] == b"g" else None
            at = match.end()
        yield data[at:] if at else data
