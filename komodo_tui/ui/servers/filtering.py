"""The filter of the fleet's table: plain words, and ``state: tag: name: address:``. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.terms import split_terms, text_test, value_test
from komodo_tui.ui.servers.state import standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.terms import Term
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.render.glyphs import Glyphs

FIELDS = ("state", "tag", "name", "address")
HELP = "words, !not, ~fuzzy, /regex/, state: tag: name: address:"


def parse_servers(text: str, glyphs: Glyphs) -> Callable[[ServerLive], bool]:
    """The test of one filter line. Raises UsageError."""
    terms = [term for term in split_terms(text, FIELDS) if term.kind != "field" or term.values]
    tests = [(_test(term, glyphs), not term.negated) for term in terms]
    return lambda live: all(test(live) is wanted for test, wanted in tests)


def _test(term: Term, glyphs: Glyphs) -> Callable[[ServerLive], bool]:
    if term.kind != "field":
        text = text_test(term)
        return lambda live: bool(text(_text(live, glyphs)))
    wanted = [value_test(value) for value in term.values]
    return lambda live: any(test(value.lower()) for test in wanted for value in _values(live, term.field, glyphs))


def _text(live: ServerLive, glyphs: Glyphs) -> str:
    definition = live.definition
    parts = (live.name, definition.address, *definition.tags, definition.description, standing(live, glyphs).word)
    return "\n".join(parts).lower()


def _values(live: ServerLive, field: str, glyphs: Glyphs) -> tuple[str, ...]:
    definition = live.definition
    found: dict[str, tuple[str, ...]] = {
        "state": (standing(live, glyphs).word, live.status, "up" if live.live else "down"),
        "tag": definition.tags,
        "name": (live.name,),
        "address": (definition.address,),
    }
    return found[field]
