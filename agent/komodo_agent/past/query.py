"""Answers out of blocks: one subject's series over a stretch of time, in as many steps as somebody can look at."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from ..wire.past import PEAK, Past
from . import blocks, codes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .blocks import Block
    from .shelf import Shelf


def touches(block: Block, start: float, end: float) -> bool:
    """Whether a block has slots between two Unix times."""
    return block.first * block.step < end and (block.first + block.length) * block.step > start


def gather(shelf: Shelf, unwritten: Iterable[Block], subject: str, start: float, end: float) -> Past:
    """One subject's series in the shelf's own steps; what was written later wins. Reads files."""
    step = shelf.step
    first, last = math.floor(start / step), max(math.floor(start / step), math.ceil(end / step) - 1)
    series: dict[str, list[float | None]] = {}
    for data, extent in shelf.covering(first, last):
        try:
            _lay(series, blocks.load(data, extent, subject), subject, first, last)
        except ValueError:
            continue  # of another version of the agent
    for block in unwritten:
        _lay(series, block, subject, first, last)
    return Past(subject=subject, step=float(step), start=float(first * step), series=series)


def names_of_subjects(shelf: Shelf, start: float, end: float) -> set[str]:
    """Which subjects the files have values of between two Unix times. Reads files."""
    found: set[str] = set()
    for data, extent in shelf.covering(math.floor(start / shelf.step), math.ceil(end / shelf.step) - 1):
        try:
            found |= blocks.subjects(data, extent)
        except ValueError:
            continue
    return found


def thin(past: Past, points: int) -> Past:
    """The same in at most ``points`` steps: means, and of peaks the greatest."""
    length = max(map(len, past.series.values()), default=0)
    group = math.ceil(length / max(1, points))
    if group <= 1:
        return past
    offset = int(past.start // past.step) % group
    series = {
        name: [_joined(name, values[max(0, at) : at + group]) for at in range(-offset, length, group)]
        for name, values in past.series.items()
    }
    return Past(subject=past.subject, step=past.step * group, start=past.start - offset * past.step, series=series)


def _joined(name: str, values: list[float | None]) -> float | None:
    seen = [value for value in values if value is not None]
    if not seen:
        return None
    return max(seen) if name.endswith(PEAK) else _plain(sum(seen) / len(seen))


def _lay(series: dict[str, list[float | None]], block: Block, subject: str, first: int, last: int) -> None:
    columns = block.subjects.get(subject)
    if columns is None:
        return
    begin, end = max(first, block.first), min(last, block.first + block.length - 1)
    for name, column in zip(columns.names, columns.codes, strict=True):
        values = series.setdefault(name, [None] * (last - first + 1))
        for slot in range(begin, end + 1):
            code = column[slot - block.first]
            if code != codes.MISSING:
                values[slot - first] = _plain_value(code)


@lru_cache(maxsize=8192)
def _plain_value(code: int) -> float:
    return _plain(codes.decode(code))


def _plain(value: float) -> float:
    """With no more digits than it is worth."""
    return float(f"{value:.4g}")
