"""The way to servers over SSH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.fleet.sshconfig import SshConfig
from komodo_tui.fleet.tasks import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from komodo_tui.domain.errors import HostKeyUnknownError
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.fleet.connect import Connector
    from komodo_tui.fleet.prompts import Prompter
    from komodo_tui.fleet.tunnel import Tunnel


class SshFleet:
    """What all servers reached by SSH share."""

    def __init__(self, cache: Path, prompter_factory: Callable[[], Prompter], ssh_config: Path | None) -> None:
        """``cache`` takes the wheels of bundles for servers unlike this machine."""
        self.config = SshConfig(ssh_config)
        self.cache = cache
        self._prompter_factory = prompter_factory
        self._prompter: Prompter | None = None
        self._connector: Connector | None = None

    async def connector(self) -> Connector:
        """Opens connections; asyncssh is loaded with the first one."""
        if self._connector is None:
            await load("komodo_tui.fleet.plain_http")  # first: the agent here waits for it
            await load("komodo_tui.fleet.connect")
            from komodo_tui.fleet.connect import Connector

            if self._connector is None:
                self._connector = Connector(self._ask)
        return self._connector

    def route(self, definition: ServerDefinition) -> SshRoute:
        """The way to one server."""
        return SshRoute(self, definition)

    def forget(self) -> None:
        """A person asks to try again."""
        self.config.forget()
        if self._connector is not None:
            self._connector.forget()

    async def close(self) -> None:
        """Close what is shared."""
        if self._connector is not None:
            await self._connector.close()

    def _ask(self) -> Prompter:
        if self._prompter is None:
            self._prompter = self._prompter_factory()
        return self._prompter


class SshRoute:
    """One server reached by SSH."""

    def __init__(self, fleet: SshFleet, definition: ServerDefinition) -> None:
        self._fleet = fleet
        self._definition = definition
        self._endpoint: str = definition.agent_socket
        """Where the agent listened last time."""

    async def open(self) -> Tunnel:
        """Connect. Raises KomodoError."""
        connector = await self._fleet.connector()
        host = await self._fleet.config.resolve(self._definition.address)
        connection = await connector.connect(host, self._definition.name)
        from komodo_tui.fleet.ssh_tunnel import SshTunnel

        return SshTunnel(self._definition, connection, self._fleet.cache, self._endpoint, self._remember)

    def forget(self) -> None:
        """A person asks to try again."""
        self._fleet.forget()

    async def accept_host_key(self, error: HostKeyUnknownError) -> None:
        """Remember the key that was shown."""
        connector = await self._fleet.connector()
        host = await self._fleet.config.resolve(self._definition.address)
        await connector.host_keys.accept(error, host)

    def _remember(self, path: str) -> None:
        self._endpoint = path
