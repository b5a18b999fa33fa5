"""The filter language of every list: what people type after ``/``.

Words are joined by *and*. A word is

``web``            a piece of any column, upper and lower case alike
``~wb1``           fuzzy: these letters in this order
``/^api-\\d/``     a regular expression; the closing slash may be missing while one types
``state:run``      a column by name and the start (or a piece) of its value; ``label:tier`` or ``label:tier=front``
``!…``             the opposite of any of these

A regular expression may hold spaces up to its closing slash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from komodo_agent.wire.models import Container
    from komodo_tui.domain.operations import ActionRecord

T = TypeVar("T")
_TOKEN = re.compile(r"!?(?:[A-Za-z]+:)?(?:/(?:\\.|[^/\\])*/?|\S+)")


@dataclass(frozen=True)
class Filter(Generic[T]):
    """A compiled filter: call it with a row."""

    text: str
    tests: tuple[Callable[[T], bool], ...]

    def __call__(self, row: T) -> bool:
        return all(test(row) for test in self.tests)

    def __bool__(self) -> bool:
        return bool(self.tests)


@dataclass(frozen=True)
class Fields(Generic[T]):
    """What a list offers to its filter."""

    any: Callable[[T], str]
    """All that a plain word is looked for in, lower case, parts apart by a newline."""
    terms: Mapping[str, Callable[[T], str]]
    """Values by term name, lower case; matched by their start, or by a piece where ``pieces`` says so."""
    pieces: frozenset[str] = frozenset()
    pairs: Mapping[str, Callable[[T], Mapping[str, str]]] | None = None
    """Terms over key-value maps, such as ``label``."""


def compile_filter(text: str, fields: Fields[T]) -> Filter[T]:
    """Read a filter. Raises UsageError naming the word that cannot be read."""
    tests = tuple(_word(word, fields) for word in _TOKEN.findall(text))
    return Filter(text.strip(), tests)


def _word(word: str, fields: Fields[T]) -> Callable[[T], bool]:
    inverse = word.startswith("!") and len(word) > 1
    test = _positive(word[1:] if inverse else word, fields)
    return (lambda row: not test(row)) if inverse else test


def _positive(word: str, fields: Fields[T]) -> Callable[[T], bool]:
    name, colon, value = word.partition(":")
    if colon and name.lower() in (fields.pairs or {}):
        return _pair((fields.pairs or {})[name.lower()], value)
    if colon and name.lower() in fields.terms:
        return _term(fields.terms[name.lower()], value, pieces=name.lower() in fields.pieces)
    return _text(fields.any, word)


def _text(get: Callable[[T], str], word: str) -> Callable[[T], bool]:
    if word.startswith("/") and len(word) > 1:
        search = _regex(word).search
        return lambda row: search(get(row)) is not None
    if word.startswith("~") and len(word) > 1:
        search = re.compile("[^\n]*?".join(re.escape(letter) for letter in word[1:].lower())).search
        return lambda row: search(get(row)) is not None
    wanted = word.lower()
    return lambda row: wanted in get(row)


def _term(get: Callable[[T], str], value: str, *, pieces: bool) -> Callable[[T], bool]:
    if value.startswith(("/", "~")):
        return _text(get, value)
    wanted = value.lower()
    if pieces:
        return lambda row: wanted in get(row)
    return lambda row: get(row).startswith(wanted)


def _pair(get: Callable[[T], Mapping[str, str]], value: str) -> Callable[[T], bool]:
    key, equals, wanted = value.partition("=")
    if equals:
        return lambda row: get(row).get(key, "\0").lower().startswith(wanted.lower())
    return lambda row: any(key in name for name in get(row))


def _regex(word: str) -> re.Pattern[str]:
    pattern = word[1:-1] if len(word) > 1 and word.endswith("/") and not word.endswith("\\/") else word[1:]
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise UsageError(f"the regular expression {pattern!r} cannot be read: {error}") from error


ContainerRow = tuple[str, "Container"]
"""A server's name and one of its containers."""

ContainerFilter = Filter[ContainerRow]


def _container_text(row: ContainerRow) -> str:
    server, c = row
    return f"{c.name}\n{c.image}\n{server}\n{c.state}\n{c.stack}\n{c.id[:12]}".lower()


CONTAINER_FIELDS: Fields[ContainerRow] = Fields(
    any=_container_text,
    terms={
        "server": lambda row: row[0].lower(),
        "host": lambda row: row[0].lower(),
        "state": lambda row: row[1].state,
        "health": lambda row: row[1].health or "none",
        "stack": lambda row: row[1].stack.lower(),
        "service": lambda row: row[1].service.lower(),
        "image": lambda row: row[1].image.lower(),
        "name": lambda row: row[1].name.lower(),
        "id": lambda row: row[1].id,
    },
    pieces=frozenset({"image", "name"}),
    pairs={"label": lambda row: row[1].labels},
)


def parse(text: str) -> ContainerFilter:
    """The filter of the container list."""
    return compile_filter(text, CONTAINER_FIELDS)


def _action_text(record: ActionRecord) -> str:
    targets = "\n".join(str(target) for target in record.targets)
    return f"{record.act}\n{record.actor}\n{record.title}\n{record.summary}\n{record.outcome}\n{targets}".lower()


ACTION_FIELDS: Fields[ActionRecord] = Fields(
    any=_action_text,
    terms={
        "who": lambda record: str(record.actor).lower(),
        "act": lambda record: record.act.lower(),
        "outcome": lambda record: record.outcome or "running",
        "via": lambda record: record.actor.via,
        "target": lambda record: " ".join(str(target) for target in record.targets).lower(),
        "server": lambda record: " ".join(target.server for target in record.targets).lower(),
    },
    pieces=frozenset({"who", "act", "target", "server"}),
)


def parse_actions(text: str) -> Filter[ActionRecord]:
    """The filter of the history."""
    return compile_filter(text, ACTION_FIELDS)


def parse_text(text: str) -> Filter[str]:
    """The filter of a list whose rows are plain text."""
    return compile_filter(text, Fields(any=str.lower, terms={}))
