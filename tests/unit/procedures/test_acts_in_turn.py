"""Acts of one target that are done one after the other: none after one that failed, where they need each other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from komodo_tui.domain.operations import ActionRecord, Actor, ContainerOperation, StepResult, Target
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.syncs import SyncBase, SyncDefinition, check_sync
from komodo_tui.operations.definition_files import KINDS
from komodo_tui.operations.procedures.acts import Attempts
from komodo_tui.operations.procedures.parts import Work
from komodo_tui.operations.procedures.syncs import _Then
from komodo_tui.operations.syncs.looking import Pending
from komodo_tui.operations.syncs.reading import SourceFiles
from komodo_tui.store.fleet_files import FleetFile

FLEET = Target(server="", name="fleet")
SYNC = SyncDefinition(name="fleet", folder="/etc/fleet")


def record(ok: bool) -> ActionRecord:
    """How an act ended."""
    end: Any = "done" if ok else "failed"
    return ActionRecord(
        id="a", seq=1, started=1.0, ended=2.0, actor=Actor(name="sync"), act="define", targets=(FLEET,), title="Edit",
        operation={}, outcome="success" if ok else "failed",
        steps=(StepResult(target=FLEET, ok=ok, end=end, error="" if ok else "it is locked"),),
    )  # fmt: skip


class Executor:
    """Does acts named by their verbs; one that is a ``stop`` fails."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def plan(self, operation: ContainerOperation) -> Any:
        return SimpleNamespace(confirm="", phrase="", verb=operation.verb)

    async def submit(self, plan: Any, actor: Actor, **_: Any) -> ActionRecord:
        self.done.append(plan.verb)
        return record(plan.verb != "stop")


@pytest.mark.parametrize(("needs_all", "done"), [(True, ["start", "stop"]), (False, ["start", "stop", "restart"])])
async def test_none_is_done_after_one_that_failed(needs_all: bool, done: list[str]) -> None:
    executor, written = Executor(), list[Any]()

    async def write(*entries: Any) -> None:
        written.extend(entries)

    parts: Any = SimpleNamespace(executor=executor, actor=Actor(name="sync"))
    journal: Any = SimpleNamespace(write=write, run="r")
    step = steps.SyncApply(sync="fleet")

    async def works(targets: Any) -> list[Work]:
        verbs: Any = ("start", "stop", "restart")
        return [Work(ContainerOperation(verb=verb, targets=(FLEET,)), (FLEET,), None, needs_all) for verb in verbs]

    found = await Attempts(parts, journal, (0, 0), step, works, in_turn=True).run([FLEET], {})
    assert executor.done == done
    assert (found[FLEET].ok, found[FLEET].error) == (False, "it is locked")


async def test_nothing_is_deployed_after_a_definition_that_could_not_be_changed() -> None:
    finished: list[str] = []

    class Applier:
        async def finish(self, sync: SyncDefinition, *_: Any) -> Any:
            finished.append(sync.name)
            return SimpleNamespace(ok=True)

    pending = Pending(SourceFiles("", {}, {}), FleetFile(), [], {}, {}, SyncBase())
    applier: Any = Applier()
    then = _Then(applier, SYNC, pending, [])

    async def submit(plan: Any, act_id: str = "") -> ActionRecord:
        raise AssertionError("nothing follows")

    await then(record(ok=False), submit)
    assert finished == []
    await then(record(ok=True), submit)
    assert finished == ["fleet"]


def test_a_sync_may_name_each_kind_that_files_have() -> None:
    kinds = tuple(kind.word for kind in KINDS)
    assert check_sync(SyncDefinition(name="fleet", folder="/etc/fleet", kinds=kinds)).kinds == kinds
