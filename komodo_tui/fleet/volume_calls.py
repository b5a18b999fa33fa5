"""The part of the agent's client that is about what is in volumes. Streams pass through in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_agent.wire.volumes import (
    ROUTE_VOLUME_ARCHIVE,
    ROUTE_VOLUME_FILE,
    ROUTE_VOLUME_FILES,
    Restored,
    VolumeFolder,
)
from komodo_tui.domain.errors import ActError
from komodo_tui.fleet.calls import AgentCalls, path_of
from komodo_tui.fleet.connector import CONNECT_TIMEOUT, FILES
from komodo_tui.fleet.plain_http import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

_STALLED = 150.0
"""Seconds without a byte after which a transfer counts as stuck: longer than the agent waits for us."""
_PIECE = 512 << 10
_ANSWER_LIMIT = 1 << 20


class VolumeCalls(AgentCalls):
    """Raises :class:`~komodo_tui.domain.errors.KomodoError`, as all of the client does."""

    async def volume_folder(self, volume: str, path: str = "") -> VolumeFolder:
        """A folder of a volume; ``path`` as :attr:`~komodo_agent.wire.volumes.VolumeFile.path` has it."""
        return await self._get(ROUTE_VOLUME_FILES, VolumeFolder, {"path": path}, id=volume, timeout=30.0)

    async def read_volume_file(self, volume: str, path: str, take: Callable[[bytes], Awaitable[None]]) -> int:
        """Give a file's bytes to ``take``, piece by piece; returns how many they were."""
        return await self._download(path_of(ROUTE_VOLUME_FILE, volume), {"path": path}, take)

    async def read_volume(self, volume: str, take: Callable[[bytes], Awaitable[None]]) -> int:
        """Give all of a volume as a tar to ``take``, piece by piece; returns how many bytes it has.

        Raises:
            ActError: it broke off: what was taken is no archive.
        """
        return await self._download(path_of(ROUTE_VOLUME_ARCHIVE, volume), {}, take)

    async def write_volume(self, volume: str, pieces: AsyncIterator[bytes], *, replace: bool) -> Restored:
        """Put an archive into a volume; returns what was put back."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=None)
        path = path_of(ROUTE_VOLUME_ARCHIVE, volume)
        async with (
            self._translated(),
            self._session.put(
                f"http://{FILES}{path}", params={"replace": "1" if replace else "0"}, data=pieces, timeout=limits,
                allow_redirects=False,
            ) as response,
        ):  # fmt: skip
            body = await response.content.read(_ANSWER_LIMIT)
            if response.status >= 300:
                raise self._refusal(response.status, body)
            return self._decode(body, Restored)

    async def _download(self, path: str, parameters: dict[str, str], take: Callable[[bytes], Awaitable[None]]) -> int:
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=_STALLED)
        count = 0
        async with (
            self._translated(),
            self._session.get(
                f"http://{FILES}{path}", params=parameters, timeout=limits, allow_redirects=False
            ) as response,
        ):
            if response.status >= 300:
                raise self._refusal(response.status, await response.content.read(_ANSWER_LIMIT))
            try:
                async for piece in response.content.iter_chunked(_PIECE):
                    count += len(piece)
                    await take(piece)
            except aiohttp.ClientPayloadError as error:
                raise ActError(
                    "it broke off before its end",
                    hint="the server went away, or something cannot be read: the agent's log there says what",
                ) from error
        return count
