"""How the agent is asked: one session over one tunnel, and the one place where aiohttp's errors become ours."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import msgspec

from komodo_agent.wire import protocol
from komodo_agent.wire.feed import MAX_FRAME
from komodo_tui.domain.errors import (
    ActError,
    AgentMismatchError,
    AgentTimeoutError,
    EngineError,
    HostUnreachableError,
    KomodoError,
    NotFoundError,
    RefusedError,
    UsageError,
)
from komodo_tui.domain.text import clean
from komodo_tui.fleet.cleaning import clean_value
from komodo_tui.fleet.connector import CONNECT_TIMEOUT, RPC, AgentConnector
from komodo_tui.fleet.plain_http import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

T = TypeVar("T")

CALL_TIMEOUT = 10.0
"""Seconds a call may take; those that wait by nature get their waiting time on top."""
_BODY_LIMIT = 8 << 20
_MESSAGE_LIMIT = 2000
_CLOSE_TIMEOUT = 2.0
_PROBLEMS: dict[str, type[KomodoError]] = {
    "not_found": NotFoundError,
    "engine_unavailable": EngineError,
    "engine": EngineError,
    "forbidden": RefusedError,
    "bad_request": UsageError,
}


class AgentCalls:
    """What every group of calls stands on. Raises :class:`~komodo_tui.domain.errors.KomodoError` and nothing else."""

    def __init__(self, server: str, connector: AgentConnector) -> None:
        """``server`` is its name in messages. Needs a running event loop."""
        self.server = server
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            auto_decompress=False,  # a compressed body would be inflated without any limit
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
        )

    async def _get(
        self,
        route: str,
        kind: type[T],
        parameters: dict[str, str] | None = None,
        *,
        id: str = "",
        timeout: float = CALL_TIMEOUT,
    ) -> T:
        body, _ = await self._call("GET", path_of(route, id), parameters, timeout=timeout)
        return self._decode(body, kind)

    def _decode(self, body: bytes, kind: type[T]) -> T:
        try:
            return clean_value(msgspec.json.decode(body, type=kind))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._stranger() from error

    async def _call(
        self,
        method: str,
        path: str,
        parameters: dict[str, str] | None = None,
        *,
        body: bytes | None = None,
        kind: str = RPC,
        timeout: float = CALL_TIMEOUT,
    ) -> tuple[bytes, Mapping[str, str]]:
        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_TIMEOUT)
        headers = {"Content-Type": "application/json"} if body is not None else None
        async with (
            self._translated(),
            self._session.request(
                method, f"http://{kind}{path}", params=parameters, data=body, headers=headers,
                timeout=limits, allow_redirects=False,
            ) as response,
        ):  # fmt: skip
            data = await self._read(response)
            if response.status >= 300:
                raise self._refusal(response.status, data)
            return data, response.headers

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts, size = [], 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > _BODY_LIMIT:
                raise ActError(f"the agent's answer is larger than {_BODY_LIMIT >> 20} MiB", server=self.server)
            parts.append(part)
        return b"".join(parts)

    async def _stream(self, path: str, kind: str) -> aiohttp.ClientWebSocketResponse:
        async with self._translated(), asyncio.timeout(CALL_TIMEOUT):
            # No heartbeat: behind unread data its answer would come too late and end a stream that is well.
            return await self._session.ws_connect(
                f"http://{kind}{path}",
                compress=0,
                max_msg_size=MAX_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT),
            )

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        """The one place where aiohttp's errors become ours."""
        try:
            yield
        except TimeoutError as error:
            hint = "it is frozen, or the server is overloaded"
            raise AgentTimeoutError("the agent does not answer in time", hint=hint, server=self.server) from error
        except aiohttp.WSServerHandshakeError as error:
            raise self._refusal(error.status, b"") from error
        except aiohttp.ClientResponseError as error:
            raise self._stranger() from error
        except (aiohttp.ClientError, OSError) as error:
            raise HostUnreachableError("the connection to the agent was lost", server=self.server) from error
        except KomodoError as error:
            error.server = error.server or self.server
            raise

    def _refusal(self, status: int, body: bytes) -> KomodoError:
        try:
            problem = msgspec.json.decode(body, type=protocol.Problem)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if status == 404:
                return NotFoundError("the agent knows no such thing", server=self.server)
            return ActError(f"the agent refused (HTTP {status})", server=self.server)
        kind = _PROBLEMS.get(problem.code, ActError)
        message = clean(problem.message, keep_newlines=True)[:_MESSAGE_LIMIT]
        return kind(message, hint=clean(problem.hint)[:_MESSAGE_LIMIT], server=self.server)

    def _stranger(self) -> AgentMismatchError:
        return AgentMismatchError(
            "what answers on the agent's socket is no komodo-agent, or speaks another language",
            hint="install the agent again, or name its socket in the server's definition (agent_socket)",
            server=self.server,
        )


def path_of(route: str, id: str) -> str:
    """A route with the id in its place, quoted."""
    return route.format(id=quote(id, safe=""))
