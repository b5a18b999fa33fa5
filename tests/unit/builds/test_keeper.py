"""Who goes on with what follows a build whose program has ended, and who does not; and which server builds."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.wire.jobs import Job
from komodo_agent.wire.models import Engine, HostSample
from komodo_tui.domain.builds import BuildDefinition, BuildOperation
from komodo_tui.domain.errors import UnreachableError
from komodo_tui.domain.operations import ActionRecord, Actor, StepResult, Target
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet.live import FleetState
from komodo_tui.operations.build_keeper import FollowKeeper
from komodo_tui.operations.build_prepare import pick_server
from komodo_tui.operations.locking import TargetLocks
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.follow_ups import FollowUpStore
from komodo_tui.store.history import History
from komodo_tui.store.paths import state_directory

if TYPE_CHECKING:
    from pathlib import Path

    from komodo_tui.domain.operations import Outcome

BUILD = BuildDefinition(name="api", dockerfile="FROM a\n", redeploy_on_build=("shop",))
ANA = Actor(name="ana")


class Scene:
    """Real stores; an executor that plans and does nothing, and says what it did."""

    def __init__(self, folder: Path) -> None:
        self.paths = state_directory(folder)
        self.now = time.time()
        self.history = History(self.paths.history, clock=lambda: self.now)
        self.store = FollowUpStore(self.paths.follow_ups)
        self.done: list[str] = []
        self.said: list[str] = []
        runtime: Any = SimpleNamespace(
            state_dir=self.paths, definitions=DefinitionStore(self.paths.definitions), history=self.history,
            fleet=SimpleNamespace(state=SimpleNamespace(servers={}), link=self._link), executor=self,
            deployables=SimpleNamespace(find=lambda name: name),
            preparer=SimpleNamespace(places=lambda stack: (), deploy=self._deploy),
        )  # fmt: skip
        self.keeper = FollowKeeper(runtime, self.said.append, grace=0.0)

    def build(self, act: str, version: str, outcome: Outcome | None) -> None:
        """One that was begun, and may have ended."""
        target = Target(server="web-1", name="api")
        operation = msgspec.to_builtins(BuildOperation(build=BUILD, server="web-1", version=version, follow_up=True))
        self.store.note(act, "api", self.now)
        self.history.begin(
            ActionRecord(id=act, seq=0, started=self.now, actor=ANA, act="build", targets=(target,),
                         operation=operation, title=f"Build {version}")
        )  # fmt: skip
        if outcome is not None:
            ok = outcome == "success"
            self.history.finish(act, outcome, [StepResult(target=target, ok=ok, result={"image": "sha256:1"})])

    # -- what the executor and the fleet are to it ---------------------------------------------------------------

    def plan(self, operation: Any) -> Any:
        return SimpleNamespace(operation=operation, phrase="")

    async def submit(self, plan: Any, actor: Actor, **given: Any) -> ActionRecord:
        self.done.append(f"{plan.operation} by {actor}")
        return ActionRecord(id=given["act_id"], seq=9, started=0.0, actor=actor, act="deploy", outcome="success")

    async def recover(self, patience: float) -> None:
        """Nothing can be learned."""

    def under_way(self, record: ActionRecord) -> bool:
        return False

    async def _deploy(self, stack: str) -> str:
        return f"deploy {stack}"

    def _link(self, server: str) -> Any:
        async def client(timeout: float = 0.0) -> Any:
            raise UnreachableError("it is away")

        return SimpleNamespace(client=client)


async def test_what_was_left_is_done_in_the_name_of_who_asked(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.build("a", "1.0.0", "success")
    ((name, (step,)),) = await scene.keeper.once()
    assert (name, step.what, step.ok) == ("api", "redeploy shop", True)
    assert scene.done == ["deploy shop by ana"]
    assert await scene.keeper.once() == []
    assert scene.done == ["deploy shop by ana"]


@pytest.mark.parametrize(("outcome", "left"), [("failed", 0), ("cancelled", 0), (None, 1)])
async def test_nothing_follows_a_build_that_did_not_succeed_or_still_runs(
    tmp_path: Path, outcome: Outcome | None, left: int
) -> None:
    scene = Scene(tmp_path)
    scene.build("a", "1.0.0", outcome)
    assert await scene.keeper.once() == []
    assert (scene.done, len(scene.store.open())) == ([], left)


async def test_what_is_too_late_is_left_to_a_person(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.now -= 4 * 86400
    scene.build("a", "1.0.0", "success")
    await scene.keeper.once()
    found = scene.store.get("a")
    assert found is not None
    assert (found.state, "--resume" in found.words) == ("failed", True)
    scene.now += 1
    scene.build("b", "1.0.1", None)
    scene.now = time.time()
    scene.build("c", "1.0.2", "success")
    scene.store.write("a", [])  # open again
    await scene.keeper.once()
    found = scene.store.get("a")
    assert found is not None
    assert "1.0.2 was built after it" in found.words
    assert scene.done == ["deploy shop by ana"]  # of the newest


async def test_one_that_never_began_is_forgotten_and_one_that_is_worked_on_is_left_alone(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.store.note("never", "api", scene.now)
    locks = TargetLocks(scene.paths.locks)
    with locks.hold(["build api"]):  # about to begin
        await scene.keeper.once()
        assert len(scene.store.open()) == 1
    await scene.keeper.once()
    assert scene.store.open() == []
    scene.build("a", "1.0.0", "success")
    with locks.hold(["follow-up a"]):
        assert await scene.keeper.once() == []
    assert scene.done == []


def test_the_least_loaded_server_builds() -> None:
    state = FleetState()
    for name, cpu in (("idle", 5.0), ("busy", 90.0), ("building", 1.0)):
        live = state.define(ServerDefinition(name=name, address=name))
        live.status, live.engine = "up", Engine(status="up")
        live.sample = HostSample(
            at=0.0, cpu=cpu, cores=(cpu,), load=(0.0, 0.0, 0.0), memory_total=1, memory_used=0, memory_cached=0,
            swap_total=0, swap_used=0, net_rx=0.0, net_tx=0.0, disk_read=0.0, disk_write=0.0,
        )  # fmt: skip
    job = Job(id="j", kind="build", target="x", status="running")
    state.servers["building"].jobs["j"] = job
    names = ["busy", "building", "idle"]
    assert pick_server(BUILD, names, state) == "idle"
    assert pick_server(BUILD, ["busy", "building"], state) == "busy"
    state.servers["building"].jobs["j"] = msgspec.structs.replace(job, status="succeeded")
    assert pick_server(BUILD, names, state) == "building"
