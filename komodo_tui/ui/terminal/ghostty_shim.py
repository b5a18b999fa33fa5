"""Sequences that the native core does not know, or takes otherwise than xterm, put into ones that it does.

* DEL (0x7F) is nothing; the core makes a cell of it.
* ``CSI g`` clears the tab stop at the cursor, as ``CSI 0 g`` does.
* ``CSI ! p`` (DECSTR, what ``reset`` and ``tput reset`` write) sets back modes, margins, character sets and attributes
  and leaves cursor and picture alone.

* ``CSI Ps b`` (REP) repeats no more than a screenful, as in xterm: the core would be busy for most of a second with
  what fits into one piece of output.

A sequence that is not complete is held back until it is: some bytes of which nothing would be seen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNKNOWN = re.compile(rb"\x1b\[(?:(!p)|(g)|(\d{4,})b)")
_UNFINISHED = re.compile(rb"\x1b(?:\[(?:!|\d{0,20})?)?\Z")
_LONGEST = 22

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

    def pieces(self, data: bytes, cells: int) -> Iterator[bytes | None]:
        """The output in pieces, for a screen of so many cells; None stands for a DECSTR between them."""
        if self._held:
            data, self._held = self._held + data, b""
        escape = data.rfind(b"\x1b", max(0, len(data) - _LONGEST))
        if escape >= 0 and _UNFINISHED.match(data, escape):
            data, self._held = data[:escape], data[escape:]
        data = data.replace(b"\x7f", b"")
        at = 0
        for match in _UNKNOWN.finditer(data):
            reset, _, count = match.groups()
            yield data[at : match.start()]
            yield None if reset else b"\x1b[%db" % min(int(count[-9:]), cells) if count else b"\x1b[0g"
            at = match.end()
        yield data[at:] if at else data
