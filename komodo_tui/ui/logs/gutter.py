"""What stands before the text of a line: when, and from whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from komodo_tui.domain.text import clean
from komodo_tui.ui.logs import record
from komodo_tui.ui.render.cells import fit, width_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.operations.log_batch import LogTarget
    from komodo_tui.ui.render.cells import Span

Times = Literal["off", "relative", "absolute"]
Sources = Literal["off", "mark", "name"]
TIMES: tuple[Times, ...] = ("off", "relative", "absolute")
SOURCES: tuple[Sources, ...] = ("off", "mark", "name")

_COLOURS = 6
_MARKS = "▌▐▬◆▲●"
_ASCII_MARKS = "|#=+*o"
_RELATIVE = 6
_ABSOLUTE = 12
_WITH_DAY = 18


@dataclass(frozen=True)
class SourceMark:
    """How one container is told from the others: a name, a colour, and a sign where colours do not reach."""

    name: str
    tone: str
    mark: str
    ascii_mark: str
    short: str
    """The name without its server, where that is enough to tell it from the others."""


def source_marks(targets: Mapping[bytes, LogTarget]) -> dict[bytes, SourceMark]:
    """Marks by tag, in the order of the targets."""
    names = [target.name or target.container[:12] for target in targets.values()]
    marks = {}
    for number, (tag, target) in enumerate(targets.items()):
        name = f"{names[number]}@{target.server}"
        turn = (number + number // _COLOURS) % len(_MARKS)  # neighbours differ in sign and colour
        short = names[number] if names.count(names[number]) == 1 else name
        tone = f"tag-{number % _COLOURS + 1}"
        marks[tag] = SourceMark(clean(name), tone, _MARKS[turn], _ASCII_MARKS[turn], clean(short))
    return marks


@dataclass(frozen=True)
class Gutter:
    """How wide it is and what it says; replaced as a whole when a setting changes."""

    times: Times
    with_day: bool
    sources: Sources
    marks: Mapping[bytes, SourceMark]
    most: int
    """Columns a name may have at most."""
    ascii: bool = False
    brief: bool = False
    """Whether names come without their servers where they can."""

    @property
    def name_width(self) -> int:
        """Columns of the names."""
        return min(self.most, max((width_of(self._name(mark)) for mark in self.marks.values()), default=0))

    def _name(self, mark: SourceMark) -> str:
        return mark.short if self.brief else mark.name

    @property
    def width(self) -> int:
        """Columns in all, with the gap behind."""
        source = {"off": 0, "mark": 2, "name": self.name_width + 1}[self.sources]
        return self._time_width + source

    @property
    def _time_width(self) -> int:
        if self.times == "off":
            return 0
        return 1 + (_RELATIVE if self.times == "relative" else _WITH_DAY if self.with_day else _ABSOLUTE)

    def spans(self, line: record.Record, now: float) -> tuple[Span, ...]:
        """The gutter of a line's first row."""
        spans: list[Span] = []
        if self.times != "off":
            spans += [*fit(((self._time(line, now), "dim"),), self._time_width - 1, right=True), (" ", "")]
        mark = self.marks.get(line.tag)
        if self.sources == "mark":
            sign = (mark.ascii_mark if self.ascii else mark.mark) if mark else " "
            spans.append((f"{sign} ", mark.tone if mark else "dim"))
        elif self.sources == "name":
            name, tone = (self._name(mark), mark.tone) if mark else ("", "dim")
            spans += [*fit(((name, tone),), self.name_width), (" ", "")]
        return tuple(spans)

    def _time(self, line: record.Record, now: float) -> str:
        if not line.time:
            return ""
        if self.times == "relative":
            return record.relative(line.time, now)
        return record.absolute(line.time, with_day=self.with_day)
