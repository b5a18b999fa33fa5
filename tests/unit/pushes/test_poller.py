"""Looks at a real repository: what is a push, what is trouble, and who is asked how often."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.problems import AgentError
from komodo_tui.domain.errors import ActError, HostUnreachableError
from komodo_tui.domain.repos import RepoDefinition
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.operations.pushes import poller as module
from komodo_tui.operations.pushes.poller import Poller
from komodo_tui.store.pushes import PushStore
from tests.unit.repos.lab import Author, Server, git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from komodo_agent.wire.repos import RemoteHead, RepoSource


class Lab:
    """A poller between the agents of two servers, one of which may be away, and a queue."""

    def __init__(self, folder: Path) -> None:
        self.author = Author(folder)
        self.agent = Server(folder, self.author)
        self.store = PushStore(folder / "pushes.db")
        self.repo = RepoDefinition(
            name="shop", url=f"file://{self.author.bare}", branch="main", servers=("a", "b"), poll="10s"
        )
        self.repos = {"shop": self.repo}
        self.away: set[str] = set()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.pushed = 0
        servers = {name: ServerDefinition(name=name, address=name) for name in ("a", "b", "c")}
        states = {name: SimpleNamespace(live=True, definition=d) for name, d in servers.items()}
        fleet: Any = SimpleNamespace(link=self._link, state=SimpleNamespace(servers=states))
        values: Any = SimpleNamespace()
        self.poller = Poller(
            fleet, lambda: self.repos, lambda: servers, values, self.store, self._push, self.said.append
        )  # fmt: skip

    def _push(self) -> None:
        self.pushed += 1

    def _link(self, name: str) -> Any:
        async def remote_head(source: RepoSource) -> RemoteHead:
            self.asked.append(name)
            try:
                return await self.agent.clones.remote(source)
            except AgentError as error:
                raise ActError(error.message) from error

        async def client(timeout: float) -> Any:
            if name in self.away:
                self.asked.append(f"{name}!")
                raise HostUnreachableError("no answer", server=name)
            return SimpleNamespace(remote_head=remote_head)

        return SimpleNamespace(client=client)

    async def look(self) -> bool:
        """Once."""
        return await self.poller.look(self.repo)

    @property
    def problem(self) -> str:
        """What is wrong with the repo."""
        return self.store.seen()["shop"].problem


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """One commit is pushed."""
    lab = Lab(tmp_path)
    yield lab
    lab.store.close()


async def test_pushes_and_force_pushes_are_found_and_the_first_look_is_none(lab: Lab) -> None:
    assert not await lab.look()
    second = lab.author.push("second")
    assert await lab.look()
    git(lab.author.work, "reset", "--quiet", "--hard", "HEAD~1")
    third = lab.author.push("instead", "--force")
    assert await lab.look()
    assert not await lab.look()
    (push,) = lab.store.recent()
    assert (push.commit, push.count, push.source, lab.pushed) == (third, 2, "poll", 2)
    assert lab.said[0].endswith("what comes after counts"), "where it stood is told once"
    assert second[:12] in lab.said[1]


async def test_a_repository_that_vanishes_or_is_emptied_sets_nothing_off(lab: Lab) -> None:
    await lab.look()
    moved = lab.author.bare.with_name("moved")
    lab.author.bare.rename(moved)
    assert [await lab.look() for _ in range(3)] == [False] * 3
    assert "no repository at" in lab.problem
    assert ["no repository" in line for line in lab.said] == [False, True], "it is told once"
    moved.rename(lab.author.bare)
    assert not await lab.look()
    assert lab.problem == ""
    git(lab.author.bare, "update-ref", "-d", "refs/heads/main")
    assert not await lab.look()
    assert "no branch main" in lab.problem
    git(lab.author.work, "push", "--quiet", "origin", "HEAD")
    assert not await lab.look(), "the same commit is back"
    assert lab.store.recent() == []


async def test_another_server_is_asked_where_one_is_away(lab: Lab) -> None:
    lab.away = {"a"}
    await lab.look()
    await lab.look()
    assert lab.asked == ["a!", "b", "b"]
    lab.away = {"a", "b"}
    await lab.look()
    assert "no answer" in lab.problem


async def test_without_servers_of_its_own_any_looks(lab: Lab) -> None:
    lab.repo = msgspec.structs.replace(lab.repo, servers=())
    await lab.look()
    assert lab.problem == ""


async def test_a_host_that_fails_is_left_alone_for_a_while(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SPREAD", 0.0)
    lab.author.bare.rename(lab.author.bare.with_name("moved"))
    lab.repos = {
        f"r{number}": msgspec.structs.replace(lab.repo, name=f"r{number}", poll="5s") for number in range(20)
    }  # fmt: skip
    task = asyncio.create_task(lab.poller.run())
    while len(lab.asked) < 3:
        await asyncio.sleep(0.01)
    while lab.poller._looking:
        await asyncio.sleep(0.01)
    count = len(lab.asked)
    assert lab.poller._hosts[""][0] >= module._HOST_FAILURES
    lab.repos["late"] = msgspec.structs.replace(lab.repo, name="late", poll="5s")
    lab.poller._begin(lab.repos["late"], asyncio.get_running_loop().time())
    assert "late" not in lab.poller._looking
    assert len(lab.asked) == count
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
