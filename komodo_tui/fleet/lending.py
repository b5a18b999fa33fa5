"""The part of the agent's client that lends this session's ssh-agent to a server, for one call of git."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from komodo_agent.wire.lent import ROUTE_LENT, pack, unpack
from komodo_tui.domain.errors import ActError, NotFoundError
from komodo_tui.fleet.calls import AgentCalls, path_of
from komodo_tui.fleet.connector import LENT
from komodo_tui.fleet.plain_http import aiohttp
from komodo_tui.fleet.tasks import end

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from komodo_agent.wire.repos import RepoSource
    from komodo_tui.fleet.ssh_agent import Limits, SshAgent

_MOST = 8
"""Connections that are served at a time."""


class LendCalls(AgentCalls):
    """Raises :class:`~komodo_tui.domain.errors.KomodoError`, as all of the client does."""

    @asynccontextmanager
    async def lending(self, source: RepoSource | None) -> AsyncIterator[None]:
        """Lend it while the block runs, at most until the agent gives it back; nothing where none is wanted.

        Raises:
            ActError: there is no ssh-agent here, it has no key, or the agent is too old to take it.
        """
        if source is None or not source.lent:
            yield
            return
        from komodo_tui.fleet.ssh_agent import check_agent, limits_of  # late: asyncssh takes long to load

        await check_agent()
        try:
            socket = await self._stream(path_of(ROUTE_LENT, source.lent), LENT)
        except NotFoundError as error:
            hint = "install it again (server install-agent)"
            raise ActError("the agent is too old to be lent an ssh-agent", hint=hint, server=self.server) from error
        work = asyncio.create_task(_Loan(socket, limits_of(source)).serve(), name=f"ssh-agent lent to {self.server}")
        try:
            yield
        finally:
            await end(work)
            await socket.close()


class _Loan:
    """Answers what comes over one WebSocket, each of its connections by one of its own to the ssh-agent."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, limits: Limits) -> None:
        self._socket = socket
        self._limits = limits
        self._talks: dict[int, tuple[asyncio.Queue[bytes], asyncio.Task[None]]] = {}

    async def serve(self) -> None:
        """Until it is closed."""
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    self._take(*unpack(message.data))
        finally:
            await end(*(task for _, task in self._talks.values()))

    def _take(self, number: int, question: bytes) -> None:
        if not question:
            if number in self._talks:
                self._talks.pop(number)[1].cancel()
            return
        if number not in self._talks:
            if len(self._talks) >= _MOST:
                return
            queue: asyncio.Queue[bytes] = asyncio.Queue(1)  # who asks waits for the answer before it asks again
            self._talks[number] = queue, asyncio.create_task(self._talk(number, queue))
        with suppress(asyncio.QueueFull):
            self._talks[number][0].put_nowait(question)

    async def _talk(self, number: int, questions: asyncio.Queue[bytes]) -> None:
        from komodo_tui.fleet.ssh_agent import FAILURE, Guard, SshAgent

        guard = Guard(self._limits)
        agent: SshAgent | None = None
        try:
            while True:
                question = await questions.get()
                answer = FAILURE
                if reason := guard.refusal(question):
                    await self._send(reason)
                else:
                    with suppress(ActError):  # it has gone since it was looked at
                        agent = agent or await SshAgent.open()
                        answer = await agent.ask(question)
                await self._send(pack(number, answer))
        finally:
            if agent is not None:
                agent.close()

    async def _send(self, message: bytes | str) -> None:
        with suppress(aiohttp.ClientError, ConnectionError):
            await (self._socket.send_str(message) if isinstance(message, str) else self._socket.send_bytes(message))
