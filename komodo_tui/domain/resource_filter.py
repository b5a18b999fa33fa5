"""Filter lines of the resources' table.

The grammar is that of :mod:`komodo_tui.domain.terms`. Fields: ``kind server name tag id driver`` (contained, or a glob
with ``*`` and ``?``; ``kind`` and ``id``: begins it), ``used:yes``, ``used:no`` or ``used:NAME`` of a container,
``dangling:yes`` and ``dangling:no``, ``label:key`` and ``label:key=value``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.terms import Term, split_terms, text_test, value_test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from komodo_agent.wire.resources import Resource

    ResourceTest = Callable[[str, Resource], bool]

FIELDS = ("kind", "server", "name", "tag", "id", "used", "dangling", "label", "driver")
_YES, _NO = frozenset({"yes", "y", "true"}), frozenset({"no", "n", "false", "none"})


def parse_resources(text: str) -> ResourceTest:
    """A test of a server's name and one of its resources.

    Raises:
        UsageError: a regular expression that cannot be compiled, or a line that is too long.
    """
    terms = split_terms(text, FIELDS)
    fields = tuple((_field_test(term), not term.negated) for term in terms if term.values)
    texts = tuple((text_test(term), not term.negated) for term in terms if term.kind != "field")

    def test(server: str, resource: Resource) -> bool:
        for field, wanted in fields:
            if field(server, resource) is not wanted:
                return False
        if not texts:
            return True
        shown = _remembered(server, resource)
        return all(bool(matches(shown)) is wanted for matches, wanted in texts)

    return test


_TEXTS: dict[tuple[str, str, str], tuple[Resource, str]] = {}
"""By server, kind and id: the resource and its text. Each letter of a filter looks at all of them again."""
_TEXTS_KEPT = 100_000


def _remembered(server: str, resource: Resource) -> str:
    key = (server, resource.kind, resource.id)
    known = _TEXTS.get(key)
    if known is not None and known[0] is resource:
        return known[1]
    if len(_TEXTS) >= _TEXTS_KEPT:
        _TEXTS.clear()
    text = resource_text(server, resource)
    _TEXTS[key] = (resource, text)
    return text


def resource_text(server: str, resource: Resource) -> str:
    """What plain, fuzzy and regex terms look at, one a line, lower case."""
    state = "dangling" if resource.dangling else "used" if resource.used_by else "unused"
    short = resource.id.removeprefix("sha256:")[:12]
    names = (resource.name, *resource.tags[1:], short, server, resource.kind, state, *resource.used_by)
    return "\n".join(names).lower()


def label_test(values: Iterable[str]) -> Callable[[Resource], bool]:
    """Whether a label of it is one of these: ``key`` (contained in the key) or ``key=value`` (both the same)."""
    keys = [value_test(value.lower()) for value in values if "=" not in value]
    pairs = {value.lower() for value in values if "=" in value}

    def test(resource: Resource) -> bool:
        return any(
            any(match(key.lower()) for match in keys) or f"{key}={value}".lower() in pairs
            for key, value in resource.labels.items()
        )

    return test


def _field_test(term: Term) -> ResourceTest:
    values = term.values
    if term.field == "used":
        return _used_test(values)
    if term.field == "dangling":
        return lambda _, resource: ("yes" if resource.dangling else "no") in _truths(values)
    if term.field == "label":
        labels = label_test(values)
        return lambda _, resource: labels(resource)
    tests = [value_test(value, prefix=term.field in ("kind", "id")) for value in values]
    read = _READERS[term.field]
    known: dict[tuple[str, ...], bool] = {}  # few kinds, servers and drivers, many rows
    few = term.field in ("kind", "server", "driver")

    def test(server: str, resource: Resource) -> bool:
        texts = read(server, resource)
        verdict = known.get(texts)
        if verdict is None:
            verdict = any(test(text.lower()) for text in texts for test in tests)
            if few:
                known[texts] = verdict
        return verdict

    return test


def _truths(values: Iterable[str]) -> set[str]:
    return {"yes" if value in _YES else "no" for value in values if value in _YES | _NO}


def _used_test(values: tuple[str, ...]) -> ResourceTest:
    truths = _truths(values)
    names = [value_test(value) for value in values if value not in _YES | _NO]

    def test(_: str, resource: Resource) -> bool:
        if ("yes" if resource.used_by else "no") in truths:
            return True
        return any(match(name.lower()) for name in resource.used_by for match in names)

    return test


_READERS: dict[str, Callable[[str, Resource], tuple[str, ...]]] = {
    "kind": lambda _, resource: (resource.kind,),
    "server": lambda server, _: (server,),
    "name": lambda _, resource: (resource.name, *resource.tags[1:]),
    "tag": lambda _, resource: resource.tags,
    "id": lambda _, resource: (resource.id.removeprefix("sha256:"), resource.id),
    "driver": lambda _, resource: (resource.driver,),
}
