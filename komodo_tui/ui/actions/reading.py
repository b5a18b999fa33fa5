"""What the Actions tab reads from the disk. Every function here blocks: it is for threads."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from komodo_tui.ui.actions.rows import slim

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator

    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.store.history import History
    from komodo_tui.ui.actions.finding import Find

    UnderWay = Callable[[ActionRecord], bool]

PAGE = 500
"""Acts read at once."""


@dataclass(frozen=True)
class Part:
    """Some acts of the list, newest first."""

    records: tuple[ActionRecord, ...]
    """Without what only the detail shows."""
    more: bool
    """Whether older ones that pass may follow."""
    running: frozenset[str]
    """Ids of those that somebody works on."""


def matching(history: History, find: Find, before: int | None, stop: threading.Event) -> Iterator[ActionRecord]:
    """The acts that pass, newest first, below number ``before``; ends early when ``stop`` is set."""
    for record in history.walk(find.filter, before=before, page=PAGE):
        if stop.is_set() or record.started < find.since:
            return
        if find(record):
            yield record


def read_part(
    history: History, find: Find, under_way: UnderWay, before: int | None, stop: threading.Event, limit: int = PAGE
) -> Part:
    """The newest acts that pass, at most ``limit``, older than number ``before``.

    Raises:
        StoreError: the history cannot be read.
    """
    found = itertools.islice(matching(history, find, before, stop), limit)
    return _part(found, under_way, limit)


def read_again(history: History, ids: Iterable[str], under_way: UnderWay) -> Part:
    """The same acts as they stand now: those without an outcome may have got one.

    Raises:
        StoreError: the history cannot be read.
    """
    return _part((history.get(action) for action in ids), under_way, 0)


def _part(records: Iterable[ActionRecord], under_way: UnderWay, limit: int) -> Part:
    kept, running = [], set()
    for record in records:
        kept.append(slim(record))
        if record.outcome is None and under_way(record):
            running.add(record.id)
    return Part(tuple(kept), len(kept) == limit, frozenset(running))
