"""All servers: their links, made and ended with their definitions.

Light to import: aiohttp and asyncssh are loaded by the links that need them, in threads.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from komodo_tui.domain.errors import NotFoundError
from komodo_tui.fleet.link import ServerLink
from komodo_tui.fleet.live import FleetState
from komodo_tui.fleet.local import EmbeddedAgent
from komodo_tui.fleet.local_tunnel import LocalTunnel
from komodo_tui.fleet.prompts import NoPrompter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from komodo_tui.domain.errors import HostKeyUnknownError
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.fleet.prompts import Prompter
    from komodo_tui.fleet.ssh_route import SshFleet
    from komodo_tui.fleet.tunnel import Route


class StatePaths(Protocol):
    """Where files go (``store.paths.StateDirectory``)."""

    @property
    def root(self) -> Path:
        """State that stays: caches and the embedded agent's job logs go beneath it."""
        ...

    @property
    def runtime(self) -> Path:
        """Sockets."""
        ...


class FleetManager:
    """Owns every connection. All of it runs on one event loop; :meth:`close` ends all tasks."""

    def __init__(
        self,
        paths: StatePaths,
        prompter_factory: Callable[[], Prompter] = NoPrompter,
        *,
        embedded: EmbeddedAgent | None = None,
        ssh_config: Path | None = None,
    ) -> None:
        """``prompter_factory`` is called at the first question; ``embedded`` is the agent of this machine where it
        has been begun already; ``ssh_config`` stands for ``~/.ssh/config`` (as ``ssh -F`` does)."""
        self.state = FleetState()
        self.interval = 0.0
        """Seconds between the samples of each server; 0 = what is usual. Set it before :meth:`start`."""
        self._paths = paths
        self._prompter_factory = prompter_factory
        self._embedded = embedded
        self._ssh_config = ssh_config
        self._ssh: SshFleet | None = None
        self._links: dict[str, ServerLink] = {}
        self._losses = _Losses()
        self._turn = asyncio.Lock()

    async def start(self, definitions: Iterable[ServerDefinition]) -> None:
        """Begin to connect to all of them; returns at once. This machine's agent goes first: it needs longest."""
        ordered = list(definitions)
        for definition in ordered:
            self.state.define(definition)  # the order of the definitions is the order of the lists
        for definition in sorted(ordered, key=lambda d: not d.is_local):
            self._link(definition)

    async def add(self, definition: ServerDefinition) -> None:
        """Connect to one more server; a server of that name is replaced."""
        if definition.name in self._links:
            await self.update(definition)
            return
        self.state.define(definition)
        self._link(definition)

    async def update(self, definition: ServerDefinition) -> None:
        """Take over a changed definition; connects anew where the way there changed."""
        async with self._turn:  # an act and who follows the definitions may bring the same change
            link = self.link(definition.name)
            old = link.definition
            self.state.define(definition)
            if (old.address, old.agent_socket) == (definition.address, definition.agent_socket):
                link.definition = definition
                return
            await link.close()
            self.state.forget(definition.name)
            self.state.define(definition)
            self._link(definition)

    async def remove(self, name: str) -> None:
        """Disconnect from a server and forget what is known of it.

        Raises:
            NotFoundError: there is no such server.
        """
        link = self.link(name)
        del self._links[name]
        await link.close()
        self.state.forget(name)

    def link(self, name: str) -> ServerLink:
        """The server of that name.

        Raises:
            NotFoundError: there is none.
        """
        try:
            return self._links[name]
        except KeyError:
            raise NotFoundError(f"there is no server {name!r}", hint="komodo-tui server list shows all") from None

    def reconnect(self, name: str) -> None:
        """Connect to a server anew, now. Raises NotFoundError."""
        self.link(name).reconnect()

    def ssh_hosts(self) -> list[str]:
        """The hosts that the user's ``~/.ssh/config`` names, in its order. Reads files: call it in a thread."""
        from komodo_tui.fleet.sshconfig import SshConfig

        return SshConfig(self._ssh_config).aliases()

    async def settle(self, timeout: float) -> None:
        """Wait until each server is up or has failed, at most ``timeout`` seconds."""
        subscription = self.state.subscribe()
        try:
            async with asyncio.timeout(timeout):
                while any(server.status == "connecting" for server in self.state.servers.values()):
                    await subscription.wait()
                    subscription.take()
        except TimeoutError:
            return
        finally:
            subscription.close()

    async def close(self) -> None:
        """Disconnect from all servers."""
        links, self._links = list(self._links.values()), {}
        await asyncio.gather(*(link.close() for link in links))
        if self._ssh is not None:
            await self._ssh.close()

    def _link(self, definition: ServerDefinition) -> None:
        link = ServerLink(definition, self._route(definition), self.state, self._losses.spread, self._accepted)
        self._links[definition.name] = link
        if self.interval:
            link.set_feed(interval=self.interval)
        link.start()

    def _accepted(self, error: HostKeyUnknownError) -> None:
        for link in self._links.values():
            if link.awaits(error):
                link.reconnect()

    def _route(self, definition: ServerDefinition) -> Route:
        if definition.is_local:
            if self._embedded is None:
                self._embedded = EmbeddedAgent(self._paths.runtime, self._paths.root / "agent")
            return LocalTunnel(definition.name, self._embedded)
        if self._ssh is None:
            from komodo_tui.fleet.ssh_route import SshFleet

            self._ssh = SshFleet(self._paths.root / "cache", self._prompter_factory, self._ssh_config)
        return self._ssh.route(definition)


class _Losses:
    """Notices when many servers are lost at once, so that they do not all come back in the same second."""

    _WINDOW = 2.0
    _LONGEST = 5.0

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=512)

    def spread(self) -> float:
        """One more server was lost: the longest pause before it is tried again, in seconds."""
        now = time.monotonic()
        self._times.append(now)
        recent = sum(1 for at in self._times if now - at < self._WINDOW)
        return min(self._LONGEST, recent / 10)
