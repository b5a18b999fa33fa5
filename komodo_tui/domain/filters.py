"""What ``/`` takes: filter lines compiled to quick predicates.

The grammar is that of :mod:`komodo_tui.domain.terms`. Containers know the fields ``server: state: label: stack:
service: image: health: name: id:``, actions ``who: act: outcome: target: server:``, other tables plain text alone.
A field's value is contained in the field (``state health id act outcome``: begins it), or is a glob with ``*`` and
``?`` for all of it; ``label:key`` and ``label:key=value``; ``none`` stands for no stack and no health check. A field
without a value asks for nothing: it is still being typed.

All constructors raise :class:`~komodo_tui.domain.errors.UsageError` with a message a person can act on; a view shows
it and keeps the filter it had.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, get_args

from komodo_agent.wire.models import Container, ContainerState, Health
from komodo_tui.domain.terms import Term, split_terms, text_test, value_test

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.operations import ActionRecord

    TextTest = Callable[[str], bool]
    ContainerTest = Callable[[str, Container], bool]

ContainerRow = tuple[str, Container]
"""A server's name and one of its containers."""

CONTAINER_FIELDS = ("server", "state", "label", "stack", "service", "image", "health", "name", "id")
ACTION_FIELDS = ("who", "act", "outcome", "target", "server")

_NONE = "none"
_PASTED_ID = re.compile(r"[0-9a-f]{6,64}")
"""A plain word that is looked for in ids too; a shorter one would meet too many of them by chance."""


class TextFilter:
    """A filter of a table whose rows are known by their text alone."""

    __slots__ = ("_tests", "terms", "text")

    def __init__(self, text: str = "") -> None:
        self.text = text.strip()
        self.terms = split_terms(text)
        self._tests = _text_tests(self.terms)

    def __bool__(self) -> bool:
        """Whether it asks for anything."""
        return self._tests is not None

    def __call__(self, text: str) -> bool:
        """Whether a row passes; join the texts of its columns with line feeds."""
        text = text.lower()
        return _all_hold(self._tests, text)


class ContainerFilter:
    """A filter of containers."""

    __slots__ = ("_fields", "_only", "_tests", "_with_id", "terms", "text")

    def __init__(self, text: str = "") -> None:
        self.text = text.strip()
        self.terms = split_terms(text, CONTAINER_FIELDS)
        self._with_id = any(term.kind == "plain" and _PASTED_ID.fullmatch(term.value) for term in self.terms)
        self._fields = tuple((_container_test(term), not term.negated) for term in self.terms if term.values)
        self._tests = tests = _text_tests(self.terms)
        single = tests is not None and len(tests.wanted) == 1 and not tests.unwanted and not self._with_id
        self._only = tests.wanted[0] if tests is not None and single else None

    def __bool__(self) -> bool:
        """Whether it asks for anything."""
        return bool(self._fields) or self._tests is not None

    def __call__(self, row: ContainerRow) -> bool:
        """Whether this container of this server passes."""
        server, container = row
        for field, wanted in self._fields:
            if field(server, container) is not wanted:
                return False
        if self._tests is None:
            return True
        known = _TEXTS.get(container.id)
        text = known[2] if known and known[0] is container and known[1] == server else _remember(server, container)
        if self._only is not None:
            return bool(self._only(text))
        return _all_hold(self._tests, f"{text}\n{container.id}" if self._with_id else text)


class ActionFilter:
    """A filter of the history."""

    __slots__ = ("_by_server", "_fields", "_tests", "terms", "text")

    def __init__(self, text: str = "") -> None:
        self.text = text.strip()
        self.terms = split_terms(text, ACTION_FIELDS)
        self._fields = tuple(
            (
                ACTION_FIELDS.index(term.field),
                _any(term.values, prefix=term.field in ("act", "outcome")),
                not term.negated,
            )
            for term in self.terms
            if term.values
        )
        self._by_server = any(term.field == "server" for term in self.terms)
        self._tests = _text_tests(self.terms)

    def __bool__(self) -> bool:
        """Whether it asks for anything."""
        return bool(self._fields) or self._tests is not None

    def __call__(self, record: ActionRecord) -> bool:
        """Whether this action passes."""
        targets = "\n".join(str(target) for target in record.targets).lower()
        outcome = record.outcome or "running"
        return self.passes(str(record.actor).lower(), record.act.lower(), outcome, targets, action_text(record))

    def passes(self, who: str, act: str, outcome: str, targets: str, text: str) -> bool:
        """The same by text alone: all in lower case, targets one a line, ``text`` as :func:`action_text` makes it."""
        fields = (who, act, outcome, targets, _servers(targets) if self._by_server else "")
        for index, field, wanted in self._fields:
            if any(map(field, fields[index].split("\n"))) is not wanted:
                return False
        return _all_hold(self._tests, text)


def _servers(targets: str) -> str:
    """The servers of targets, one a line each."""
    return "\n".join(target.rpartition("@")[2] for target in targets.split("\n"))


