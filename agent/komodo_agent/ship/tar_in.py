"""A tar read member by member from a stream, with no thread and no seeking."""

from __future__ import annotations

import asyncio
import re
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

_BLOCK = 512
_PIECE = 512 << 10
"""Bytes handed on at once: each piece costs the same, and there are many."""
_NAMES_LIMIT = 1 << 20
"""Bytes of an extended header: names and times, nothing large."""
_PAX = re.compile(rb"(\d+) ([^=]+)=")
_NO_ARCHIVE = "the engine's archive of the image cannot be read"


@dataclass
class Member:
    """One entry; its bytes are read from the stream before the next one is asked for."""

    name: str
    size: int
    plain: bool
    """Whether it is a file with content."""


class TarIn:
    """Reads one archive."""

    def __init__(self, stream: aiohttp.StreamReader, silence: float) -> None:
        """``silence``: seconds without a byte after which the engine counts as stuck."""
        self._stream = stream
        self._silence = silence
        self._left = 0
        """Bytes of the current member that have not been read."""
        self._padding = 0

    async def members(self) -> AsyncIterator[Member]:
        """One after the other, what was not read of the one before passed over.

        Raises:
            AgentError: it is no archive, or it ends too early.
            asyncio.TimeoutError: the engine is stuck.
            aiohttp.ClientError: the connection broke.
        """
        override: dict[str, str] = {}
        while True:
            async for _ in self.pieces():
                pass
            header = await self._exactly(self._padding + _BLOCK)
            header = header[self._padding :]
            self._padding = 0
            if not header.strip(b"\0"):
                break
            entry = self._entry(header)
            if entry.type in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK):
                override.update(await self._extended(entry))
                continue
            self._left = int(override.get("size", entry.size)) if entry.isreg() else 0
            self._padding = -self._left % _BLOCK
            yield Member(override.get("path", entry.name), self._left, entry.isreg())
            override = {}

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes of the current member that have not been read, piece by piece."""
        while self._left:
            piece = await self._exactly(min(self._left, _PIECE))
            self._left -= len(piece)
            yield piece

    async def whole(self, limit: int) -> bytes:
        """All bytes of the current member.

        Raises:
            AgentError: they are more than ``limit``.
        """
        if self._left > limit:
            raise AgentError("failed", f"{_NO_ARCHIVE}: a description in it is larger than {limit} bytes")
        return b"".join([piece async for piece in self.pieces()])

    async def _extended(self, entry: tarfile.TarInfo) -> dict[str, str]:
        self._left, self._padding = entry.size, -entry.size % _BLOCK
        body = await self.whole(_NAMES_LIMIT)
        if entry.type == tarfile.GNUTYPE_LONGNAME:
            return {"path": body.rstrip(b"\0").decode("utf-8", "replace")}
        return _pax(body) if entry.type == tarfile.XHDTYPE else {}

    def _entry(self, header: bytes) -> tarfile.TarInfo:
        try:
            return tarfile.TarInfo.frombuf(header, "utf-8", "replace")
        except tarfile.HeaderError as error:
            raise AgentError("failed", f"{_NO_ARCHIVE}: {error}") from error

    async def _exactly(self, count: int) -> bytes:
        try:
            return await asyncio.wait_for(self._stream.readexactly(count), self._silence)
        except asyncio.IncompleteReadError as error:
            raise AgentError("failed", f"{_NO_ARCHIVE}: it ends too early") from error


def _pax(body: bytes) -> dict[str, str]:
    """Path and size of an extended header: records of ``length key=value`` and a line feed (POSIX.1-2001, pax)."""
    found: dict[str, str] = {}
    at = 0
    while at < len(body) and (match := _PAX.match(body, at)):
        length, key = int(match.group(1)), match.group(2)
        if length <= match.end() - at:
            break
        value = body[match.end() : at + length - 1].decode("utf-8", "replace")
        if key == b"path" or (key == b"size" and value.isdigit()):
            found[key.decode()] = value
        at += length
    return found
