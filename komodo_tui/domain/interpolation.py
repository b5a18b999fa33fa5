"""``[[NAME]]`` in values: variables and secrets, looked up for one stack on one server. Pure.

Names are looked up on the server, then on the stack, then among the global ones; the first that is there counts. What
is looked up is put in as it is: a ``[[NAME]]`` inside a value is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from komodo_agent.wire.compose_values import NAME
from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(rf"\[\[\s*(?P<name>{NAME})\s*\]\]")
BUILD = "build."
"""Before the name of a build: its image, as it was built last."""


class Value(NamedTuple):
    """What a name stands for."""

    text: str
    secret: bool = False
    """Never shown; masked in every output."""


Lookup = Callable[[str], Value | None]
"""Finds one name in one scope; None where it is not there."""


class Interpolated(NamedTuple):
    """An environment with its values in place."""

    values: dict[str, str]
    secret_keys: tuple[str, ...]
    """The keys whose values have a secret in them."""


def references(text: str) -> tuple[str, ...]:
    """The names that a text refers to, each once, in order."""
    return tuple(dict.fromkeys(match["name"] for match in _REFERENCE.finditer(text)))


def interpolate(environment: Mapping[str, str], lookup: Lookup, *, where: str) -> Interpolated:
    """Put values in for all names.

    Args:
        lookup: finds a name, through all scopes.
        where: what the environment belongs to, for the error.

    Raises:
        UsageError: names that are nowhere set; all of them are named, with the keys that want them.
    """
    found = {
        name: lookup(name) for name in dict.fromkeys(name for text in environment.values() for name in references(text))
    }
    missing = [name for name, value in found.items() if value is None]
    if missing:
        wanted = ", ".join(
            f"{name} (for {', '.join(key for key, text in environment.items() if name in references(text))})"
            for name in missing
        )
        first = missing[0]
        hint = f"komodo-tui secret set {first}, or: komodo-tui var set {first} VALUE"
        if first.startswith(BUILD):
            hint = f"no build of that name has succeeded yet: komodo-tui build {first.removeprefix(BUILD)}"
        raise UsageError(f"{where}: not set: {wanted}", hint=hint)

    def put(match: re.Match[str]) -> str:
        value = found[match["name"]]
        return value.text if value is not None else match[0]

    values = {key: _REFERENCE.sub(put, text) for key, text in environment.items()}
    secret = tuple(
        key
        for key, text in environment.items()
        if any((value := found[name]) is not None and value.secret for name in references(text))
    )
    return Interpolated(values, secret)


def with_builds(environment: Mapping[str, str], lookup: Lookup) -> dict[str, str]:
    """The environment with its ``[[build.NAME]]`` put in, and nothing else.

    A revision has to remember which image it ran: the last one that was built is another one by the time of a return.
    One that was never built stays as it is, for :func:`interpolate` to name it.
    """

    def put(match: re.Match[str]) -> str:
        value = lookup(match["name"]) if match["name"].startswith(BUILD) else None
        return value.text if value is not None else match[0]

    return {key: _REFERENCE.sub(put, text) for key, text in environment.items()}


def scoped(stack: str, server: str, find: Callable[[str], Value | None]) -> Lookup:
    """A lookup through the scopes: ``server.<server>.<NAME>``, ``stack.<stack>.<NAME>``, ``<NAME>``.

    ``find`` finds one full name in the stores.
    """

    def lookup(name: str) -> Value | None:
        for full in (f"server.{server}.{name}", f"stack.{stack}.{name}", name):
            value = find(full)
            if value is not None:
                return value
        return None

    return lookup
