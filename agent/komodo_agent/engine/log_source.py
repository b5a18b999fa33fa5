"""What reading logs needs of the engine, and what it wants to know of a container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager

    import aiohttp

    from ..wire.models import Container
    from ..wire.models import Engine as EngineState


class LogEngine(Protocol):
    """The part of :class:`~.client.Engine` that is used here."""

    @property
    def status(self) -> EngineState:
        """Which engine it is, and whether it is up."""

    def container(self, reference: str) -> Container | None:
        """A known container."""

    async def inspect(self, container_id: str) -> dict[str, Any]:
        """The engine's inspect document."""

    def stream(
        self, method: str, path: str, *, params: Mapping[str, str | int] | None = None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """An answer to read piece by piece."""


class LogFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A container's log, as inspect shows it."""

    id: str
    tty: bool
    driver: str
    path: str
    """Of the json-file driver's newest file, on the engine's machine; may be empty."""
    started: str
    """When its last run began, as the engine writes it."""
    running: bool


async def log_facts(engine: LogEngine, reference: str) -> LogFacts:
    """Ask the engine about a container.

    Raises:
        AgentError: ``not_found``, or why the engine did not answer.
    """
    known = engine.container(reference)
    document = await engine.inspect(known.id if known else reference)
    state = _part(document, "State")
    return LogFacts(
        id=str(document.get("Id") or reference),
        tty=bool(_part(document, "Config").get("Tty")),
        driver=str(_part(_part(document, "HostConfig"), "LogConfig").get("Type") or ""),
        path=str(document.get("LogPath") or ""),
        started=str(state.get("StartedAt") or ""),
        running=bool(state.get("Running")),
    )


def _part(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}
