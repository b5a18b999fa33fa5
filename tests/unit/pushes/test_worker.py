"""What becomes of pushes whose run fails, whose repo is gone, or whose worker was killed before the run began."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_tui.domain.errors import ReadOnlyError, UsageError
from komodo_tui.domain.operations import Actor, Target
from komodo_tui.domain.procedures.journal import RunEnded, RunStarted, TargetEnded
from komodo_tui.domain.pushes import OnPush, Push, SeenBranch, run_of
from komodo_tui.domain.repos import RepoDefinition
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.operations.pushes import worker
from komodo_tui.operations.pushes.by_hand import push_by_hand
from komodo_tui.operations.pushes.worker import PushWorker
from komodo_tui.store.paths import state_directory
from komodo_tui.store.pushes import PushStore
from komodo_tui.store.runs import RunStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "git@host:shop.git"


class Worker(PushWorker):
    """One whose runs only say how they end."""

    result: tuple[bool, str] | Exception = (True, "")
    ran: list[Push]

    async def _fresh(self, push: Push, repo: RepoDefinition) -> tuple[bool, str]:
        self.ran.append(push)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


class Lab:
    """A worker, a queue, and one server."""

    def __init__(self, folder: Path) -> None:
        self.store = PushStore(folder / "pushes.db")
        self.repos = {"shop": RepoDefinition(name="shop", url=URL, servers=("web",))}
        self.server = SimpleNamespace(live=True, definition=ServerDefinition(name="web", address="web"))
        runtime: Any = SimpleNamespace(
            fleet=SimpleNamespace(state=SimpleNamespace(servers={"web": self.server})), executor=None
        )
        self.said: list[str] = []
        self.runs = RunStore(folder / "runs")
        self.worker = Worker(self.store, lambda: self.repos, runtime, self.runs, self.said.append)
        self.worker.ran = []

    def push(self, commit: str, repo: str = "shop") -> None:
        """One more waits."""
        seen = SeenBranch(repo=repo, url=URL, branch="", commit=commit)
        self.store.delivered(Push(repo=repo, commit=commit), seen, (f"{repo}{commit}",), 1.0)

    def begun(self, run: str) -> None:
        """A run of this id has begun, and its process is gone."""
        definition = msgspec.to_builtins(run_of("shop", [], pull=False))
        self.runs.begin(
            RunStarted(
                run=run, procedure="push.shop", definition=definition, parameters={}, actor=Actor(name="a"), pid=1
            )
        )

    @property
    def newest(self) -> Push:
        """The newest push."""
        return self.store.recent()[0]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Nothing waits."""
    lab = Lab(tmp_path)
    yield lab
    lab.store.close()


async def test_a_failure_waits_for_the_next_push_unless_a_server_was_away(lab: Lab) -> None:
    lab.push("a")
    lab.worker.result = (False, "stage deploy: it is not healthy")
    await lab.worker.once()
    assert (lab.newest.state, lab.newest.note) == ("failed", "stage deploy: it is not healthy")
    assert lab.store.next_due() is None
    lab.server.live = False
    lab.push("b")
    await lab.worker.once()
    assert (lab.newest.state, lab.newest.tries) == ("pending", 1)
    assert "tried again, web being away" in lab.newest.note
    assert lab.store.next_due() is not None
    await lab.worker.once()
    assert len(lab.worker.ran) == 2, "not before its time"


async def test_a_server_that_the_run_needed_is_waited_for_though_it_has_no_clone(lab: Lab) -> None:
    lab.repos["shop"] = msgspec.structs.replace(lab.repos["shop"], servers=())
    lab.server.live = False
    lab.push("a")
    push = lab.store.claim("20261126-120000-abcdef", 2.0)
    assert push is not None
    lab.begun(push.run)
    target = Target(server="web", name="shop")
    lab.runs.append(push.run, TargetEnded(stage=0, step=0, target=target, attempt=1, end="failed", error="away"),
                    RunEnded(outcome="failed", summary="web is away"))  # fmt: skip
    await lab.worker.once()
    assert (lab.newest.state, lab.newest.note) == ("pending", "web is away; it is tried again, web being away")


