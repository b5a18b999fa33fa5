"""The rows of a table, apart from how they are drawn: filter, order, cursor and marks, all held by identity.

Sizes are those of a fleet (20,000 rows, all of them changing each second), so what can be kept is kept: the filter's
verdict and the sort key of each row are computed again for changed rows only, and the view is rebuilt only when a
verdict, a key or the set of rows changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from komodo_tui.ui.render.columns import Column

R = TypeVar("R")


class TableModel(Generic[R]):
    """Rows by id, and the view of them: ids, filtered and sorted.

    ``order`` gives the natural order of rows, which also breaks ties of any other.
    """

    def __init__(self, order: Callable[[R], Any]) -> None:
        self.rows: dict[Hashable, R] = {}
        self.view: list[Hashable] = []
        self.cursor: Hashable | None = None
        self.index = 0
        """Of the cursor in the view."""
        self.marks: dict[Hashable, None] = {}
        self.column: Column[R] | None = None
        self.reverse = False
        self._order = order
        self._order_keys: dict[Hashable, Any] = {}
        self._base: list[Hashable] = []
        self._keys: dict[Hashable, Any] = {}
        self._predicate: Callable[[R], bool] | None = None
        self._kept: set[Hashable] = set()
        self._chosen: Hashable | None = None
        self._last_mark: Hashable | None = None

    # -- rows ---------------------------------------------------------------------------------------------------

    def replace(self, rows: Mapping[Hashable, R]) -> bool:
        """Make these all the rows. Returns whether the view changed."""
        gone = self.rows.keys() - rows.keys()
        return self.update(rows, gone)

    def update(self, changed: Mapping[Hashable, R], removed: Iterable[Hashable] = ()) -> bool:
        """Add or change rows, and remove others. Returns whether the view (its ids or their order) changed."""
        gone = [key for key in removed if key in self.rows and key not in changed]
        for key in gone:
            self._forget(key)
        structure = bool(gone) or not changed.keys() <= self.rows.keys()
        self.rows.update(changed)
        resort = self._take_order(changed)
        moved = self._take_keys(changed)
        shown = self._take_verdicts(changed)
        if structure or resort:
            self._base = sorted(self.rows, key=self._order_keys.__getitem__)
        if not (structure or resort or moved or shown):
            return False
        return self._rebuild()

    def _forget(self, key: Hashable) -> None:
        del self.rows[key]
        self.marks.pop(key, None)
        self._order_keys.pop(key, None)
        self._keys.pop(key, None)
        self._kept.discard(key)

    def _take_order(self, changed: Mapping[Hashable, R]) -> bool:
        keys, order = self._order_keys, self._order
        found = {key: order(row) for key, row in changed.items()}
        if all(key in keys and keys[key] == value for key, value in found.items()):
            return False
        keys.update(found)
        return True

    def _take_keys(self, changed: Mapping[Hashable, R]) -> bool:
        of = self.column.key if self.column else None
        if of is None:
            return False
        keys = self._keys
        found = {key: of(row) for key, row in changed.items()}
        moved = any(keys.get(key) != value for key, value in found.items())
        keys.update(found)
        return moved

    def _take_verdicts(self, changed: Mapping[Hashable, R]) -> bool:
        predicate = self._predicate
        if predicate is None:
            return False
        yes = {key for key, row in changed.items() if predicate(row)}
        before = self._kept & changed.keys()
        self._kept -= before - yes
        self._kept |= yes
        return before != yes

    def refigure(self) -> bool:
        """Figures that rows look up have changed. Returns whether the view changed."""
        if self.column is None or not self.column.live:
            return False
        before = self._keys
        self._keys = self._all_keys()
        return self._keys != before and self._rebuild()

    def _all_keys(self) -> dict[Hashable, Any]:
        of = self.column.key if self.column else None
        return {} if of is None else {key: of(row) for key, row in self.rows.items()}

    # -- view ---------------------------------------------------------------------------------------------------

    def filter(self, predicate: Callable[[R], bool] | None) -> bool:
        """Show only rows it says yes to; None shows all. A cursor row that comes back is the cursor again."""
        self._predicate = predicate
        self._kept = set() if predicate is None else {key for key, row in self.rows.items() if predicate(row)}
        return self._rebuild(prefer=self._chosen)

    def sort(self, column: Column[R] | None, reverse: bool = False) -> bool:
        """Order by a column; None is the natural order."""
        self.column, self.reverse = column, reverse
        self._keys = self._all_keys()
        return self._rebuild()

    def _rebuild(self, prefer: Hashable | None = None) -> bool:
        before, ids = self.view, self._base
        if self._predicate is not None:
            kept = self._kept
            ids = [key for key in ids if key in kept]
        self.view = self._sorted(ids)
        self._hold(before, prefer)
        return self.view != before

    def _sorted(self, ids: list[Hashable]) -> list[Hashable]:
        if not self._keys:
            return ids[::-1] if self.reverse and self.column is None else list(ids)
        keys = self._keys
        some = [key for key in ids if keys[key] is not None]
        some.sort(key=keys.__getitem__, reverse=self.reverse)
        return some if len(some) == len(ids) else some + [key for key in ids if keys[key] is None]

    def _hold(self, before: list[Hashable], prefer: Hashable | None) -> None:
        """Put the cursor where it was by identity, else on the nearest row that is left."""
        view = self.view
        if self._chosen is None:  # nobody has touched it: the first row, whatever comes in above
            self.cursor, self.index = (view[0], 0) if view else (None, 0)
            return
        if prefer is not None and prefer in self.rows and (self._predicate is None or prefer in self._kept):
            self.cursor = prefer
        if self.index < len(view) and view[self.index] == self.cursor:
            return
        if self.cursor not in view:
            left = set(view)
            after = before[self.index + 1 :]
            ahead = reversed(before[: self.index])
            self.cursor = next((key for part in (after, ahead) for key in part if key in left), None)
            if self.cursor is None and view:
                self.cursor = view[0]
        self.index = view.index(self.cursor) if view and self.cursor is not None else 0

    # -- cursor and marks ---------------------------------------------------------------------------------------

    def move_to(self, index: int) -> bool:
        """Put the cursor on a row of the view, as a choice of the user. Returns whether it moved."""
        if not self.view:
            return False
        self.index = min(max(index, 0), len(self.view) - 1)
        moved = self.view[self.index] != self.cursor
        self.cursor = self._chosen = self.view[self.index]
        return moved

    def choose(self, key: Hashable) -> bool:
        """Put the cursor on the row of this id. Returns whether it is in the view."""
        if key not in self.rows or key not in self.view:
            return False
        self.move_to(self.view.index(key))
        return True

    @property
    def current(self) -> R | None:
        """The row under the cursor."""
        return self.rows.get(self.cursor) if self.cursor is not None and self.view else None

    def toggle_mark(self) -> None:
        """Mark the cursor's row, or take its mark away."""
        if self.cursor is None or not self.view:
            return
        if self.cursor in self.marks:
            del self.marks[self.cursor]
        else:
            self.marks[self.cursor] = None
        self._last_mark = self.cursor

    def mark_range(self) -> None:
        """Mark all from the row marked last (the cursor's without one) to the cursor's row."""
        if not self.view:
            return
        start = self.view.index(self._last_mark) if self._last_mark in self.view else self.index
        low, high = sorted((start, self.index))
        self.marks.update(dict.fromkeys(self.view[low : high + 1]))
        self._last_mark = self.cursor

    def mark_all(self) -> None:
        """Mark all rows of the view; when all are, take their marks away."""
        if all(key in self.marks for key in self.view):
            for key in self.view:
                del self.marks[key]
        else:
            self.marks.update(dict.fromkeys(self.view))

    def clear_marks(self) -> bool:
        """Take all marks away. Returns whether there were any."""
        had = bool(self.marks)
        self.marks.clear()
        self._last_mark = None
        return had

    def selection(self) -> list[R]:
        """The rows an act is meant for: the marked ones, in natural order, or the cursor's."""
        self._chosen = self.cursor
        if self.marks:
            return [self.rows[key] for key in self._base if key in self.marks]
        return [] if self.current is None else [self.current]

    @property
    def hidden_marks(self) -> int:
        """How many marked rows the filter hides."""
        return 0 if self._predicate is None else sum(key not in self._kept for key in self.marks)
