"""Looking for entries by a few typed letters, best first. Pure."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PARTS = " .-_/@:"
_FUZZY = 5
"""Rank of entries that have the letters in order and no more; shown where there is nothing better."""


@dataclass(frozen=True)
class Entry:
    """One thing that can be picked."""

    label: str
    kind: str = ""
    """One word: view, server, container, act; or the group it stands in."""
    help: str = ""
    key: str = ""
    """The key that does the same, as it is shown."""
    run: Callable[[], None] | None = None
    """None: it is there to be read."""
    aliases: tuple[str, ...] = ()
    """Short names that mean this entry and no other."""
    low: str = field(init=False, repr=False, compare=False)
    """The label in lower case: looked at for each letter typed, so made once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", self.label.lower())


def find(query: str, entries: Iterable[Entry], limit: int) -> list[Entry]:
    """The best entries for the query, at most ``limit``; all in their order for an empty one."""
    words = query.lower().split()
    if not words:
        return [entry for entry, _ in zip(entries, range(limit), strict=False)]
    whole = " ".join(words)
    ranked = (
        (rank, len(entry.label), n, entry)
        for n, entry in enumerate(entries)
        if (rank := rank_of(whole, words, entry)) is not None
    )
    best = heapq.nsmallest(limit, ranked, key=lambda found: found[:3])
    fuzzy_alone = not best or best[0][0] == _FUZZY
    return [entry for rank, _, _, entry in best if fuzzy_alone or rank < _FUZZY]


def rank_of(whole: str, words: list[str], entry: Entry) -> int | None:
    """How well an entry fits, 0 best; None when it does not. All words have to be found; the last resort is fuzzy."""
    low = entry.low
    if whole in entry.aliases:
        return 0
    if low.startswith(whole):
        return 1
    if all(word in low for word in words):
        return 2 if all(_begins_part(word, low) for word in words) else 3
    rest = f"{low} {entry.kind} {entry.help} {entry.key}".lower()
    if all(word in rest for word in words):
        return 4
    return _FUZZY if _in_order("".join(words), low) else None


def _begins_part(word: str, text: str) -> bool:
    at = text.find(word)
    while at > 0 and text[at - 1] not in _PARTS:
        at = text.find(word, at + 1)
    return at >= 0


def _in_order(letters: str, text: str) -> bool:
    at = 0
    for letter in letters:
        at = text.find(letter, at) + 1
        if not at:
            return False
    return len(letters) > 1