async def test_a_run_that_somebody_brought_to_its_end_by_hand_is_how_the_push_ended(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.repos["shop"] = msgspec.structs.replace(lab.repos["shop"], servers=())
    lab.push("a")
    push = lab.store.claim("20261126-120000-abcdef", 2.0)
    assert push is not None
    lab.begun(push.run)
    by_hand = lab.runs.lock(push.run)
    by_hand.acquire()

    async def ended(seconds: float) -> None:
        lab.runs.append(push.run, RunEnded(outcome="success"))
        by_hand.release()

    monkeypatch.setattr(worker, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": ended}))
    async with asyncio.timeout(20):
        await lab.worker.once()
    assert (lab.newest.state, lab.newest.note) == ("done", "")


async def test_what_the_sender_told_is_enough_only_to_do_something(lab: Lab) -> None:
    site, docs = OnPush(deploy="web", paths=("site/**",)), OnPush(build="docs", paths=("docs/**", "!*.png"))
    repo = msgspec.structs.replace(lab.repos["shop"], servers=(), on_push=(site, docs))
    push = Push(repo="shop", before="a", commit="b")
    lab.worker.told("shop", ["docs/a.png"])
    lab.worker.told("shop", ["site/x"])
    assert await lab.worker._changed(push, repo) is None, "nobody can be asked: all is done"
    lab.worker.told("shop", ["docs/a.md"])
    assert await lab.worker._changed(push, repo) is None, "what was told of the one before counts no more"
    lab.worker.told("shop", ["site/x", "docs/a.md"])
    assert await lab.worker._changed(push, repo) == ("site/x", "docs/a.md")


async def test_a_push_to_a_repo_that_is_gone_ends(lab: Lab) -> None:
    lab.push("a", repo="gone")
    await lab.worker.once()
    assert (lab.newest.state, lab.newest.note) == ("failed", "there is no repo gone any more")


async def test_a_push_that_was_only_taken_from_the_queue_is_begun_under_the_same_run(lab: Lab) -> None:
    lab.push("a")
    taken = lab.store.claim("20261126-120000-abcdef", 2.0)
    await lab.worker.once()
    assert lab.worker.ran == [taken]
    assert lab.newest.state == "done"


async def test_one_that_runs_for_long_forgets_old_deliveries_every_day(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruned: list[float] = []
    monkeypatch.setattr(lab.store, "prune", lambda known, now: pruned.append(now))
    for count in (1, 1):
        await lab.worker._fill()
        assert len(pruned) == count
    lab.worker._pruned -= 86400.0
    await lab.worker._fill()
    assert len(pruned) == 2


async def test_a_fault_of_the_program_leaves_the_push_open_and_is_not_hidden(lab: Lab) -> None:
    lab.push("a")
    lab.worker.result = ValueError("a fault")
    with pytest.raises(ValueError, match="a fault"):
        async with asyncio.timeout(20):
            await lab.worker.run()
    assert [push.state for push in lab.store.running()] == ["running"]


async def test_a_push_by_hand_is_a_push_and_is_refused_where_it_would_do_nothing(lab: Lab, tmp_path: Path) -> None:
    paths = state_directory(tmp_path)
    actor = Actor(name="ana")
    repo = lab.repos["shop"]
    with pytest.raises(UsageError, match="sets nothing off"):
        push_by_hand(paths, repo, actor, read_only=False)
    repo = lab.repos["shop"] = msgspec.structs.replace(repo, on_push=(OnPush(deploy="web"),))
    with pytest.raises(ReadOnlyError):
        push_by_hand(paths, repo, actor, read_only=True)
    assert lab.store.recent() == []
    assert not push_by_hand(paths, repo, actor, read_only=False)
    assert not push_by_hand(paths, repo, actor, read_only=False)
    await lab.worker.once()
    assert [(push.source, push.who, push.count) for push in lab.worker.ran] == [("hand", "ana", 2)]
