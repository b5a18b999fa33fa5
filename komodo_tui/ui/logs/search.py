"""Finding lines: what a person typed as a pattern, blocks of wire lines as the text that is seen, and the hits."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from komodo_agent.wire.logs import PREFIX
from komodo_tui.domain.regex_cost import runaway
from komodo_tui.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_tui.ui.logs.ring import Piece

_SGR = re.compile(rb"\x1b\[(?:[0-9]{0,3}[;:]){0,31}[0-9]{0,3}m")
_UNSAFE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)  # everything domain.text.clean might change, line feeds apart
LONGEST = 8 << 10
"""Characters of one line that are searched and shown: the time of an expression may grow with their square. The rest
of a longer line is there in the pane of one line, and in files."""


@dataclass(frozen=True)
class Pattern:
    """What is looked for. Upper-case letters in it make case count."""

    source: str
    regex: re.Pattern[str]
    literal: bool
    """Whether it is taken letter by letter…"""
    reason: str = ""
    """…and why, where it was meant as a regular expression."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it is found in one line; empty matches are left out."""
        return [match.span() for match in self.regex.finditer(text, 0, LONGEST) if match.end() > match.start()]


def compile_pattern(source: str) -> Pattern:
    """A regular expression; text that is none, or one that could take for ever, is looked for letter by letter."""
    flags = 0 if any(map(str.isupper, re.sub(r"\\.", "", source))) else re.IGNORECASE
    reason = ""
    try:
        regex = re.compile(source, flags)
        if runaway(source):
            reason = "repeats within repeats could take for ever"
    except (re.error, RecursionError, OverflowError) as error:
        reason = f"no regular expression: {error}"
    if reason:
        return Pattern(source, re.compile(re.escape(source), flags), True, reason)
    return Pattern(source, regex, re.escape(source) == source)


def plain_text(data: bytes) -> str:
    """Wire lines as the text a person sees, without colours, a line feed between two of them."""
    lines = data.split(b"\n")
    lines.pop()
    raw = b"\n".join([line[PREFIX:] for line in lines])
    if b"\x1b" in raw:
        raw = _SGR.sub(b"", raw)
    text = raw.decode("utf-8", "replace").replace("\t", " ")
    return text if _UNSAFE.search(text) is None else "\n".join(map(clean, text.split("\n")))


def scan(pattern: Pattern, pieces: Iterable[Piece]) -> list[int]:
    """Numbers of the lines that match, rising. Runs in a thread."""
    hits: list[int] = []
    search = pattern.regex.search
    for piece in pieces:
        text = plain_text(piece.data)
        # Most pieces of most logs hold nothing of it. An expression may look at the end of a line, plain text cannot.
        if pattern.literal and search(text) is None:
            continue
        hits += [
            number for number, line in enumerate(text.split("\n"), piece.first) if search(line, 0, LONGEST) is not None
        ]
    return sorted(hits)


class Matches:
    """Numbers of matching lines, growing at both ends while the ring is searched."""

    def __init__(self) -> None:
        self._numbers = array("Q")
        self.complete = False
        """Whether all that is kept has been looked at."""

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, numbers: list[int]) -> None:
        """Hits that are all older, or all newer, than those there are."""
        if not numbers:
            return
        if not self._numbers or numbers[0] > self._numbers[-1]:
            self._numbers.extend(numbers)
        else:
            self._numbers = array("Q", numbers) + self._numbers

    def forget(self, first: int) -> None:
        """Lines before this one are no longer kept."""
        gone = bisect_left(self._numbers, first)
        if gone:
            del self._numbers[:gone]

    def __contains__(self, number: int) -> bool:
        at = bisect_left(self._numbers, number)
        return at < len(self._numbers) and self._numbers[at] == number

    def numbers(self) -> list[int]:
        """All of them, rising."""
        return self._numbers.tolist()

    def at(self, position: int) -> int:
        """The number of the hit at a position."""
        return self._numbers[position]

    def position(self, number: int) -> int:
        """How many hits are at or before this line: ``3`` of "3 of 17" on the third."""
        return bisect_right(self._numbers, number)

    def after(self, number: int) -> int | None:
        """The next hit behind this line."""
        at = bisect_right(self._numbers, number)
        return self._numbers[at] if at < len(self._numbers) else None

    def before(self, number: int) -> int | None:
        """The last hit before this line."""
        at = bisect_left(self._numbers, number)
        return self._numbers[at - 1] if at else None
