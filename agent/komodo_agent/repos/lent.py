"""The ssh-agent of who asks, lent for single calls of git: a socket here, whose questions are answered over there.

Who asks offers it first, over a WebSocket (:mod:`komodo_agent.wire.lent`), under an id that nobody can guess, and names
that id in the source. A socket is there only while git runs, in a folder that this user alone may enter.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import struct
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import WSMsgType

from ..problems import AgentError
from ..wire.lent import LONGEST_MESSAGE, pack, unpack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

    from ..wire.repos import RepoSource

_PREFIX = "komodo-lent-"
_PATIENCE = 15.0
"""Seconds in which who asks may come back after a lost connection."""
_ASK_EVERY = 0.1
_MOST = 8
"""Connections to one socket at a time: ssh makes one."""
_FAILURE = b"\x05"
"""SSH_AGENT_FAILURE of draft-ietf-sshm-ssh-agent."""
_offers: dict[str, Offer] = {}


class Offer:
    """One ssh-agent that somebody offers, as long as the WebSocket is open."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._last = 0
        self._refused = ""
        """Why something was not answered over there, in words; empty = nothing was refused."""

    async def serve(self, id: str) -> None:
        """Until the other side goes, or :func:`give_back` ends it."""
        _offers[id] = self
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._refused = message.data[:500]
                elif message.type is WSMsgType.BINARY:
                    number, body = unpack(message.data)
                    answer = self._answers.get(number)
                    if answer is not None and not answer.done():
                        answer.set_result(body)
        finally:
            self._refused = self._refused or "who asked went away, and the lent ssh-agent with them"
            if _offers.get(id) is self:
                del _offers[id]
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_result(_FAILURE)

    def why(self, said: str) -> str:
        """Why a login failed of which ssh says this, where the reason lies over there; else empty."""
        return self._refused if "Permission denied" in said else ""

    async def close(self) -> None:
        """Give it back."""
        await self._socket.close()

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[str]:
        """The path of a socket that reaches it, as long as the block runs. Raises AgentError."""
        self._refused = ""
        try:
            folder = await asyncio.to_thread(_new_folder)
        except OSError as error:
            raise AgentError("failed", f"there is no room to lend the ssh-agent: {error.strerror}") from error
        talks: set[asyncio.Task[None]] = set()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if len(talks) >= _MOST:
                writer.close()
                return
            task = asyncio.ensure_future(self._talk(reader, writer))
            talks.add(task)
            task.add_done_callback(talks.discard)

        try:
            try:
                server = await asyncio.start_unix_server(begin, folder / "agent", limit=LONGEST_MESSAGE)
            except OSError as error:
                raise AgentError("failed", f"{folder}/agent cannot be made: {error}") from error
            try:
                yield str(folder / "agent")
            finally:
                server.close()
        finally:
            for task in talks:
                task.cancel()
            await asyncio.gather(*talks, return_exceptions=True)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question after the other, as the protocol has it: each message has its length before it."""
        self._last += 1
        number = self._last
        try:
            while True:
                (size,) = struct.unpack(">I", await reader.readexactly(4))
                if not 0 < size <= LONGEST_MESSAGE:
                    return
                answer = await self._ask(number, await reader.readexactly(size))
                writer.write(struct.pack(">I", len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # ssh has what it wanted
        finally:
            writer.close()
            with suppress(ConnectionError, RuntimeError):
                await self._socket.send_bytes(pack(number, b""))

    async def _ask(self, number: int, question: bytes) -> bytes:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._socket.send_bytes(pack(number, question))
            return await answer or _FAILURE
        except (ConnectionError, RuntimeError):  # who offered it is gone
            return _FAILURE
        finally:
            del self._answers[number]


@asynccontextmanager
async def lent_agent(source: RepoSource) -> AsyncIterator[tuple[str, Offer | None]]:
    """A socket that reaches the ssh-agent lent for this source, as long as the block runs; empty where none is.

    Raises:
        AgentError: one was to be lent, and nobody offers it.
    """
    if not source.lent:
        yield "", None
        return
    offer = await _offered(source.lent)
    async with offer.socket() as path:
        yield path, offer


def through(login: dict[str, str], path: str) -> dict[str, str]:
    """The environment of a login in which ssh asks the lent agent, and not its usual keys; as it is for no path.

    What comes first counts (ssh_config(5)), also before the user's own configuration. The connection is shared with
    nobody: whoever used it would be in without asking the agent.
    """
    command = login.get("GIT_SSH_COMMAND", "")
    if not path or not command.startswith("ssh "):
        return login
    words = ["ssh", "-o", f'IdentityAgent="{path}"', "-o", "IdentitiesOnly=no", "-o", "IdentityFile=none",
             "-o", "ForwardAgent=no", "-o", "ControlMaster=no", "-o", "ControlPath=none"]  # fmt: skip
    return {**login, "GIT_SSH_COMMAND": f"{shlex.join(words)} {command.removeprefix('ssh ')}"}


async def give_back(source: RepoSource) -> None:
    """End the loan: git is not called any more."""
    offer = _offers.pop(source.lent, None)
    if offer is not None:
        await offer.close()


async def _offered(id: str) -> Offer:
    until = asyncio.get_running_loop().time() + _PATIENCE
    while (offer := _offers.get(id)) is None:
        if asyncio.get_running_loop().time() > until:
            raise AgentError(
                "failed", "the ssh-agent that was to be lent is not there: who asked is not connected any more",
                hint="ask again and stay until git is through, or give the repo a key",
            )  # fmt: skip
        await asyncio.sleep(_ASK_EVERY)
    return offer


def _new_folder() -> Path:
    """Of this user alone; those that an agent left behind when it was killed are taken away."""
    top = Path(tempfile.gettempdir())
    for old in top.glob(f"{_PREFIX}*"):
        owner = old.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            if old.lstat().st_uid == os.geteuid() and owner.isdigit() and not Path("/proc", owner).exists():
                shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
