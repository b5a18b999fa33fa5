"""Steps on containers."""

from __future__ import annotations

import msgspec

from komodo_tui.domain.procedures.steps.base import OnContainers, Words


class StartContainers(OnContainers, frozen=True, kw_only=True):
    """Start stopped containers."""

    healthy_within: str = ""
    """Each has to run, and be healthy where it has a health check, within this time, or it counts as failed. With
    ``batch`` the next ones are only begun then."""


class StopContainers(OnContainers, frozen=True, kw_only=True):
    """Stop containers."""

    grace: str = ""
    """Before the engine kills one; empty = the container's own."""


class RestartContainers(OnContainers, frozen=True, kw_only=True):
    """Restart containers."""

    grace: str = ""
    """Before the engine kills one; empty = the container's own."""
    healthy_within: str = ""
    """Each has to run, and be healthy where it has a health check, within this time, or it counts as failed. With
    ``batch`` the next ones are only begun then."""


class PauseContainers(OnContainers, frozen=True, kw_only=True):
    """Freeze containers."""


class UnpauseContainers(OnContainers, frozen=True, kw_only=True):
    """Let frozen containers go on."""


class KillContainers(OnContainers, frozen=True, kw_only=True):
    """Send containers a signal."""

    signal: str = "KILL"


class RemoveContainers(OnContainers, frozen=True, kw_only=True):
    """Remove containers."""

    force: bool = False
    """Also those that run."""
    volumes: bool = False
    """Their anonymous volumes as well."""


class ClearLogs(OnContainers, frozen=True, kw_only=True):
    """Empty the logs of containers (json-file driver), rotated files included."""

    larger_than: str = ""
    """Leave smaller ones alone: ``100M``."""


class Exec(OnContainers, frozen=True, kw_only=True):
    """Run a command in containers; ``container`` is short for ``match`` with one name."""

    command: Words
    """A list, or one text split as a shell would; nothing in it is expanded."""
    container: str = ""
    """One container's name, instead of match."""
    user: str = ""
    """In the container; empty = as it is made."""
    directory: str = ""
    """In the container; empty = as it is made."""
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    """Values may have ``[[NAME]]`` of variables and secrets."""
