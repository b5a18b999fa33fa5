"""A session: the connection on which an engine's BuildKit asks back for files, secrets and logins while it builds.

Sources: ``session/`` of moby/buildkit and ``POST /session`` of the engine's API. The connection is upgraded to HTTP/2
with the engine as the client. What is lent here lives in this process's memory, and ends with the build.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ...engine.hijack import upgrade
from ...problems import AgentError
from .filesync import FileSync
from .grpc import NOT_FOUND, UNKNOWN, CallError, GrpcServer
from .protobuf import block, fields, number, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from ...engine.client import Engine
    from .grpc import Call, Handler

_HUB = ("registry-1.docker.io", "docker.io", "index.docker.io", "https://index.docker.io/v1/")
"""Docker Hub's names: of its registry, and of what people log in to."""
_SERVING = 1
_log = logging.getLogger(__name__)


class Login(NamedTuple):
    """Of one registry."""

    username: str
    secret: str


class Lent(NamedTuple):
    """What a build may ask for."""

    folders: Mapping[str, str]
    """BuildKit's name → path."""
    secrets: Mapping[str, bytes]
    logins: Mapping[str, Login]


@asynccontextmanager
async def session(engine: Engine, name: str, key: str, lent: Lent) -> AsyncIterator[str]:
    """A session that stands as long as it is used; gives its id.

    Args:
        key: what is alike in builds of the same files: with it the engine keeps the files from one to the next.

    Raises:
        aiodocker.DockerError: the engine has none.
        OSError, asyncio.TimeoutError: there is no connection.
    """
    methods = methods_of(lent)
    identity = uuid.uuid4().hex
    headers = [
        ("X-Docker-Expose-Session-Uuid", identity),
        ("X-Docker-Expose-Session-Name", name),
        ("X-Docker-Expose-Session-Sharedkey", hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()),
        *(("X-Docker-Expose-Session-Grpc-Method", path) for path in methods),
    ]
    reader, writer = await upgrade(engine, "/session", "h2c", headers=headers)
    serving = asyncio.create_task(GrpcServer(reader, writer, methods).serve(), name=f"session of build {name}")
    try:
        yield identity
    finally:
        serving.cancel()
        await asyncio.wait({serving})
        if not serving.cancelled() and serving.exception() is not None:
            _log.warning("the session of build %s broke", name, exc_info=serving.exception())


def login_of(header: str, host: str) -> Login:
    """A login as ``X-Registry-Auth`` has it. Raises AgentError."""
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(header), type=dict[str, str])
        return Login(found["username"], found["password"])
    except (ValueError, KeyError, msgspec.MsgspecError) as error:
        raise AgentError("bad_request", f"the login of {host} cannot be read") from error


def methods_of(lent: Lent) -> dict[str, Handler]:
    """What an engine may call, by its path."""
    return {
        "/grpc.health.v1.Health/Check": _healthy,
        "/moby.filesync.v1.FileSync/DiffCopy": FileSync(lent.folders).diff_copy,
        "/moby.buildkit.secrets.v1.Secrets/GetSecret": _Secrets(lent.secrets).answer,
        "/moby.filesync.v1.Auth/Credentials": _Logins(lent.logins).answer,
    }


async def _healthy(call: Call) -> None:
    await _asked(call)
    await call.send(number(1, _SERVING))


class _Secrets:
    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        self._secrets = secrets

    async def answer(self, call: Call) -> None:
        """``GetSecret``."""
        name = await _asked(call)
        value = self._secrets.get(name)
        if value is None:
            raise CallError(NOT_FOUND, f"secret {name[:80]}: not found")
        await call.send(block(1, value))


class _Logins:
    def __init__(self, logins: Mapping[str, Login]) -> None:
        self._logins = logins

    async def answer(self, call: Call) -> None:
        """``Credentials``: none of them is no error, and asks the registry as nobody."""
        host = await _asked(call)
        names = _HUB if host in _HUB else (host, f"https://{host}", f"http://{host}")
        login = next((self._logins[name] for name in names if name in self._logins), None)
        await call.send(b"" if login is None else block(1, login.username.encode()) + block(2, login.secret.encode()))


async def _asked(call: Call) -> str:
    """The first field of the one message of a call, which is a name in all of them. Raises CallError."""
    message = await call.receive()
    try:
        return text(dict(fields(message or b"")).get(1, b""))
    except ValueError as error:
        raise CallError(UNKNOWN, f"a question makes no sense: {error}") from error
