"""One server of the fleet, as the rest of the program sees it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.feed import FeedRequest
from komodo_tui.domain.errors import AgentTimeoutError, HostKeyUnknownError, KomodoError, UnreachableError
from komodo_tui.fleet.supervisor import Supervisor
from komodo_tui.fleet.tasks import end

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.protocol import Hello
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.fleet.client import AgentClient
    from komodo_tui.fleet.live import FleetState, ServerLive
    from komodo_tui.fleet.probe import ServerProbe
    from komodo_tui.fleet.sessions import ByteSession
    from komodo_tui.fleet.tunnel import Route, Tunnel

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection that is being made."""
ANSWER_TIMEOUT = 30.0
"""Seconds an agent may take to answer here that has answered on its server."""


class ServerLink:
    """Connection, shell and agent of one server. Made and ended by the manager."""

    def __init__(
        self,
        definition: ServerDefinition,
        route: Route,
        state: FleetState,
        spread: Callable[[], float],
        accepted: Callable[[HostKeyUnknownError], None],
    ) -> None:
        """``accepted`` is told of a host key that is remembered now."""
        self.definition = definition
        self._route = route
        self._state = state
        self._accepted = accepted
        self._supervisor = Supervisor(definition.name, route, state, spread=spread)
        self._request = FeedRequest()
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The server's name."""
        return self.definition.name

    @property
    def live(self) -> ServerLive:
        """What is known of it."""
        return self._state.servers[self.name]

    def start(self) -> None:
        """Begin to connect, and stay connected from then on."""
        self._task = asyncio.create_task(self._supervisor.run(), name=f"supervisor of {self.name}")
        self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Disconnect."""
        if self._task is not None:
            await end(self._task)
        await self._supervisor.close()

    async def client(self, timeout: float = CONNECT_TIMEOUT) -> AgentClient:
        """The client of its agent; waits while the connection is being made or made again.

        Raises:
            UnreachableError: there has been none for ``timeout`` seconds, or time alone will not bring one.
        """
        supervisor = self._supervisor
        await self._until(lambda: supervisor.client is not None, timeout, agent=True)
        assert supervisor.client is not None
        return supervisor.client

    async def shell(self, cols: int, rows: int) -> ByteSession:
        """A login shell: over SSH with the server's own login, or in a pseudo-terminal of this machine.

        Needs no agent. Raises UnreachableError.
        """
        return await (await self.tunnel()).shell(cols, rows)

    async def tunnel(self, timeout: float = CONNECT_TIMEOUT) -> Tunnel:
        """The way to the server, agent or not.

        Raises:
            UnreachableError: there has been none for ``timeout`` seconds, or time alone will not bring one.
        """
        supervisor = self._supervisor
        await self._until(lambda: supervisor.tunnel is not None, timeout, agent=False)
        assert supervisor.tunnel is not None
        return supervisor.tunnel

    async def _until(self, reached: Callable[[], bool], timeout: float, *, agent: bool) -> None:
        if not self.live.live:
            # A server that has been away for longer than that is not waited for again and again.
            timeout = max(0.0, min(timeout, self.live.since + timeout - time.time()))
        try:
            async with asyncio.timeout(timeout), self._supervisor.changed:
                await self._supervisor.changed.wait_for(lambda: reached() or self._hopeless())
        except TimeoutError:
            raise self._why(agent) from None
        if not reached():
            raise self._why(agent)

    def _hopeless(self) -> bool:
        error = self.live.error
        return error is not None and not (isinstance(error, UnreachableError) and error.retry)

    def _why(self, agent: bool) -> UnreachableError:
        error = self.live.error
        if isinstance(error, UnreachableError):
            return error
        what = "no answer of the agent yet" if agent else "still connecting"
        return AgentTimeoutError(what, hint=str(error) if error else "try again in a moment", server=self.name)

    def reconnect(self) -> None:
        """Connect anew now: ask again, read the SSH configuration again."""
        self._supervisor.reconnect()
        if self._task is not None and self._task.done():
            self.start()

    def set_feed(
        self, *, processes: bool | None = None, devices: bool | None = None, interval: float | None = None
    ) -> None:
        """Change what the live feed carries; what is None stays. ``interval`` in seconds."""
        changes = {"processes": processes, "devices": devices, "interval": interval}
        self._request = msgspec.structs.replace(self._request, **{k: v for k, v in changes.items() if v is not None})
        self._supervisor.want(self._request)

    async def accept_host_key(self, error: HostKeyUnknownError) -> None:
        """Remember the key the person has compared, and connect, as do all servers that waited for it.

        Raises:
            KomodoError: it cannot be remembered, or this server has no host key.
        """
        await self._route.accept_host_key(error)
        self.reconnect()
        self._accepted(error)

    def awaits(self, error: HostKeyUnknownError) -> bool:
        """Whether this server, or a host on the way to it, showed that same unknown key."""
        mine = self.live.error
        if not isinstance(mine, HostKeyUnknownError):
            return False
        return (mine.host, mine.port, mine.key) == (error.host, error.port, error.key)

    async def probe(self) -> ServerProbe:
        """What the server has for an agent: Python, systemd, Docker, an agent perhaps. Raises KomodoError."""
        return await (await self.tunnel()).probe()

    async def install_agent(self, progress: Callable[[str], None]) -> Hello:
        """Install the agent, or upgrade it, and wait until it answers here.

        ``progress`` is called with one line for each step.

        Raises:
            RefusedError: the one there is newer, or runs jobs.
            KomodoError: it failed; what was there before runs again.
        """
        tunnel, supervisor = await self.tunnel(), self._supervisor
        before = supervisor.client
        await tunnel.install_agent(progress, self.live)
        if not self.definition.is_local:  # this machine's agent stays the one it is
            supervisor.retry_agent()
            await self._until(lambda: supervisor.client not in (None, before), ANSWER_TIMEOUT, agent=True)
        client = await self.client()
        return await client.hello()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """An error of this program must not leave the server looking well for ever."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        what = KomodoError(f"komodo-tui failed: {type(error).__name__}", hint="connect again", server=self.name)
        self._state.set_status(self.name, "unreachable", what)
        context = {"message": f"{task.get_name()} ended", "exception": error, "task": task}
        task.get_loop().call_exception_handler(context)
