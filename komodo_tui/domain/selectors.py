"""How headless verbs and procedures pick containers: by name, wildcard, regular expression, label or stack."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from komodo_agent.wire.models import Container

Row = tuple[str, "Container"]
_SHORTEST_ID = 4


def select(words: Sequence[str], rows: Iterable[Row]) -> list[Row]:
    """The containers that the words pick, each once, in the order of the rows.

    A word is ``[SERVER/]WHAT`` with WHAT one of: a name, an id (four digits or more of its start), a wildcard
    (``api-*``), ``re:PATTERN``, ``label:KEY[=VALUE]``, ``stack:NAME``, ``image:NAME`` (a wildcard, or its beginning).

    Raises:
        NotFoundError: a word picks nothing; the message names it and, if there is one, the nearest name.
        UsageError: a name that several servers have, without a server before it; or a bad pattern.
    """
    known = list(rows)
    picked: set[tuple[str, str]] = set()
    for word in words:
        picked |= {(server, container.id) for server, container in _pick(word, known)}
    return [row for row in known if (row[0], row[1].id) in picked]


def _pick(word: str, rows: Sequence[Row]) -> list[Row]:
    server, slash, what = word.partition("/")
    if not slash or server.startswith(("re:", "label:", "image:")):
        server, what = "", word
    test, many = _test(what)
    found = [row for row in rows if (not server or row[0] == server) and test(row[1])]
    if not found:
        raise NotFoundError(f"no container matches {word!r}", hint=_nearest(what, rows))
    if not many and len(found) > 1:
        exact = [row for row in found if row[1].name == what]
        if len(exact) == 1:
            return exact
        names = ", ".join(f"{row[0]}/{row[1].name}" for row in found[:8])
        raise UsageError(f"{word!r} could be {len(found)} containers: {names}", hint="write SERVER/NAME, or --server")
    return found


def _test(what: str) -> tuple[Callable[[Container], bool], bool]:
    """The test of a word, and whether it may pick many."""
    kind, _, value = what.partition(":")
    if kind == "stack" and value:
        return (lambda c: c.stack == value), True
    if kind == "image" and value:
        like = _matcher_of(value)
        return (lambda c: like(c.image)), True
    if kind == "label" and value:
        key, equals, wanted = value.partition("=")
        return (lambda c: key in c.labels and (not equals or c.labels[key] == wanted)), True
    if kind == "re" and value:
        return _matcher(value), True
    if any(letter in what for letter in "*?["):
        return _matcher(translate(what)), True
    return (lambda c: c.name == what or (len(what) >= _SHORTEST_ID and c.id.startswith(what))), False


def _matcher_of(value: str) -> Callable[[str], bool]:
    if any(letter in value for letter in "*?["):
        like = re.compile(translate(value)).match
        return lambda text: like(text) is not None
    return lambda text: text == value or text.startswith((f"{value}:", f"{value}@"))


def _matcher(pattern: str) -> Callable[[Container], bool]:
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise UsageError(f"the pattern {pattern!r} cannot be read: {error}") from error
    return lambda c: search(c.name) is not None


def _nearest(what: str, rows: Sequence[Row]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(what, sorted({row[1].name for row in rows}), n=1)
    return f"did you mean {near[0]}?" if near else "komodo-tui ps --all lists them"