def parse(text: str) -> ContainerFilter:
    """The filter of a list of containers."""
    return ContainerFilter(text)


def parse_text(text: str) -> TextFilter:
    """The filter of any other table."""
    return TextFilter(text)


def parse_actions(text: str) -> ActionFilter:
    """The filter of the history."""
    return ActionFilter(text)


def container_text(server: str, container: Container) -> str:
    """What plain, fuzzy and regex terms look at: name, server, stack and image, one a line, lower case."""
    stack = container.labels.get("com.docker.compose.project", "")
    return f"{container.name}\n{server}\n{stack}\n{container.image}".lower()


_TEXTS: dict[str, tuple[Container, str, str]] = {}
"""By container id: the container, its server, and their text. Each letter of a filter looks at all of them again."""
_TEXTS_KEPT = 100_000


def _remember(server: str, container: Container) -> str:
    if len(_TEXTS) >= _TEXTS_KEPT:
        _TEXTS.clear()
    text = container_text(server, container)
    _TEXTS[container.id] = (container, server, text)
    return text


def action_text(record: ActionRecord) -> str:
    """What plain, fuzzy and regex terms look at: who, act, targets, outcome, title, summary, id, lower case."""
    targets = (str(target) for target in record.targets)
    outcome = record.outcome or "running"
    return "\n".join(
        (str(record.actor), record.act, *targets, outcome, record.title, record.summary, record.id)
    ).lower()


class _TextTests(NamedTuple):
    wanted: tuple[Callable[[str], object], ...]
    unwanted: tuple[Callable[[str], object], ...]


def _text_tests(terms: tuple[Term, ...]) -> _TextTests | None:
    """The tests of all terms that look at the row's text, or None where there is none."""
    terms = tuple(term for term in terms if term.kind != "field")
    if not terms:
        return None
    return _TextTests(
        wanted=tuple(text_test(term) for term in terms if not term.negated),
        unwanted=tuple(text_test(term) for term in terms if term.negated),
    )


def _all_hold(tests: _TextTests | None, text: str) -> bool:
    if tests is None:
        return True
    for test in tests.wanted:
        if not test(text):
            return False
    return not any(test(text) for test in tests.unwanted) if tests.unwanted else True


def _any(values: tuple[str, ...], *, prefix: bool = False) -> TextTest:
    """A test of a lower-case text for any of the values."""
    tests = tuple(value_test(value, prefix=prefix) for value in values)
    if len(tests) == 1:
        return tests[0]
    return lambda text: any(test(text) for test in tests)


def _optional(values: tuple[str, ...], *, prefix: bool = False) -> TextTest:
    """Like :func:`_any` of a field that may be empty, which ``none`` stands for."""
    test = _any(values, prefix=prefix)
    empty = _NONE in values
    return lambda text: test(text) if text else empty


def _container_test(term: Term) -> ContainerTest:
    values = term.values
    if term.field == "label":
        return _label_test(values)
    if term.field == "server":
        server_test = _any(values)
        known: dict[str, bool] = {}  # few servers, many rows
        return lambda server, _: (
            known[server] if server in known else known.setdefault(server, server_test(server.lower()))
        )
    if term.field == "state":
        state_test = _any(values, prefix=True)
        states = frozenset(state for state in get_args(ContainerState) if state_test(state))
        return lambda _, container: container.state in states
    if term.field == "health":
        health_test = _optional(values, prefix=True)
        healths = frozenset(health for health in get_args(Health) if health_test(health))
        return lambda _, container: container.health in healths
    if term.field == "service":
        service_test = _optional(values)
        return lambda _, container: service_test(container.service.lower())
    if term.field == "stack":
        stack_test = _optional(values)
        return lambda _, container: stack_test(container.stack.lower())
    if term.field == "image":
        image_test = _any(values)
        return lambda _, container: image_test(container.image.lower())
    if term.field == "id":
        id_test = _any(values, prefix=True)
        return lambda _, container: id_test(container.id)
    name_test = _any(values)
    return lambda _, container: name_test(container.name.lower())


def _label_test(values: tuple[str, ...]) -> ContainerTest:
    """``key`` is contained in a label's key; ``key=value``: the key is the same, the value too (or a glob of it)."""
    keys = [value_test(value) for value in values if "=" not in value]
    pairs = [_label_pair(value) for value in values if "=" in value]

    def value_tests(key: str) -> tuple[TextTest, ...]:
        name = key.lower()
        if any(match(name) for match in keys):
            return (lambda _: True,)
        return tuple(match for wanted, match in pairs if name == wanted)

    known: dict[str, tuple[TextTest, ...]] = {}  # few keys, many rows

    def test(_: str, container: Container) -> bool:
        for key, value in container.labels.items():
            tests = known.get(key)
            if tests is None:
                tests = known[key] = value_tests(key)
            if tests and any(match(value.lower()) for match in tests):
                return True
        return False

    return test


def _label_pair(text: str) -> tuple[str, TextTest]:
    key, _, value = text.partition("=")
    return key, value_test(value) if "*" in value or "?" in value else value.__eq__
