"""Removing servers: this machine is there by itself again once none is defined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from komodo_tui.domain.operations import ServerOperation, Target
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.operations.definitions import ServerDefinitions
from komodo_tui.operations.server_plans import LOCAL
from komodo_tui.operations.server_steps import ServerStep
from komodo_tui.store.definitions import DefinitionStore

if TYPE_CHECKING:
    from pathlib import Path


class _Fleet:
    """Its connections, by name."""

    def __init__(self, *names: str) -> None:
        self.state: Any = self
        self.servers = dict.fromkeys(names)

    async def remove(self, name: str) -> None:
        """Disconnect."""
        del self.servers[name]

    async def add(self, definition: ServerDefinition) -> None:
        """Connect."""
        self.servers[definition.name] = None


async def test_the_last_one(tmp_path: Path) -> None:
    store = DefinitionStore(tmp_path / "definitions.json")
    known = ServerDefinitions(store)
    for name in ("web-1", "web-2"):
        await known.add(ServerDefinition(name=name, address=f"{name}.example"))
    fleet: Any = _Fleet("web-1", "web-2")
    left = []
    for name in ("web-1", "web-2"):
        operation = ServerOperation(verb="remove", server=name, rev=known.revision(name))
        step = ServerStep(operation, Target(server=name), known, fleet, lambda *_, **__: None)
        assert (await step.run()).ok
        left.append(list(fleet.servers))
    assert left == [["web-2"], [LOCAL.name]]
    assert known.known() == {}
    store.close()
