"""Takes webhooks: a small HTTP server that believes nothing unsigned and answers before anything is done.

A delivery is on disk before its sender hears that it was taken. Every connection carries one request, and has a limit
for its size, its time and its number.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from komodo_tui.domain.errors import KomodoError, StoreError
from komodo_tui.operations.pushes.gate import BadSenderError, NotHereError, WebhookGate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.domain.settings import WebhookSettings

BODY_TIME = 10.0
"""Seconds from the connection to the end of the request."""
_AT_ONCE = 64
"""Connections at a time; more are closed unheard."""
_BEGINS = 1.0
"""Seconds for which one that has begun may have no transport."""
_LOOK = 5.0
_BUSY_AGAIN = 30.0
_TOLD_EVERY = 60.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class WebhookListener:
    """Listens while some repo takes webhooks."""

    def __init__(
        self,
        settings: Callable[[], WebhookSettings],
        repos: Callable[[], Mapping[str, RepoDefinition]],
        gate: WebhookGate,
        say: Callable[[str], None],
    ) -> None:
        """``settings`` gives them as they are now.

        ``say`` is told, in one line, what was taken or refused; refusals at most once a minute.
        """
        self._wished = settings
        self._settings = settings()
        self._repos = repos
        self._gate = gate
        self._say = say
        self._rate = _Bucket(self._settings.rate)
        self._open: dict[web.RequestHandler, float] = {}
        """Connections, with the monotonic time at which each began."""
        self._heard: set[object] = set()
        self._told = -_TOLD_EVERY
        self._untold = 0
        self.port = 0
        """That it listens on; 0 = it does not."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if not await asyncio.to_thread(self._wanted):
                await asyncio.sleep(_LOOK)
                continue
            if self._settings != self._wished():
                self._settings = self._wished()
                self._rate = _Bucket(self._settings.rate)
            try:
                await self._serve()
            except OSError as error:
                where = self._settings.listen
                self._say(f"webhooks: {where} cannot be listened on: {error.strerror}; tried again every half minute")
                await asyncio.sleep(_BUSY_AGAIN)

    async def _serve(self) -> None:
        app = web.Application(client_max_size=self._settings.most_bytes)
        app.router.add_post("/hooks/{repo}", self._hook)
        app.router.add_get("/health", self._health, allow_head=False)
        runner = web.AppRunner(
            app, access_log=None, handle_signals=False, auto_decompress=False, keepalive_timeout=0, lingering_time=0
        )
        await runner.setup()
        host, port = self._settings.address
        try:
            server = await asyncio.get_running_loop().create_server(lambda: self._connection(runner), host, port)
            self.port = server.sockets[0].getsockname()[1]
            clear = "" if host in _LOOPBACK else ", in the clear: put TLS in front of it"
            self._say(f"listening for webhooks on {host}:{self.port}{clear}")
            async with server:
                await self._unwanted()
        finally:
            self.port = 0
            with suppress(TimeoutError):
                async with asyncio.timeout(BODY_TIME):
                    await runner.cleanup()

    async def _unwanted(self) -> None:
        """Until nobody wants webhooks, or they are to be taken in another way."""
        while self._settings == self._wished() and await asyncio.to_thread(self._wanted):  # noqa: ASYNC110 - files tell
            await asyncio.sleep(_LOOK)

    def _wanted(self) -> bool:
        return any(repo.webhook for repo in self._repos().values())

    def _connection(self, runner: web.AppRunner) -> asyncio.Protocol:
        assert runner.server is not None
        now = time.monotonic()
        self._open = {one: at for one, at in self._open.items() if self._counts(one, now - at)}
        if len(self._open) >= _AT_ONCE:
            return _Full()
        connection = runner.server()
        asyncio.get_running_loop().call_later(BODY_TIME, self._close_unheard, connection)
        self._open[connection] = now
        return connection

    def _counts(self, connection: web.RequestHandler, age: float) -> bool:
        """Whether it is open. One that was just begun has no transport yet: many come before the first has one."""
        return connection.transport is not None or (age < _BEGINS and connection not in self._heard)

    def _close_unheard(self, connection: web.RequestHandler) -> None:
        """Whoever has not sent the head of a request by now never will."""
        if connection not in self._heard:
            connection.force_close()
            if connection.transport is not None:
                connection.transport.abort()
        self._open.pop(connection, None)

    async def _health(self, request: web.Request) -> web.Response:
        self._heard.add(request.protocol)
        try:
            return _answer(200, "ok")
        finally:
            self._forget(request)

    async def _hook(self, request: web.Request) -> web.Response:
        """POST /hooks/{repo}"""
        self._heard.add(request.protocol)
        try:
            return await self._answered(request)
        finally:
            self._forget(request)

    def _forget(self, request: web.Request) -> None:
        asyncio.get_running_loop().call_later(BODY_TIME, self._heard.discard, request.protocol)

    async def _answered(self, request: web.Request) -> web.Response:
        if not self._rate.take():
            return self._refused(request, 429, "too many requests", **{"Retry-After": "10"})
        if request.headers.get("Content-Encoding"):
            return self._refused(request, 415, "a compressed body is not taken")
        if (request.content_length or 0) > self._settings.most_bytes:
            return self._refused(request, 413, f"the body is larger than {self._settings.max_body}")
        name = request.match_info["repo"]
        try:
            async with asyncio.timeout(BODY_TIME):
                body = await request.read()
            said = await self._gate.take(name, request.headers, body)
        except TimeoutError:
            return self._refused(request, 408, f"the body did not come within {BODY_TIME:g} s")
        except web.HTTPRequestEntityTooLarge:
            return self._refused(request, 413, f"the body is larger than {self._settings.max_body}")
        except NotHereError:
            return self._refused(request, 401, "no repo of this name takes webhooks, or the signature is wrong")
        except BadSenderError as error:
            return self._refused(request, 400, str(error))
        except StoreError as error:
            self._say(f"webhook for {name}: {error}")
            return _answer(503, "it cannot be kept now, send it again", **{"Retry-After": "30"})
        except KomodoError as error:
            return self._refused(request, 503, error.message)
        self._say(f"webhook for {name}: {said.text}")
        return _answer(202 if said.taken else 200, said.text)

    def _refused(self, request: web.Request, status: int, why: str, **headers: str) -> web.Response:
        now = time.monotonic()
        self._untold += 1
        if now - self._told >= _TOLD_EVERY:
            count = f" ({self._untold} were since the last such line)" if self._untold > 1 else ""
            self._say(f"webhook for {request.match_info['repo'][:64]!r} refused: {why}{count}")
            self._told, self._untold = now, 0
        return _answer(status, why, **headers)


def _answer(status: int, text: str, **headers: str) -> web.Response:
    answer = web.json_response({"status": text}, status=status, headers=headers)
    answer.force_close()  # one request a connection
    return answer


class _Full(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class _Bucket:
    """So many a minute, and a tenth of that at once."""

    def __init__(self, per_minute: int) -> None:
        self._per_second = per_minute / 60
        self._room = max(per_minute / 10, 1.0)
        self._left = self._room
        self._at = time.monotonic()

    def take(self) -> bool:
        """Whether there is one left."""
        now = time.monotonic()
        self._left = min(self._room, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
