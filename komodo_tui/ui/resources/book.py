"""What the servers have of images, volumes and networks, as they said it last. Asked when somebody looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from komodo_agent.wire.resources import DiskUsage, Resource, UsedSpace
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_PATIENCE = 5.0
"""Seconds a connection may take to come."""


@dataclass
class Listing:
    """One server's answers."""

    resources: tuple[Resource, ...] = ()
    at: float = 0.0
    """Unix time of the list; 0 = there is none yet."""
    problem: str = ""
    """Why there is no newer one."""
    usage: DiskUsage | None = None
    usage_at: float = 0.0
    usage_problem: str = ""
    asking: bool = False
    again: bool = False

    def space(self, resource: Resource) -> UsedSpace | None:
        """What it takes on disk, where that was measured."""
        if self.usage is None:
            return None
        return next((i for i in self.usage.items if (i.kind, i.id) == (resource.kind, resource.id)), None)


class Book:
    """Asks at most one question of a kind of each server at a time, and never makes anybody wait."""

    def __init__(self, runtime: Runtime, shell: Shell, changed: Callable[[str], None]) -> None:
        """``changed`` is called with the name of a server that has answered, or failed to."""
        self._runtime = runtime
        self._shell = shell
        self._changed = changed
        self.listings: dict[str, Listing] = {}

    def listing(self, server: str) -> Listing:
        """What is known of a server; an empty one of a server that was not asked yet."""
        return self.listings.setdefault(server, Listing())

    def forget_others(self, servers: Iterable[str]) -> None:
        """Keep what these servers said, and no more."""
        for name in self.listings.keys() - set(servers):
            del self.listings[name]

    def refresh(self, servers: Iterable[str]) -> None:
        """Ask these servers for their lists."""
        for name in servers:
            listing = self.listing(name)
            if listing.asking:
                listing.again = True  # what is on its way may be older than what made us ask
            else:
                listing.asking = True
                self._shell.work(self._list(name, listing))

    async def listed(self, server: str) -> Listing:
        """The listing, asked now. Call it from a worker."""
        listing = self.listing(server)
        listing.asking = True
        await self._list(server, listing)
        return listing

    async def measured(self, server: str) -> Listing:
        """The listing with what takes how much, asked now. Call it from a worker."""
        listing = self.listing(server)
        await self._measure(server, listing)
        return listing

    async def _list(self, name: str, listing: Listing) -> None:
        try:
            listing.again = True
            while listing.again:
                listing.again = False
                client = await self._runtime.fleet.link(name).client(_PATIENCE)
                listing.resources = tuple(await client.resources())
                listing.at, listing.problem = self._shell.now(), ""
        except KomodoError as error:
            listing.problem = _words(error)
        finally:
            listing.asking = False
        self._tell(name, listing)

    async def _measure(self, name: str, listing: Listing) -> None:
        try:
            client = await self._runtime.fleet.link(name).client(_PATIENCE)
            listing.usage = await client.disk_usage()
            listing.usage_at, listing.usage_problem = self._shell.now(), ""
        except KomodoError as error:
            listing.usage_problem = _words(error)
        self._tell(name, listing)

    def _tell(self, name: str, listing: Listing) -> None:
        if self.listings.get(name) is listing:
            self._changed(name)


def _words(error: KomodoError) -> str:
    if isinstance(error, NotFoundError) and not error.hint:
        return f"{error.message}; its agent is older than this program: upgrade it on the Servers tab"
    return error.message + (f"; {error.hint}" if error.hint else "")
