"""What others change while we run: the settings file, and the servers among the definitions."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from komodo_tui.domain.errors import KomodoError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from komodo_tui.domain.settings import Settings
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.definitions import ServerDefinitions

LOOK = 2.0
"""Seconds between two looks."""


class FleetRuntime(Protocol):
    """What has servers."""

    @property
    def servers(self) -> ServerDefinitions: ...
    @property
    def fleet(self) -> FleetManager: ...


class SettingsRuntime(Protocol):
    """What has settings."""

    def read_settings(self) -> Settings:
        """As the file says now, with what the command line adds. Blocks. Raises UsageError."""
        ...

    def use_settings(self, settings: Settings) -> None:
        """Go by them from now on."""
        ...


class ServerFollower:
    """Connects servers that others add, takes over what they change, and leaves those they remove."""

    def __init__(self, runtime: FleetRuntime) -> None:
        self._servers = runtime.servers
        self._fleet = runtime.fleet

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Once; what cannot be read leaves all as it is."""
        try:
            wanted = {definition.name: definition for definition in await asyncio.to_thread(self._servers.fleet)}
        except KomodoError:
            return  # who reads the definitions for more than this tells of it
        known = {name: live.definition for name, live in self._fleet.state.servers.items()}
        with suppress(NotFoundError):  # an act of ours was faster; the next look sees what is left
            for gone in known.keys() - wanted.keys():
                await self._fleet.remove(gone)
            for name, definition in wanted.items():
                if known.get(name) != definition:
                    await self._fleet.add(definition)


class SettingsFollower:
    """Reads ``config.yaml`` again when it was changed. What is wrong in it is said once; the old settings stay."""

    def __init__(self, path: Path, runtime: SettingsRuntime, say: Callable[[str], None]) -> None:
        """``say`` is told in a line of what was taken over, or why not."""
        self._path = path
        self._runtime = runtime
        self._say = say
        self._seen = _stamp(path)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> None:
        """Once."""
        stamp = await asyncio.to_thread(_stamp, self._path)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._runtime.use_settings(await asyncio.to_thread(self._runtime.read_settings))
        except KomodoError as error:
            self._say(f"settings: {error}; what they were stays")
            return
        self._say(f"settings: {self._path.name} was read again")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes with a file's content, however it is written; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
