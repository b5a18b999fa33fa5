"""The way to the agent of this machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import AgentMissingError, HostUnreachableError, RefusedError
from komodo_tui.fleet.local import EmbeddedAgentError
from komodo_tui.fleet.probe import probe_local
from komodo_tui.fleet.tasks import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.errors import HostKeyUnknownError, UnreachableError
    from komodo_tui.fleet.connector import AgentConnector
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.fleet.local import EmbeddedAgent
    from komodo_tui.fleet.probe import ServerProbe
    from komodo_tui.fleet.sessions import ByteSession
    from komodo_tui.fleet.tunnel import ByteStream

START_TIMEOUT = 15.0
"""Seconds the agent may take to listen."""
_DIAL_TIMEOUT = 10.0


class LocalTunnel:
    """Reaches the embedded agent, starting it where needed. It is never lost: the agent can be started again."""

    def __init__(self, server: str, agent: EmbeddedAgent) -> None:
        self._server = server
        self._agent = agent

    async def open(self) -> LocalTunnel:
        """There is nothing to open: this is its own route."""
        return self

    def forget(self) -> None:
        """There is nothing to forget."""

    async def accept_host_key(self, error: HostKeyUnknownError) -> None:
        """This machine has no host key to accept."""
        raise RefusedError("this machine is reached without SSH", server=self._server)

    async def connector(self) -> AgentConnector:
        """The agent's socket, once it listens."""
        try:
            await self._listening()
        except EmbeddedAgentError as error:
            hint = f"see {self._agent.log}, or try: komodo-agent serve --socket /tmp/try.sock"
            raise AgentMissingError(str(error), hint=hint, server=self._server) from error
        from komodo_tui.fleet.connector import AgentConnector, unix_dial  # late: it takes long to load aiohttp

        return AgentConnector(unix_dial(str(self._agent.socket)))

    async def _listening(self) -> None:
        await asyncio.to_thread(self._agent.begin)
        await load("komodo_tui.fleet.client")  # meanwhile the agent starts
        pause = 0.002
        try:
            async with asyncio.timeout(START_TIMEOUT):
                while not self._agent.answers():
                    self._agent.check()
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, 0.05)
                    if pause == 0.05:
                        self._agent.begin()  # whoever was starting it may have failed
        except TimeoutError as error:
            raise EmbeddedAgentError(f"the agent did not listen within {START_TIMEOUT:.0f} s") from error
        self._agent.ready()

    async def shell(self, cols: int, rows: int) -> ByteSession:
        """The user's own shell in a pseudo-terminal."""
        from komodo_tui.fleet.pty_shell import PtyShell

        return await PtyShell.start(self._server, cols, rows)

    async def dial(self, host: str, port: int) -> ByteStream:
        """A TCP connection. Raises UnreachableError."""
        try:
            async with asyncio.timeout(_DIAL_TIMEOUT):
                return await asyncio.open_connection(host, port)
        except (OSError, TimeoutError) as error:
            raise HostUnreachableError(
                f"no connection to port {port} of {self._server}", server=self._server
            ) from error

    async def probe(self) -> ServerProbe:
        """What this machine has."""
        return await probe_local()

    async def install_agent(self, progress: Callable[[str], None], live: ServerLive) -> None:
        """Nothing is installed here: the agent is part of the program."""
        progress("the agent of this machine is part of komodo-tui")

    async def lost(self) -> UnreachableError:
        """Never."""
        await asyncio.Event().wait()
        raise AssertionError("an event nobody sets was set")

    async def close(self) -> None:
        """There is nothing to close; the agent ends by itself when nobody needs it."""
