"""What leads to a server while it lasts, whatever it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.errors import HostKeyUnknownError, UnreachableError
    from komodo_tui.fleet.connector import AgentConnector
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.fleet.probe import ServerProbe
    from komodo_tui.fleet.sessions import ByteSession


class ByteReader(Protocol):
    """Of asyncio or asyncssh."""

    async def read(self, n: int = -1, /) -> bytes:
        """The next bytes; empty at the end."""
        ...


class ByteWriter(Protocol):
    """Of asyncio or asyncssh."""

    def write(self, data: bytes, /) -> None:
        """Send."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


ByteStream = tuple[ByteReader, ByteWriter]


class Tunnel(Protocol):
    """An open way to a server."""

    async def connector(self) -> AgentConnector:
        """Where its agent is, for one client.

        Raises:
            AgentMissingError: none listens.
        """
        ...

    async def shell(self, cols: int, rows: int) -> ByteSession:
        """A login shell on it."""
        ...

    async def dial(self, host: str, port: int) -> ByteStream:
        """A TCP connection from the server to an address as it sees it.

        Raises:
            UnreachableError: nobody listens there, or the server does not carry it.
        """
        ...

    async def probe(self) -> ServerProbe:
        """What the server has for an agent."""
        ...

    async def install_agent(self, progress: Callable[[str], None], live: ServerLive) -> None:
        """Install or upgrade the agent and have it answer on the server.

        Raises:
            KomodoError: it was refused or failed; what was there before runs again.
        """
        ...

    async def lost(self) -> UnreachableError:
        """Wait until it is lost; why."""
        ...

    async def close(self) -> None:
        """Close it and all that goes through it."""
        ...


class Route(Protocol):
    """How a server is reached."""

    async def open(self) -> Tunnel:
        """Open a tunnel.

        Raises:
            KomodoError: it cannot be reached, and why.
        """
        ...

    def forget(self) -> None:
        """A person asks to try again: forget refusals, declined questions and cached settings."""
        ...

    async def accept_host_key(self, error: HostKeyUnknownError) -> None:
        """Remember a key that a person has compared."""
        ...
