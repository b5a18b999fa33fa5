"""What is in a volume, over HTTP: lists, files, and whole archives in both directions with bounded memory."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from aiohttp import web

from ..problems import AgentError
from .resources import document, resources
from .volume_lent import lent_by, send_lent
from .volume_tar import write_tar
from .volume_tree import PLAIN, decode_path, folder, inside, root_of
from .volume_untar import read_tar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ..wire.volumes import Restored, VolumeFolder
    from .client import Engine

T = TypeVar("T")

_log = logging.getLogger(__name__)

_AT_ONCE = 2
"""Archives and files under way at once: each holds a thread and a few pieces."""
_PIECE = 256 << 10
_STALLED = 120.0
"""Seconds the other side may take for one piece."""
_ALIVE = frozenset({"running", "paused", "restarting"})
_threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="volume")


async def volume_folder(engine: Engine, name: str, path: str) -> VolumeFolder:
    """A folder of a volume.

    Raises:
        AgentError: it is not there, or this agent may not look.
    """
    mountpoint, wanted = await _mountpoint(engine, name), decode_path(path)

    def look() -> VolumeFolder:
        with root_of(mountpoint) as root:
            return folder(root, wanted)

    return await asyncio.to_thread(look)


async def send_file(engine: Engine, request: web.Request, name: str, path: str) -> web.StreamResponse:
    """A file's bytes.

    Raises:
        AgentError: before anything was sent.
    """
    mountpoint, wanted = await _mountpoint(engine, name), decode_path(path)
    if not wanted:
        raise AgentError("bad_request", "that is a folder, no file")

    def open_it() -> tuple[int, int]:
        with root_of(mountpoint) as root, inside(root, wanted, PLAIN) as held:
            status = os.fstat(held)
            if not stat.S_ISREG(status.st_mode):
                raise AgentError("bad_request", "only plain files can be taken away", hint="links are not followed")
            return os.dup(held), status.st_size

    descriptor, size = await asyncio.to_thread(open_it)
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.content_length = size
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        await response.prepare(request)
        left = size
        while left > 0:
            piece = await asyncio.to_thread(file.read, min(_PIECE, left))
            if not piece:
                # It has shrunk: only a broken connection tells the client that this is not all of it.
                raise ConnectionResetError("the file shrank while it was read")
            left -= len(piece)
            await response.write(piece)
    await response.write_eof()
    return response


async def send_archive(engine: Engine, request: web.Request, name: str) -> web.StreamResponse:
    """All of a volume as a tar.

    Raises:
        AgentError: before anything was sent; afterwards the connection is broken off.
    """
    try:
        mountpoint = await _mountpoint(engine, name)
        await asyncio.to_thread(_may_look, mountpoint)
    except AgentError as error:
        if error.code == "not_found" or (lent := await lent_by(engine, name)) is None:
            raise
        return await send_lent(engine, request, name, *lent)
    response = web.StreamResponse(headers={"Content-Type": "application/x-tar"})
    response.enable_chunked_encoding()
    await response.prepare(request)

    def work(pipe: _Pipe) -> None:
        with root_of(mountpoint) as root:
            write_tar(root, cast("IO[bytes]", pipe))

    try:
        await _in_thread(work, write=response.write)
    except AgentError as error:
        _log.warning("the archive of volume %s was broken off: %s", name, error.message)
        raise ConnectionResetError(error.message) from error
    await response.write_eof()
    return response


async def take_archive(engine: Engine, request: web.Request, name: str, *, replace: bool) -> Restored:
    """Put an archive into a volume that no running container uses.

    Raises:
        AgentError: the volume is as it was.
    """
    mountpoint = await _mountpoint(engine, name)
    await _refuse_used(engine, name)

    def work(pipe: _Pipe) -> Restored:
        with root_of(mountpoint) as root:
            return read_tar(root, cast("IO[bytes]", pipe), replace=replace)

    return await _in_thread(work, read=request.content.readany)


async def _mountpoint(engine: Engine, name: str) -> str:
    found = await document(engine, "volume", name)
    mountpoint = str(found.get("Mountpoint") or "")
    if found.get("Driver") != "local" or not mountpoint:
        raise AgentError(
            "conflict", f"the volume {name} lies with the driver {found.get('Driver')}, not on this server"
        )
    options: dict[str, Any] = found.get("Options") or {}
    if options.get("device") and not await asyncio.to_thread(os.path.ismount, mountpoint):
        raise AgentError(
            "conflict",
            f"the volume {name} is mounted only while a container uses it",
            hint="start one that does, and look again",
        )
    return mountpoint


async def _refuse_used(engine: Engine, name: str) -> None:
    users: set[str] = set()
    for found in await resources(engine):
        if (found.kind, found.id) == ("volume", name):
            users = set(found.used_by)
    alive = sorted(c.name for c in engine.containers.values() if c.name in users and c.state in _ALIVE)
    if alive:
        raise AgentError("conflict", f"{alive[0]} runs and uses the volume {name}", hint="stop it first")


def _may_look(mountpoint: str) -> None:
    with root_of(mountpoint):
        pass


class _Pipe:
    """A file for a thread whose other end is a coroutine of the loop; each piece waits for the one before."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        read: Callable[[], Coroutine[Any, Any, bytes]] | None,
        write: Callable[[bytes], Coroutine[Any, Any, None]] | None,
    ) -> None:
        self._loop = loop
        self._read = read
        self._write = write
        self._rest = b""
        self.closed_early = False

    def read(self, size: int) -> bytes:
        """At most so many bytes; empty at the end."""
        assert self._read is not None
        if not self._rest:
            self._rest = self._call(self._read())
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def write(self, data: bytes) -> int:
        """All of it."""
        assert self._write is not None
        self._call(self._write(bytes(data)))
        return len(data)

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self.closed_early:
            coroutine.close()
            raise ConnectionResetError("the other side went away")
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(coroutine, _STALLED), self._loop)
        return future.result()


async def _in_thread(
    work: Callable[[_Pipe], T],
    *,
    read: Callable[[], Coroutine[Any, Any, bytes]] | None = None,
    write: Callable[[bytes], Coroutine[Any, Any, None]] | None = None,
) -> T:
    loop = asyncio.get_running_loop()
    pipe = _Pipe(loop, read, write)
    task = loop.run_in_executor(_threads, work, pipe)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        pipe.closed_early = True  # the thread ends at its next piece
        raise
