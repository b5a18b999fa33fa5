"""An archive given to the engine while its layers still arrive."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

from .upload import Upload

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from .spool import Held

PATH = "/images/load?quiet=1"
_BLOCK = 512
_END_OF_TAR = b"\0" * 1024


class Loading(Upload):
    """One ``POST /images/load``."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self._layers: list[tuple[str, Held, int]] = []
        self._ended = False

    def add(self, name: str, held: Held, size: int) -> None:
        """A file of the archive begins to arrive; it will have so many bytes."""
        self._layers.append((name, held, size))
        self.grown()

    def end(self) -> None:
        """No more layers come."""
        self._ended = True
        self.grown()

    async def feed(self) -> None:
        """Send the layers as they arrive, until :meth:`end`.

        Raises:
            AgentError: the engine refused.
            OSError: the connection broke.
        """
        at = 0
        while at < len(self._layers) or not self._ended:
            if at < len(self._layers):
                name, held, size = self._layers[at]
                await self.send(_entry(name, size))
                await self.send_file(held, size)
                if padding := -size % _BLOCK:
                    await self.send(b"\0" * padding)
                at += 1
            else:
                await self.more()

    async def finish(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Send what makes an image of the layers, and wait until the engine has it.

        Raises:
            AgentError, aiodocker.DockerError: the engine refused.
            OSError, asyncio.TimeoutError: the connection broke, or the engine is stuck.
        """
        for path, body in files:
            await self.send(_entry(path, len(body)) + body + b"\0" * (-len(body) % _BLOCK))
        await self.send(_END_OF_TAR)
        await self.answer()


def _entry(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry.tobuf(tarfile.PAX_FORMAT)
