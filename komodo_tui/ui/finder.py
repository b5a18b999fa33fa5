"""Looking for entries by a few typed letters, best first. Pure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PARTS = " .-_/@:"


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
    text: str = field(init=False, repr=False, compare=False)
    """All of it in lower case."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", self.label.lower())
        object.__setattr__(self, "text", f"{self.low} {self.kind} {self.help} {self.key}".lower())


def find(query: str, entries: Iterable[Entry], limit: int) -> list[Entry]:
    """The best entries for the query, at most ``limit``; all in their order for an empty one.

    Looked for are all words in the label, then in what stands beside it, and only if there is nothing of the kind the
    letters in their order. Each pass looks at all entries and does little for most.
    """
    words = query.lower().split()
    if not words:
        return list(itertools.islice(entries, limit))
    whole, entries = " ".join(words), list(entries)
    named = [entry for entry in entries if all(word in entry.low for word in words) or whole in entry.aliases]
    named.sort(key=lambda entry: (_rank(whole, words, entry), len(entry.label)))
    if len(named) < limit:
        known = set(map(id, named))
        named += [e for e in entries if all(word in e.text for word in words) and id(e) not in known]
    if not named:
        letters = "".join(words)
        named = sorted((entry for entry in entries if _in_order(letters, entry.low)), key=lambda e: len(e.label))
    return named[:limit]


def _rank(whole: str, words: list[str], entry: Entry) -> int:
    """How well an entry fits that has all words in its label, 0 best."""
    if whole in entry.aliases:
        return 0
    if entry.low.startswith(whole):
        return 1
    return 2 if all(_begins_part(word, entry.low) for word in words) else 3


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
