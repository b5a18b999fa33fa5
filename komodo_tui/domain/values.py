"""Variables and secrets that ``[[NAME]]`` stands for: names, scopes, and what can be done with them. Pure."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from komodo_tui.domain.errors import UsageError

ValueKind = Literal["variable", "secret", "registry"]
"""``registry``: the login of one, by its host."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SCOPED = re.compile(r"(?P<kind>server|stack)\.(?P<owner>.+)\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,110}[A-Za-z0-9])?(?::\d{1,5})?")
_REGISTRY = "registry."
DOCKER_HUB = "docker.io"
SHORTEST_MASKED = 4
"""Characters from which on a secret is masked in outputs: a shorter one would take half of every text with it."""
LONGEST = 64 << 10
"""Characters a value may have."""


class VariableDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A variable, as the definitions keep it under its full name."""

    name: str
    """The full one."""
    value: str


class ValueOperation(msgspec.Struct, frozen=True, kw_only=True, tag="value", tag_field="operation"):
    """Set or remove one. It never holds a value: plans and the history keep operations."""

    verb: Literal["set", "remove"]
    kind: ValueKind
    name: str
    scope: str = ""
    """Empty = global, ``server:NAME`` or ``stack:NAME``."""
    token: str = ""
    """For set: which of the values handed in before it is. Of use once, and to this process only."""

    @property
    def full_name(self) -> str:
        """The name it is kept under."""
        return registry_name(self.name) if self.kind == "registry" else full_name(self.scope, self.name)


def check_name(name: str) -> None:
    """Raise UsageError unless it can stand in ``[[NAME]]``."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be a name", hint="up to 64 letters, digits, underscores; no digit first")


def check_scope(scope: str) -> None:
    """Raise UsageError unless it is empty, ``server:NAME`` or ``stack:NAME``."""
    kind, colon, owner = scope.partition(":")
    if scope and not (kind in ("server", "stack") and colon and _OWNER.fullmatch(owner)):
        raise UsageError(f"{scope!r} is no scope", hint="global, server:NAME or stack:NAME")


def parse_scope(text: str) -> str:
    """A scope as people type it: ``global`` or nothing is the global one. Raises UsageError."""
    scope = "" if text.strip() in ("", "global") else text.strip()
    check_scope(scope)
    return scope


def full_name(scope: str, name: str) -> str:
    """``server.web-1.TOKEN``, ``stack.shop.TOKEN``, ``TOKEN``."""
    kind, _, owner = scope.partition(":")
    return f"{kind}.{owner}.{name}" if scope else name


def split_name(full: str) -> tuple[str, str]:
    """Scope and name of a full name."""
    match = _SCOPED.fullmatch(full)
    return (f"{match['kind']}:{match['owner']}", match["name"]) if match else ("", full)


def registry_name(host: str) -> str:
    """The full name of a registry's login. ``_`` is in no host, and stands for the colon before a port."""
    return _REGISTRY + host.replace(":", "_")


def registry_host(full: str) -> str:
    """The host of such a full name; empty for every other one."""
    return full.removeprefix(_REGISTRY).replace("_", ":") if full.startswith(_REGISTRY) else ""


def check_host(host: str) -> None:
    """Raise UsageError unless it can be a registry's host."""
    if not _HOST.fullmatch(host):
        raise UsageError(f"{host!r} is no registry", hint="like ghcr.io, docker.io or registry.example:5000")


def check_username(name: str) -> None:
    """Raise UsageError unless it can be a user's name at a registry (RFC 7617: no colon, no control characters)."""
    if not name.strip() or ":" in name or not name.isprintable():
        raise UsageError(f"{name[:80]!r} is no user of a registry", hint="a name without a colon")


def registry_of(image: str) -> str:
    """The host an image is pulled from."""
    first, slash, _ = image.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return first if named and first not in ("index.docker.io", "registry-1.docker.io") else DOCKER_HUB


def scope_words(scope: str) -> str:
    """``everywhere``, ``server web-1``, ``stack shop``."""
    return scope.replace(":", " ") if scope else "everywhere"
