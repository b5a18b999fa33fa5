"""A deploy that had to leave all as it was, and a process that was killed before it planned one: it is done again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from komodo_tui.domain.errors import ActError
from komodo_tui.domain.operations import ActionRecord, Actor, StepResult, Target
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.journal import TargetStarted
from komodo_tui.domain.stacks import StackDefinition, StackOperation
from komodo_tui.operations.procedures.parts import NO_ENVIRONMENT
from komodo_tui.operations.procedures.spread import SpreadRunner
from komodo_tui.operations.procedures.stacks import stack_works

SHOP = Target(server="web", name="shop")
STEP = steps.Deploy(stack="shop", only_if_changed=True)


def record(**result: str) -> ActionRecord:
    """An act that went well."""
    return ActionRecord(
        id="a", seq=1, started=1.0, ended=2.0, actor=Actor(name="push"), act="deploy", targets=(SHOP,), title="Deploy",
        operation={}, outcome="success", steps=(StepResult(target=SHOP, ok=True, result=result),),
    )  # fmt: skip


@pytest.mark.parametrize(("result", "done"), [({"left": "values for A"}, False), ({"outcome": "success"}, True)])
async def test_what_was_left_is_not_taken_for_done(result: dict[str, str], done: bool) -> None:
    history = SimpleNamespace(get=lambda action: record(**result))
    parts: Any = SimpleNamespace(runtime=SimpleNamespace(history=history))
    runner = SpreadRunner(parts, parts, (0, 0), STEP, NO_ENVIRONMENT)
    runner._used[SHOP] = 1
    learned = await runner._learned(TargetStarted(stage=0, step=0, target=SHOP, attempt=1, action="a"))
    assert (learned is not None, runner._used[SHOP]) == (done, int(done))


class Preparer:
    """Knows what a deploy of its own would be, and what it planned."""

    def __init__(self, *, known: bool) -> None:
        self.known = known
        self.planned: list[list[str]] = []

    async def unplanned(self, stack: StackDefinition, server: str) -> StackOperation | None:
        return StackOperation(verb="deploy", stack=stack.name, targets=()) if self.known else None

    async def deploy(self, stack: StackDefinition, servers: list[str], **_: Any) -> StackOperation:
        self.planned.append(servers)
        target: Any = SimpleNamespace(preview=None, server=servers[0])
        return StackOperation(verb="deploy", stack=stack.name, targets=(target,))


def parts_of(preparer: Preparer, *, unplanned: bool = True) -> Any:
    runtime = SimpleNamespace(
        preparer=preparer, deployables=SimpleNamespace(find=lambda name: StackDefinition(name=name)),
        executor=SimpleNamespace(plan=lambda operation: operation),
    )  # fmt: skip
    return SimpleNamespace(unplanned=unplanned, runtime=runtime)


async def test_what_was_left_is_planned_and_done_then() -> None:
    preparer = Preparer(known=True)
    (work,) = await stack_works(STEP, parts_of(preparer), [SHOP], NO_ENVIRONMENT)
    assert preparer.planned == []
    assert work.then is not None
    outcomes = ["success", "failed"]

    async def submit(plan: Any, act_id: str = "") -> Any:
        return SimpleNamespace(outcome=outcomes.pop(0), summary="not well")

    await work.then(record(outcome="success"), submit)
    assert preparer.planned == []
    await work.then(record(left="values for A"), submit)
    assert preparer.planned == [["web"]]
    with pytest.raises(ActError, match="not well"):
        await work.then(record(left="values for A"), submit)


@pytest.mark.parametrize(("known", "unplanned", "servers"), [
    (False, True, ["web"]), (True, False, ["web"]), (True, True, ["web", "web-2"]),
])  # fmt: skip
async def test_all_else_is_planned_before(known: bool, unplanned: bool, servers: list[str]) -> None:
    preparer = Preparer(known=known)
    targets = [Target(server=server, name="shop") for server in servers]
    (work,) = await stack_works(STEP, parts_of(preparer, unplanned=unplanned), targets, NO_ENVIRONMENT)
    assert preparer.planned == [servers]
    assert work.then is None
