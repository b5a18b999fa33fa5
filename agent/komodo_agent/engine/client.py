"""The connection to the engine: aiodocker for unary calls, a session of our own for streams, and the engine's status.

Two sessions, because a stream holds its connection for as long as it is read: aiodocker's default pool of 100
would leave no connection for calls, and aiodocker 0.24-0.27 never returns the connection of a stream left early.
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiodocker
import aiohttp

from ..problems import AgentError
from ..wire.models import Engine as EngineState
from .availability import (
    EngineUnavailableError,
    buildkit_offered,
    cgroup_words,
    error_words,
    negotiate,
    parse_version,
    unavailable,
)
from .convert import container as to_container
from .errors import engine_errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from ..wire.models import Container
    from .address import EngineAddress

_CALL_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5)
_PING_TIMEOUT = aiohttp.ClientTimeout(total=5, sock_connect=5)
_STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5)
_ERROR_BODY_LIMIT = 1 << 16
_READ_BUFFER = 1 << 18
_BASE = "http://engine"
_SHORTEST_PREFIX = 4
_REFERENCE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,254}")


class Engine:
    """The engine of this machine. Owned by the event loop that made it."""

    def __init__(self, address: EngineAddress) -> None:
        self._address = address
        self._docker: aiodocker.Docker | None = None
        self._calls: aiohttp.ClientSession | None = None
        self._streams: aiohttp.ClientSession | None = None
        self._version = ""
        self._seen_up = False
        self.path = ""
        """The socket in use."""
        self.has_buildkit = False
        """Whether it builds with BuildKit when it is asked to; known after the first connection."""
        self.containers: dict[str, Container] = {}
        """What the engine has, by full id; kept by the tracker."""
        self.status = EngineState(status="starting", message="Looking for the engine.", since=time.time())
        self.on_status: Callable[[EngineState], None] | None = None
        """Called whenever :attr:`status` changes."""

    @property
    def docker(self) -> aiodocker.Docker:
        """For unary calls; wrap them in :func:`~.errors.engine_errors`.

        Raises:
            AgentError: ``engine_unavailable``, while no engine has been found.
        """
        if self._docker is None:
            raise self._no_engine()
        return self._docker

    @property
    def api_version(self) -> tuple[int, int]:
        """The negotiated API version; (0, 0) before the first connection."""
        return parse_version(self._version)

    def container(self, reference: str) -> Container | None:
        """A known container by full id, else by name, else by a prefix of its id that fits one only."""
        found = self.containers.get(reference)
        if found is not None:
            return found
        for container in self.containers.values():
            if container.name == reference:
                return container
        if len(reference) < _SHORTEST_PREFIX:
            return None
        fitting = [c for c in self.containers.values() if c.id.startswith(reference)]
        return fitting[0] if len(fitting) == 1 else None

    async def find(self, reference: str, otherwise: str = "") -> Container:
        """A container by id, name or prefix: a known one, else the engine is asked (it may be newer than our list).

        ``otherwise`` is looked for where there is none.

        Raises:
            AgentError: ``not_found``, or why the engine did not answer.
        """
        if otherwise:
            try:
                return await self.find(reference)
            except AgentError as error:
                if error.code != "not_found":
                    raise
            return await self.find(otherwise)
        known = self.container(reference)
        if known is not None:
            return known
        missing = AgentError("not_found", f"there is no container {reference[:80]!r} on this server")
        if not _REFERENCE.fullmatch(reference):
            raise missing
        try:
            return to_container(await self.inspect(reference))
        except AgentError as error:
            if error.code == "not_found":
                raise missing from error
            raise

    async def inspect(self, container_id: str) -> dict[str, Any]:
        """The engine's inspect document of a container.

        Raises:
            AgentError: ``not_found`` or why the engine did not answer.
        """
        with engine_errors(f"inspect {container_id[:12]}"):
            document: dict[str, Any] = await self.docker.containers.container(container_id).show()
            return document

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | Sequence[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        data: AsyncIterator[bytes] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer to read piece by piece, on the session of streams; always closed at the end.

        Args:
            path: below the API version, with its leading slash: ``/events``.
            data: a body to send, piece by piece; the answer begins when it has been sent.

        Raises:
            AgentError: ``engine_unavailable``, while no engine has been found.
            aiodocker.DockerError: the engine refused, or does not answer (status 900, as aiodocker has it).
        """
        if self._streams is None:
            raise self._no_engine()
        url = f"{_BASE}/v{self._version}{path}"
        try:
            response = await self._streams.request(method, url, params=params, headers=headers, json=json, data=data)
        except aiohttp.ClientConnectionError as error:
            raise aiodocker.DockerError(900, f"cannot connect to the engine: {error}") from error
        try:
            if response.status >= 400:
                raise aiodocker.DockerError(
                    response.status, error_words(await response.content.read(_ERROR_BODY_LIMIT))
                )
            yield response
        finally:
            response.close()

    async def connect(self) -> EngineState:
        """Find the engine, negotiate the API version and learn its facts; does not change :attr:`status`.

        Raises:
            EngineUnavailableError: absent, denied, down, starting or too old.
        """
        if self._address.refusal:
            raise EngineUnavailableError("absent", self._address.refusal)
        await self._use(self._address.pick())
        await self.ping()
        try:
            with engine_errors("ask the engine what it is"):
                facts = await self.docker.version()
                info = await self.docker.system.info()
        except AgentError as error:
            raise EngineUnavailableError(
                "starting", f"The engine at {self.path} is not ready: {error.message}."
            ) from error
        self._seen_up = True
        components = {str(part.get("Name")): part for part in facts.get("Components") or []}
        podman = components.get("Podman Engine")
        return EngineState(
            status="up",
            name="podman" if podman else "docker",
            version=str((podman or facts).get("Version") or ""),
            api_version=self._version,
            socket=self.path,
            since=time.time(),
            cgroup=cgroup_words(dict(info)),
        )

    async def ping(self) -> None:
        """Make sure the engine answers, and settle on the newest API version both sides know.

        Raises:
            EngineUnavailableError: it does not, or it is too old.
        """
        if self._calls is None:
            raise EngineUnavailableError(self.status.status, self.status.message)
        try:
            async with self._calls.get(f"{_BASE}/_ping", timeout=_PING_TIMEOUT) as response:
                await response.content.read(_ERROR_BODY_LIMIT)
                offered = response.headers.get("Api-Version", "")
                self.has_buildkit = buildkit_offered(response.headers)
                if response.status >= 400:
                    raise EngineUnavailableError("starting", f"The engine at {self.path} is not ready yet.")
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            raise unavailable(error, self.path, seen_up=self._seen_up) from error
        self._version = "{}.{}".format(*negotiate(offered, self.path))
        self.docker.api_version = f"v{self._version}"

    def set_status(self, status: EngineState) -> None:
        """Record a status; tells the listener when it differs in more than its time."""
        before, self.status = self.status, status
        alike = (before.status, before.message, before.version, before.socket, before.cgroup, before.builder)
        if alike == (status.status, status.message, status.version, status.socket, status.cgroup, status.builder):
            self.status = before
        elif self.on_status is not None:
            self.on_status(status)

    def set_unavailable(self, error: EngineUnavailableError) -> None:
        """Record that the engine cannot be used; what was last known of it stays."""
        known = self.status
        self.set_status(
            EngineState(
                status=error.status,
                message=error.message,
                name=known.name,
                version=known.version,
                api_version=known.api_version,
                socket=self.path,
                since=known.since if known.status == error.status else time.time(),
                cgroup=known.cgroup,
            )
        )

    async def close(self) -> None:
        """Close both sessions; :attr:`docker` and :meth:`stream` refuse from then on."""
        docker, self._docker = self._docker, None
        sessions = (self._calls, self._streams)
        self._calls = self._streams = None
        if docker is not None:
            await docker.close()
        for session in sessions:
            if session is not None:
                await session.close()

    def _no_engine(self) -> AgentError:
        return AgentError("engine_unavailable", self.status.message or "There is no engine.", retryable=True)

    async def _use(self, path: str) -> None:
        """Open the sessions to this socket, if they are not."""
        if self._docker is not None and path == self.path:
            return
        await self.close()
        self.path = path
        self._calls = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path, limit=0),
            timeout=_CALL_TIMEOUT,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._streams = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path, limit=0, force_close=True),
            timeout=_STREAM_TIMEOUT,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=_READ_BUFFER,
            auto_decompress=False,
        )
        # With a session given, aiodocker takes the address for the URL's host part and nothing else.
        self._docker = aiodocker.Docker(
            url=_BASE, session=self._calls, connector=self._calls.connector, timeout=_CALL_TIMEOUT
        )
