"""Keeps one server connected: tunnel, agent, feed. Tells the state what is, retries what time may cure, waits for a
person where it may not."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from komodo_agent.wire.feed import FeedRequest
from komodo_agent.wire.protocol import PROTOCOL, PROTOCOL_MIN, negotiate
from komodo_tui.domain.errors import (
    AgentMismatchError,
    AgentMissingError,
    AuthenticationError,
    HostKeyChangedError,
    HostKeyUnknownError,
    HostUnreachableError,
    KomodoError,
    UnreachableError,
)
from komodo_tui.fleet.backoff import Backoff, HostPauses
from komodo_tui.fleet.faults import HandshakeError
from komodo_tui.fleet.tasks import end, first, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.protocol import Hello
    from komodo_tui.fleet.client import AgentClient
    from komodo_tui.fleet.live import FleetState, ServerStatus
    from komodo_tui.fleet.streams import Feed
    from komodo_tui.fleet.tunnel import Route, Tunnel

PING_INTERVAL = 5.0
PING_TIMEOUT = 12.0
"""Seconds without an answer after which the agent counts as frozen. SSH's keepalive declares a dead host within
15 s, so the host is blamed first when it is the host."""
HELLO_TIMEOUT = 10.0
"""Seconds for the first answer of an agent."""
AGENT_RETRY = 5.0
MISMATCH_RETRY = 30.0
_STATUS: dict[type[KomodoError], ServerStatus] = {
    AuthenticationError: "auth",
    HostKeyUnknownError: "host_key_unknown",
    HostKeyChangedError: "host_key_changed",
    AgentMissingError: "agent_missing",
    AgentMismatchError: "agent_mismatch",
}


class Supervisor:
    """One server's connection, for as long as :meth:`run` runs."""

    def __init__(
        self, name: str, route: Route, state: FleetState, *, spread: Callable[[], float] = lambda: 0.0
    ) -> None:
        """``spread`` gives the longest random pause before the first try after a loss (many lost at once: longer)."""
        self.name = name
        self.tunnel: Tunnel | None = None
        """What is open now."""
        self.client: AgentClient | None = None
        """The client of the agent that answers now."""
        self.changed = asyncio.Condition()
        """Notified whenever ``tunnel``, ``client`` or the server's status changed."""
        self._route = route
        self._state = state
        self._spread = spread
        self._again = asyncio.Event()
        self._agent_again = asyncio.Event()
        self._request = FeedRequest()
        self._feed: Feed | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = False
        self._pauses = HostPauses(spread)

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            self._again.clear()
            try:
                await first(self._connect_and_hold(), self._wait(self._again))
                self._pauses = HostPauses(self._spread)
                continue  # a person asked for a new connection
            except KomodoError as error:
                await self._report(error)
                retry = isinstance(error, UnreachableError) and error.retry
                pause = self._pauses.next(connected=self._held, handshake=isinstance(error, HandshakeError))
            await self._pause(self._again, pause if retry else None)

    def reconnect(self) -> None:
        """Connect anew, now, forgetting what was refused before."""
        self._route.forget()
        self._state.set_status(self.name, "connecting")
        self._again.set()

    def retry_agent(self) -> None:
        """Look for the agent again, now (it has just been installed)."""
        if self.tunnel is not None and not self._state.servers[self.name].live:
            self._state.set_status(self.name, "connecting")  # what was wrong with the one before says nothing now
        self._agent_again.set()

    def want(self, request: FeedRequest) -> None:
        """What the feed shall carry, now and after each reconnect."""
        self._request = request
        if self._feed is not None:
            task = asyncio.ensure_future(self._send(self._feed, request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what :meth:`run`'s end leaves."""
        await end(*self._tasks)

    async def _connect_and_hold(self) -> None:
        """Connect and stay so until the tunnel is lost, then raise why."""
        self._held = False
        tunnel = await self._route.open()
        lost = asyncio.ensure_future(tunnel.lost())
        try:
            self.tunnel, self._held = tunnel, True
            await self._notify()
            await first(self._raise_loss(lost), self._keep_agent(tunnel, lost))
        finally:
            self.tunnel = None
            await end(lost)
            await tunnel.close()

    async def _raise_loss(self, lost: asyncio.Future[UnreachableError]) -> None:
        raise await asyncio.shield(lost)

    async def _keep_agent(self, tunnel: Tunnel, lost: asyncio.Future[UnreachableError]) -> None:
        """Talk to the agent, again and again, while the tunnel stands."""
        retry = Backoff(0.25, AGENT_RETRY, least=0.05)
        while True:
            self._agent_again.clear()
            seen_before = self._state.servers[self.name].seen
            try:
                await self._session(tunnel)
                error: KomodoError = AgentMissingError("the agent stopped", server=self.name)
            except HostUnreachableError as lost_agent:
                error = AgentMissingError("the connection to the agent was lost", server=self.name)
                error.__cause__ = lost_agent
            except KomodoError as other:
                error = other
            if self._state.servers[self.name].seen != seen_before:
                retry.reset()
            await asyncio.wait({lost}, timeout=0.1)  # with the host gone it is not the agent that is to blame
            if lost.done():
                raise lost.result()
            await self._report(error)
            pause = MISMATCH_RETRY if isinstance(error, AgentMismatchError) else retry.next()
            await self._pause(self._agent_again, pause)

    async def _session(self, tunnel: Tunnel) -> None:
        """One conversation with the agent, from its hello to its end."""
        connector = await tunnel.connector()
        await load("komodo_tui.fleet.client")
        from komodo_tui.fleet.client import AgentClient

        client = AgentClient(self.name, connector)
        try:
            hello = await client.hello(HELLO_TIMEOUT)
            self._state.set_hello(self.name, hello)
            check_protocol(self.name, hello)
            feed = await client.feed(self._request)
            try:
                self._feed = feed
                await first(self._follow(client, feed), self._ping(client))
            finally:
                self._feed = None
                await feed.close()
        finally:
            self.client = None
            await client.close()

    async def _follow(self, client: AgentClient, feed: Feed) -> None:
        async for messages in feed:
            self._state.apply(self.name, messages)
            if self.client is None:
                self.client = client
                self._state.set_status(self.name, "up")
                await self._notify()

    async def _ping(self, client: AgentClient) -> None:
        while True:
            self._state.set_latency(self.name, await client.ping(PING_TIMEOUT))
            await asyncio.sleep(PING_INTERVAL)

    async def _send(self, feed: Feed, request: FeedRequest) -> None:
        with contextlib.suppress(KomodoError):  # the feed's reader learns of a loss; the next feed begins with it
            await feed.want(request)

    async def _report(self, error: KomodoError) -> None:
        error.server = error.server or self.name
        statuses = (status for kind, status in _STATUS.items() if isinstance(error, kind))
        status: ServerStatus = next(statuses, "unreachable")
        self._state.set_status(self.name, status, error)
        await self._notify()

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def _wait(self, event: asyncio.Event) -> None:
        await event.wait()

    async def _pause(self, event: asyncio.Event, seconds: float | None) -> None:
        """Wait for so long (None = for ever), or until the event is set."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()


def check_protocol(server: str, hello: Hello) -> None:
    """Refuse an agent we cannot talk to.

    Raises:
        AgentMismatchError: and which side has to be updated.
    """
    if negotiate(hello) is not None:
        return
    hint = "update komodo-tui" if hello.protocol_min > PROTOCOL else "upgrade the agent: install it again from here"
    raise AgentMismatchError(
        f"agent {hello.version} speaks protocols {hello.protocol_min}-{hello.protocol}, "
        f"this program {PROTOCOL_MIN}-{PROTOCOL}",
        hint=hint,
        server=server,
    )
