"""Terminals that live in agents appear in the list, once, and are closed or only looked at as the settings say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from komodo_agent.wire.terminals import Attach, TerminalInfo
from komodo_tui.domain.errors import HostUnreachableError
from komodo_tui.ui.terminal.found import Looker, find_terminals, look_or_type
from komodo_tui.ui.terminal.manager import TerminalManager
from tests.ui.terminal.lab import local_core, until

INFO = TerminalInfo(
    id="1234-5678", name="mine", target="api", command=("top", "-d1"), opened=5.0, rows=24, cols=80, clients=0,
    container="1" * 64,
)  # fmt: skip


class Agent:
    """Has one terminal."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.attached: list[Attach] = []

    async def terminals(self) -> list[TerminalInfo]:
        return [INFO]

    async def end_terminal(self, id: str) -> None:
        self.asked.append(f"end {id}")

    async def rename_terminal(self, id: str, name: str) -> None:
        self.asked.append(f"rename {id} {name}")

    async def attach_terminal(self, id: str, request: Attach) -> Any:
        self.attached.append(request)
        raise HostUnreachableError("enough")


class Fleet:
    """One server with terminals, one whose agent is too old, one that is away."""

    def __init__(self) -> None:
        self.agent = Agent()
        new, old = SimpleNamespace(features=("terminals",)), SimpleNamespace(features=("exec",))
        self.state = SimpleNamespace(
            servers={
                "web-1": SimpleNamespace(live=True, hello=new),
                "old": SimpleNamespace(live=True, hello=old),
                "away": SimpleNamespace(live=False, hello=new),
            }
        )

    def link(self, name: str) -> Fleet:
        assert name == "web-1", "nobody else is asked"
        return self

    async def client(self) -> Agent:
        return self.agent


async def found(manager: TerminalManager, fleet: Any, *, read_only: bool = False) -> None:
    await find_terminals(manager, fleet, read_only=read_only)


async def test_they_are_listed_once_as_they_are() -> None:
    manager, fleet = TerminalManager(local_core), Fleet()
    await found(manager, fleet)
    await found(manager, fleet)
    (terminal,) = manager.terminals
    assert (terminal.name, terminal.target, terminal.command) == ("mine", "api@web-1", "top -d1")
    assert terminal.opened == 5.0
    assert terminal.state == "new"
    assert manager.current is terminal
    assert manager.running == 0


async def test_closing_ends_it_where_it_lives_and_quitting_does_not() -> None:
    manager, fleet = TerminalManager(local_core), Fleet()
    await found(manager, fleet)
    await manager.terminals[0].rename("other")
    await manager.close(manager.terminals[0])
    assert fleet.agent.asked == ["rename 1234-5678 other", "end 1234-5678"]
    await found(manager, fleet)
    await manager.close_all()
    assert len(fleet.agent.asked) == 2


async def test_in_read_only_mode_it_is_looked_at_alone() -> None:
    manager, fleet = TerminalManager(local_core), Fleet()
    await found(manager, fleet, read_only=True)
    terminal = manager.terminals[0]
    assert isinstance(terminal.keeper, Looker)
    terminal.start(80, 24)
    await until(lambda: terminal.state == "failed", "the answer")
    assert fleet.agent.attached[0].read_only
    await manager.close(terminal)
    assert fleet.agent.asked == []


async def test_one_may_only_be_looked_at_and_typed_into_again() -> None:
    manager, fleet = TerminalManager(local_core), Fleet()
    await found(manager, fleet)
    terminal = manager.terminals[0]
    assert look_or_type(terminal) == ""
    assert (terminal.looks, terminal.keeper.id if terminal.keeper else "") == (True, "1234-5678")
    terminal.start(80, 24)
    await until(lambda: terminal.state == "failed", "the answer")
    assert (fleet.agent.attached[0].read_only, fleet.agent.attached[0].open) == (True, None)
    assert look_or_type(terminal) == "it does not run"
    terminal.state = "new"
    assert look_or_type(terminal) == ""
    terminal.start(80, 24)
    await until(lambda: len(fleet.agent.attached) == 2, "the question")
    assert (fleet.agent.attached[1].read_only, fleet.agent.attached[1].open) == (False, None), "the same program"
    await manager.close(terminal)
