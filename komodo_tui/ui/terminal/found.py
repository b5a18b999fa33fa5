"""Finds the terminals that live in the agents of the fleet: those of an earlier start, and of other places."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError
from komodo_tui.fleet.kept import KeptTerminal, keeps_terminals

if TYPE_CHECKING:
    from komodo_agent.wire.terminals import TerminalInfo
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.fleet.sessions import ByteSession
    from komodo_tui.ui.terminal.manager import TerminalManager
    from komodo_tui.ui.terminal.terminal import Terminal


class Looker:
    """Stands for a terminal that may only be looked at: closing it here leaves it as it is."""

    def __init__(self, kept: KeptTerminal) -> None:
        self.kept = kept

    @property
    def id(self) -> str:
        """Of the terminal."""
        return self.kept.id

    async def end(self) -> None:
        """Look no more."""

    async def rename(self, name: str) -> None:
        """It keeps its name for all others."""

    async def open(self, cols: int, rows: int) -> ByteSession:
        """Look at it."""
        return await self.kept.open_same(cols, rows, read_only=True)


def look_or_type(terminal: Terminal) -> str:
    """Have a terminal that lives elsewhere only looked at, or typed into again; returns why that cannot be."""
    if terminal.state not in ("new", "running"):
        return "it is being opened; again in a moment" if terminal.state == "opening" else "it does not run"
    if isinstance(terminal.keeper, Looker):
        kept = terminal.keeper.kept
        terminal.attach_anew(kept, kept.open_same, looks=False)
    elif isinstance(terminal.keeper, KeptTerminal):
        looker = Looker(terminal.keeper)
        terminal.attach_anew(looker, looker.open, looks=True)
    else:
        return "it lives in this program alone"
    return ""


async def find_terminals(manager: TerminalManager, fleet: FleetManager, *, read_only: bool = False) -> None:
    """Add what every server that is there now has. Servers that do not answer are left out."""
    servers = [name for name, live in fleet.state.servers.items() if live.live and keeps_terminals(live.hello)]
    for name, found in zip(servers, await asyncio.gather(*(_ask(fleet, name) for name in servers)), strict=True):
        for info in found:
            _add(manager, fleet, name, info, read_only=read_only)


async def _ask(fleet: FleetManager, server: str) -> list[TerminalInfo]:
    try:
        return await (await fleet.link(server).client()).terminals()
    except KomodoError:
        return []  # its state says so already, on every page


def _add(manager: TerminalManager, fleet: FleetManager, server: str, info: TerminalInfo, *, read_only: bool) -> None:
    target = f"{info.target}@{server}" if info.target else server
    kept = KeptTerminal.found(fleet.link(server), info.name, info)
    held = Looker(kept) if read_only else kept
    command = "attached" if info.attached else ("new: " if info.fresh else "") + (" ".join(info.command) or "shell")
    manager.add_found(
        held.open, info.name, target=target, command=command, keeper=held, opened=info.opened, attached=info.attached
    )
