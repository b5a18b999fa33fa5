"""Which columns of a table fit a width, and how wide each becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from komodo_tui.ui.render.cells import Cell

R = TypeVar("R")


@dataclass(frozen=True)
class Column(Generic[R]):
    """One column over rows of type ``R``."""

    id: str
    title: str
    width: int
    """Columns it takes; with ``grow``, the least it takes."""
    cell: Callable[[R], Cell]
    """Pure and cheap: called for each visible row at each tick, and its result compared with the one drawn."""
    key: Callable[[R], Any] | None = None
    """Value to sort by; None from it means "no value" and goes last both ways. Without it the column cannot sort."""
    priority: int = 0
    """The highest goes first when room is short; 0 never goes."""
    right: bool = False
    grow: int = 0
    """Share of the room that is left over; 0 keeps ``width``."""
    most: int = 0
    """A growing column's limit; 0 = none."""
    descending: bool = False
    """Whether sorting by it begins with the largest: figures, not names."""
    live: bool = False
    """Whether its value changes while its row stays the same: figures that are looked up."""


@dataclass(frozen=True)
class Slot:
    """Where a column came to stand."""

    index: int
    """Of the column in the sequence given."""
    x: int
    width: int


def place(columns: Sequence[Column[Any]], width: int, *, left: int = 0, gap: int = 1) -> tuple[Slot, ...]:
    """Slots, left to right from ``left``, for as many columns as fit ``width``.

    Columns go by falling ``priority``, the rightmost first among equals. What is left over goes to growing columns.
    """
    kept = list(range(len(columns)))

    def needed() -> int:
        return left + sum(columns[i].width for i in kept) + gap * max(0, len(kept) - 1)

    while needed() > width:
        droppable = [i for i in kept if columns[i].priority > 0]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda i: (columns[i].priority, i)))
    widths = {i: columns[i].width for i in kept}
    _share(columns, widths, width - needed())
    slots, x = [], left
    for i in kept:
        slots.append(Slot(i, x, widths[i]))
        x += widths[i] + gap
    return tuple(slots)


def _share(columns: Sequence[Column[Any]], widths: dict[int, int], room: int) -> None:
    """Give ``room`` to the growing columns by their shares, none above its limit."""
    growing = [i for i in widths if columns[i].grow > 0]
    while room > 0 and growing:
        total = sum(columns[i].grow for i in growing)
        given = 0
        for i in list(growing):
            limit = columns[i].most or 1 << 16
            extra = min(max(1, room * columns[i].grow // total), limit - widths[i], room - given)
            widths[i] += extra
            given += extra
            if widths[i] >= limit:
                growing.remove(i)
        if not given:
            break
        room -= given
