"""The gate: what is refused, what is written when, and that every act ends in exactly one outcome."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, get_args

import msgspec
import pytest

from komodo_agent.wire.jobs import ContainerAct, ContainerVerb, CreateContainer
from komodo_tui.domain.errors import (
    ExitCode,
    LockedError,
    NotConfirmedError,
    NotFoundError,
    ReadOnlyError,
    RefusedError,
    StoreError,
)
from komodo_tui.domain.operations import CreateOperation, Operation, ServerOperation
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.settings import Settings
from komodo_tui.operations import job_steps
from komodo_tui.operations.intents import HIDDEN
from komodo_tui.operations.job_steps import OutcomeUnknownError
from komodo_tui.operations.outcomes import exit_code
from tests.unit.operations.lab import ACTOR, container, operation, until

if TYPE_CHECKING:
    from pathlib import Path

    from komodo_tui.operations.progress import StepProgress
    from tests.unit.operations.lab import Lab


async def test_an_act_leaves_intent_and_outcome(lab: Lab) -> None:
    web, other = container("web", 1), container("other", 2)
    lab.has("web-1", web, other)
    executor = lab.process()
    plan = executor.plan(operation("restart", ("web-1", web), ("web-1", other)))
    told: list[StepProgress] = []
    record = await executor.submit(plan, ACTOR, given=True, progress=told.append)
    assert record.outcome == "success"
    assert record.title == "Restart 2 containers on web-1"
    assert [str(step.target) for step in record.steps] == ["web@web-1", "other@web-1"]
    assert all(step.commands == ("docker ContainerAct",) for step in record.steps)
    assert record.after == "web: running, other: running"
    assert lab.history.query() == [record]
    assert lab.history.verify().rows == 2
    assert {p.index for p in told if p.status == "done"} == {0, 1}
    assert any("docker ContainerAct" in p.output for p in told)


async def test_the_intent_is_on_disk_before_the_first_effect(lab: Lab) -> None:
    web = container("web")
    lab.has("web-1", web)
    server = lab.fleet.servers["web-1"]
    server.gate.clear()
    executor = lab.process()
    task = asyncio.create_task(executor.submit(executor.plan(operation("stop", ("web-1", web))), ACTOR, given=True))
    await until(lambda: bool(server.ran))
    (open_record,) = lab.history.unfinished()
    assert open_record.act == "stop"
    assert executor.under_way(open_record)
    assert executor.running()[0].id == open_record.id
    server.gate.set()
    assert (await task).outcome == "success"
    assert lab.history.unfinished() == []
    assert executor.running() == ()


async def test_without_a_writable_history_nothing_is_done(lab: Lab, tmp_path: Path) -> None:
    web = container("web")
    lab.has("web-1", web)
    executor = lab.process()
    plan = executor.plan(operation("stop", ("web-1", web)))
    lab.history.close()
    (tmp_path / "history").rmdir() if (tmp_path / "history").exists() else None
    (tmp_path / "history").write_text("in the way")
    with pytest.raises(StoreError):
        await executor.submit(plan, ACTOR, given=True)
    assert lab.fleet.servers["web-1"].ran == []
    (tmp_path / "history").unlink()


def every_operation() -> list[Operation]:
    web = container("web")
    acts: list[Operation] = [
        operation(verb, ("web-1", web), new_name="new" if verb == "rename" else "") for verb in get_args(ContainerVerb)
    ]
    new = ServerDefinition(name="new", address="root@new")
    changed = ServerDefinition(name="web-1", address="root@elsewhere")
    return [
        *acts,
        CreateOperation(servers=("web-1",), container=CreateContainer(image="busybox")),
        ServerOperation(verb="add", server="new", definition=new),
        ServerOperation(verb="edit", server="web-1", definition=changed, rev=1),
        ServerOperation(verb="remove", server="web-1", rev=1),
        ServerOperation(verb="install_agent", server="web-1"),
    ]


@pytest.mark.parametrize(
    "wanted", every_operation(), ids=lambda o: f"{type(o).__name__}-{getattr(o, 'verb', 'create')}"
)
async def test_read_only_refuses_every_operation(lab: Lab, wanted: Operation) -> None:
    lab.has("web-1", container("web"))
    executor = lab.process(Settings(read_only=True))
    before = lab.definitions.known()
    with pytest.raises(ReadOnlyError):
        await executor.submit(executor.plan(wanted), ACTOR, given=True)
    assert lab.fleet.servers["web-1"].ran == []
    assert lab.definitions.known() == before
    assert lab.history.query() == []


@pytest.mark.parametrize(("server", "given"), [("web-1", False), ("web-1", "yes"), ("db-1", True), ("db-1", "wrong")])
async def test_what_was_not_confirmed_is_refused(lab: Lab, server: str, given: str | bool) -> None:
    web = container("web")
    lab.has(server, web)
    executor = lab.process()
    with pytest.raises(NotConfirmedError):
        await executor.submit(executor.plan(operation("remove", (server, web))), ACTOR, given=given)
    assert lab.fleet.servers[server].ran == []


async def test_a_typed_name_confirms(lab: Lab) -> None:
    db = container("db")
    lab.has("db-1", db)
    executor = lab.process()
    plan = executor.plan(operation("remove", ("db-1", db)))
    assert (plan.confirm, plan.phrase) == ("type", "db")
    assert (await executor.submit(plan, ACTOR, given="db")).outcome == "success"


async def test_one_act_at_a_time_on_one_target(lab: Lab) -> None:
    web, other = container("web", 1), container("other", 2)
    lab.has("web-1", web, other)
    server = lab.fleet.servers["web-1"]
    server.gate.clear()
    one, two = lab.process(), lab.process()
    first = asyncio.create_task(one.submit(one.plan(operation("stop", ("web-1", web))), ACTOR, given=True))
    await until(lambda: bool(server.ran))
    with pytest.raises(LockedError, match=r"Stop web@web-1, by ana from 10\.0\.0\.9"):
        await two.submit(two.plan(operation("restart", ("web-1", web), ("web-1", other))), ACTOR, given=True)
    await until(lambda: len(server.ran) == 1)
    apart = asyncio.create_task(two.submit(two.plan(operation("start", ("web-1", other))), ACTOR, given=True))
    await until(lambda: len(server.ran) == 2)
    server.gate.set()
    assert [(await first).outcome, (await apart).outcome] == ["success", "success"]
    assert len(lab.history.query()) == 2, "what was refused leaves no act"


async def test_destructive_acts_need_the_state_that_was_shown(lab: Lab) -> None:
    web = container("web")
    lab.has("web-1", web)
    executor = lab.process()
    plan = executor.plan(operation("remove", ("web-1", web), force=True))
    lab.has("web-1", msgspec.structs.replace(web, state="exited"))
    with pytest.raises(RefusedError, match=r"was running, now web is exited"):
        await executor.submit(plan, ACTOR, given=True)
    assert lab.fleet.servers["web-1"].ran == []


@pytest.mark.parametrize("verb", ["remove", "restart"])
async def test_a_container_that_was_replaced_is_not_touched(lab: Lab, verb: ContainerVerb) -> None:
    web = container("web", 1)
    lab.has("web-1", web)
    executor = lab.process()
    plan = executor.plan(operation(verb, ("web-1", web)))
    lab.has("web-1", container("web", 2))
    with pytest.raises(NotFoundError, match="web is not on web-1 any more"):
        await executor.submit(plan, ACTOR, given=True)
    assert lab.fleet.servers["web-1"].ran == []
    assert lab.history.query() == []


async def test_some_fail(lab: Lab) -> None:
    good, bad = container("good", 1), container("bad", 2)
    lab.has("web-1", good, bad)
    lab.fleet.servers["web-1"].broken[bad.id] = "no space left on device"
    executor = lab.process()
    plan = executor.plan(operation("start", ("web-1", good), ("web-1", bad)))
    record = await executor.submit(plan, ACTOR, given=True)
    assert record.outcome == "failed"
    assert record.summary == "1 of 2 done; bad@web-1: no space left on device"
    assert exit_code(record) == ExitCode.PARTLY_FAILED


async def test_a_server_away_from_the_start_fails_the_act_and_is_written_down(lab: Lab) -> None:
    web = container("web")
    lab.has("web-1", web)
    executor = lab.process()
    plan = executor.plan(operation("restart", ("web-1", web)))
    lab.fleet.servers["web-1"].away = True
    record = await executor.submit(plan, ACTOR, given=True)
    assert (record.outcome, record.summary) == ("failed", "connection lost")
    assert exit_code(record) == ExitCode.UNREACHABLE


async def test_an_act_outlives_who_asked_for_it(lab: Lab) -> None:
    web = container("web")
    lab.has("web-1", web)
    server = lab.fleet.servers["web-1"]
    server.gate.clear()
    executor = lab.process()
    task = asyncio.create_task(executor.submit(executor.plan(operation("stop", ("web-1", web))), ACTOR, given=True))
    await until(lambda: bool(server.ran))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(executor.running()) == 1
    server.gate.set()
    await until(lambda: not executor.running())
    assert lab.history.query()[0].outcome == "success"


async def test_cancel_stops_jobs_and_leaves_out_the_rest(lab: Lab) -> None:
    containers = [container(f"c{n}", n) for n in range(1, 9)]
    lab.has("web-1", *containers)
    server = lab.fleet.servers["web-1"]
    server.gate.clear()
    executor = lab.process()
    plan = executor.plan(operation("stop", *(("web-1", c) for c in containers)))
    task = asyncio.create_task(executor.submit(plan, ACTOR, given=True))
    await until(lambda: len(server.ran) == Settings().parallel)
    await executor.cancel(executor.running()[0].id)
    record = await task
    assert record.outcome == "cancelled"
    assert record.summary == "0 of 8 done; 8 cancelled"
    assert len(server.ran) == Settings().parallel
    assert exit_code(record) == ExitCode.INTERRUPTED


async def test_steps_on_one_server_are_few_at_once_and_servers_do_not_wait_for_each_other(lab: Lab) -> None:
    many, one = [container(f"c{n}", n) for n in range(1, 7)], container("db", 99)
    lab.has("web-1", *many)
    lab.has("db-1", one)
    web, db = lab.fleet.servers["web-1"], lab.fleet.servers["db-1"]
    web.gate.clear()
    executor = lab.process(Settings(parallel=2))
    plan = executor.plan(operation("stop", *(("web-1", c) for c in many), ("db-1", one)))
    task = asyncio.create_task(executor.submit(plan, ACTOR, given=True))
    await until(lambda: bool(db.ran) and len(web.ran) == 2)
    web.gate.set()
    assert (await task).outcome == "success"
    assert len(web.ran) == 6


async def test_losing_the_link_does_not_end_the_act(lab: Lab) -> None:
    web = container("web")
    lab.has("web-1", web)
    server = lab.fleet.servers["web-1"]
    server.gate.clear()
    executor = lab.process()
    told: list[StepProgress] = []
    plan = executor.plan(operation("restart", ("web-1", web)))
    task = asyncio.create_task(executor.submit(plan, ACTOR, given=True, progress=told.append))
    await until(lambda: bool(server.ran))
    server.away = True
    await until(lambda: any(p.status == "reconnecting" for p in told))
    server.gate.set()
    server.away = False
    assert (await task).outcome == "success"
    assert len(server.ran) == 1, "the job was not sent twice"


async def test_a_server_away_for_too_long_leaves_the_act_open_until_it_answers(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_steps, "PATIENCE", 0.0)
    web = container("web")
    lab.has("web-1", web)
    server = lab.fleet.servers["web-1"]
    server.gate.clear()
    executor = lab.process()
    plan = executor.plan(operation("restart", ("web-1", web)))
    task = asyncio.create_task(executor.submit(plan, ACTOR, given=True))
    await until(lambda: bool(server.ran))
    server.away = True
    with pytest.raises(OutcomeUnknownError, match="its outcome is not known yet"):
        await task
    assert len(lab.history.unfinished()) == 1
    (record,) = lab.history.unfinished()
    server.away = False
    closing = asyncio.create_task(executor.recover(1.0))
    await until(lambda: executor.under_way(record))
    waiting = asyncio.create_task(executor.recover(1.0))
    server.gate.set()
    await waiting
    assert lab.history.get(record.id).outcome == "success", "who asks meanwhile hears of it when it is closed"
    await closing


async def test_secrets_do_not_reach_the_history(lab: Lab, tmp_path: Path) -> None:
    executor = lab.process()
    secret = CreateContainer(
        image="busybox", environment={"DB_URL": "postgres://u:canary-1@db"}, registry_auth="canary-2"
    )
    plan = executor.plan(CreateOperation(servers=("web-1",), container=secret))
    record = await executor.submit(plan, ACTOR, given=True)
    assert record.operation["container"]["environment"] == {"DB_URL": HIDDEN}
    assert lab.fleet.servers["web-1"].ran == [secret], "the agent gets the real ones"
    for path in itertools.chain(tmp_path.glob("history/*"), tmp_path.glob("locks/*")):
        assert b"canary" not in path.read_bytes()


async def test_each_verb_reaches_the_agent_as_asked(lab: Lab) -> None:
    web = container("web")
    lab.has("web-1", web)
    executor = lab.process()
    await executor.submit(executor.plan(operation("stop", ("web-1", web), timeout=3)), ACTOR, given=True)
    await executor.submit(executor.plan(operation("rename", ("web-1", web), new_name="web2")), ACTOR, given=True)
    assert lab.fleet.servers["web-1"].ran == [
        ContainerAct(container=web.id, verb="stop", timeout=3),
        ContainerAct(container=web.id, verb="rename", new_name="web2"),
    ]


async def test_lock_files_do_not_pile_up(lab: Lab, tmp_path: Path) -> None:
    web = container("web")
    lab.has("web-1", web)
    executor = lab.process()
    for _ in range(3):
        await executor.submit(executor.plan(operation("restart", ("web-1", web))), ACTOR, given=True)
    assert list((tmp_path / "locks").iterdir()) == []
