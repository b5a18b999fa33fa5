"""Finds the terminals that live in the agents of the fleet: those of an earlier start, and of other places."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError
from komodo_tui.fleet.kept import KeptTerminal, keeps_terminals

if TYPE_CHECKING:
    from komodo_agent.wire.terminals import TerminalInfo
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.ui.terminal.manager import TerminalManager


async def find_terminals(manager: TerminalManager, fleet: FleetManager) -> None:
    """Add what every server that is there now has. Servers that do not answer are left out."""
    servers = [name for name, live in fleet.state.servers.items() if live.live and keeps_terminals(live.hello)]
    for name, found in zip(servers, await asyncio.gather(*(_ask(fleet, name) for name in servers)), strict=True):
        for info in found:
            _add(manager, fleet, name, info)


async def _ask(fleet: FleetManager, server: str) -> list[TerminalInfo]:
    try:
        return await (await fleet.link(server).client()).terminals()
    except KomodoError:
        return []  # its state says so already, on every page


def _add(manager: TerminalManager, fleet: FleetManager, server: str, info: TerminalInfo) -> None:
    target = f"{info.target}@{server}" if info.target else server
    kept = KeptTerminal.found(fleet.link(server), info.name, info)
    manager.add_found(
        kept.open, info.name, target=target, command=" ".join(info.command) or "shell", keeper=kept, opened=info.opened
    )
