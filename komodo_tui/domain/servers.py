"""What a server is to us, before anybody has connected to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOCAL_ADDRESS = "local"
"""The address of the machine the program runs on: no SSH, an embedded agent."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_ADDRESS = re.compile(
    r"(?:[A-Za-z0-9_.][A-Za-z0-9_.\\-]{0,63}@)?(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.%]+\])(?::\d{1,5})?"
)

_SOCKET = re.compile(r"/[\x20-\x7e]{1,106}")
"""What the kernel takes as the path of a Unix socket, in ASCII."""


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a figure is worth attention, in percent."""

    warning: float = 80.0
    critical: float = 95.0
    lasts: str = msgspec.field(default="", name="for")
    """``for``: how long it has to be like this before it is an alert, ``2m``; empty = what is usual for the figure."""

    @property
    def seconds(self) -> float | None:
        """``for``; None = what is usual."""
        return parse_duration(self.lasts) if self.lasts else None


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The alert thresholds of a server."""

    cpu: Threshold = Threshold(85.0, 97.0)
    memory: Threshold = Threshold(85.0, 95.0)
    disk: Threshold = Threshold(80.0, 92.0)
    swap: Threshold = Threshold(80.0, 95.0)
    load: Threshold = Threshold(200.0, 400.0)
    """Of one minute, in percent of what all cores together can do."""
    pressure: Threshold = Threshold(30.0, 60.0)
    """Percent of the time in which some process waited for memory or for the disk, over 10 s (PSI)."""


class ServerDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server as the user defined it."""

    name: str
    address: str
    """``local``, or what ``ssh`` takes: ``[user@]host[:port]`` or an alias of ``~/.ssh/config``."""
    tags: tuple[str, ...] = ()
    description: str = ""
    alerts: Thresholds = Thresholds()
    agent_socket: str = ""
    """Path of the agent's socket on the server; empty = the usual places, asked of the server once."""

    @property
    def is_local(self) -> bool:
        """Whether it is this machine."""
        return self.address == LOCAL_ADDRESS


def check_server(definition: ServerDefinition) -> ServerDefinition:
    """Return it, or raise :class:`UsageError` saying which field is wrong and what it takes."""
    if not _NAME.fullmatch(definition.name):
        raise UsageError(
            f"server name {definition.name!r} cannot be used",
            hint="letters, digits, dot, dash and underscore, at most 63, the first a letter or digit",
        )
    if not _ADDRESS.fullmatch(definition.address):
        raise UsageError(
            f"address {definition.address!r} of server {definition.name} cannot be used",
            hint="give 'local', [user@]host[:port], or an alias of ~/.ssh/config",
        )
    port = split_address(definition.address)[2]
    if port is not None and not 0 < port < 65536:
        raise UsageError(
            f"port {port} of server {definition.name} cannot be used", hint="ports go from 1 to 65535; ssh's own is 22"
        )
    if definition.agent_socket and not _SOCKET.fullmatch(definition.agent_socket):
        raise UsageError(
            f"agent socket {definition.agent_socket!r} of server {definition.name} cannot be used",
            hint="give an absolute path of at most 107 bytes",
        )
    for figure in Thresholds.__struct_fields__:
        _check_threshold(definition.name, figure, getattr(definition.alerts, figure))
    for tag in definition.tags:
        if not _NAME.fullmatch(tag):
            raise UsageError(f"tag {tag!r} of server {definition.name} cannot be used", hint="write it like a name")
    return definition


def _check_threshold(server: str, figure: str, threshold: Threshold) -> None:
    if not 0 < threshold.warning <= threshold.critical:
        raise UsageError(
            f"alerts.{figure} of server {server}: {threshold.warning:g} and {threshold.critical:g} cannot be used",
            hint="above 0, and warning not above critical",
        )
    if threshold.lasts and not threshold.seconds:
        raise UsageError(f"alerts.{figure} of server {server}: for {threshold.lasts!r} is no time", hint="like 30s, 2m")


def split_address(address: str) -> tuple[str | None, str, int | None]:
    """``user@host:port`` -> (user, host, port); a part that is not there is None."""
    user, at, rest = address.rpartition("@")
    host, port = rest, None
    if rest.startswith("["):
        host, _, tail = rest[1:].partition("]")
        port = int(tail[1:]) if tail.startswith(":") else None
    elif rest.count(":") == 1:
        host, _, digits = rest.partition(":")
        port = int(digits)
    return (user if at else None), host, port


def named_servers(what: str, words: Iterable[str], known: Mapping[str, ServerDefinition]) -> tuple[str, ...]:
    """The servers that names and ``tag:TAG`` stand for, in their order; none where a tag is on none.

    Raises:
        UsageError: a name is no server's; ``what`` begins its words.
    """
    found: dict[str, None] = {}
    for word in words:
        kind, colon, tag = word.partition(":")
        if colon and kind == "tag":
            found |= dict.fromkeys(name for name, server in known.items() if tag in server.tags)
        elif word in known:
            found[word] = None
        else:
            raise UsageError(f"{what}: there is no server {word!r}", hint=f"known: {', '.join(known)}")
    return tuple(found)
