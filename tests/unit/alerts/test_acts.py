"""Acknowledging and muting through the real executor: planned, refused where it makes no sense, in the history."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_tui.cli import main
from komodo_tui.domain.alerts import AlertOperation, Mute, Subject, Transition
from komodo_tui.domain.errors import ExitCode, NotFoundError, ReadOnlyError, RefusedError, UsageError
from komodo_tui.domain.operations import Actor
from komodo_tui.domain.settings import Settings
from komodo_tui.fleet.live import FleetState
from komodo_tui.headless.alerts import read_pattern
from komodo_tui.operations.executor import Executor
from komodo_tui.operations.locking import TargetLocks
from komodo_tui.store.alerts import AlertStore
from komodo_tui.store.history import History

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACTOR = Actor(name="ana", sudo_user="", ssh_client="", via="cli")
OPENED = Transition(subject=Subject("db-01", "disk", "/var"), change="opened", level="warning", text="/var 81% used")


class Desk:
    """A store with one open alert and the executor before it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = AlertStore(folder / "alerts.db")
        self.store.apply([OPENED], time.time())
        self.history = History(folder / "history")

    def executor(self, settings: Settings | None = None) -> Executor:
        fleet: Any = SimpleNamespace(state=FleetState(), link=None)
        definitions: Any = SimpleNamespace(known=dict)
        locks = TargetLocks(self.folder / "locks")
        return Executor(fleet, self.history, definitions, settings or Settings(), locks, alerts=self.store)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.history.close()
    made.store.close()


async def test_acknowledging_is_an_act(desk: Desk) -> None:
    executor = desk.executor()
    plan = executor.plan(AlertOperation(verb="acknowledge", alerts=(1, 1), note="disk ordered"))
    assert [step.command for step in plan.steps] == ["komodo-tui alerts --ack 1"]
    record = await executor.submit(plan, ACTOR)
    assert (record.outcome, record.act, str(record.targets[0])) == ("success", "acknowledge", "/var@db-01")
    alert = desk.store.get(1, time.time())
    assert (alert.acknowledged_by, alert.note) == ("ana", "disk ordered")
    with pytest.raises(RefusedError, match="by ana"):
        executor.plan(AlertOperation(verb="acknowledge", alerts=(1,)))


async def test_who_is_late_fails_and_the_history_says_so(desk: Desk) -> None:
    executor = desk.executor()
    plan = executor.plan(AlertOperation(verb="acknowledge", alerts=(1,)))
    desk.store.acknowledge(1, "bob", "", time.time())
    with pytest.raises(RefusedError, match="by bob"):
        await executor.submit(plan, ACTOR)


async def test_muting_and_hearing_again(desk: Desk) -> None:
    executor, now = desk.executor(), time.time()
    mute = Mute(server="db-*", starts=now, until=now + 60, reason="update")
    await executor.submit(executor.plan(AlertOperation(verb="mute", mute=mute)), ACTOR)
    (kept,) = desk.store.mutes(now)
    assert (kept.who, kept.reason) == ("ana", "update")
    assert not desk.store.get(1, time.time()).pressing
    await executor.submit(executor.plan(AlertOperation(verb="unmute", mute=kept)), ACTOR)
    assert desk.store.get(1, time.time()).pressing
    assert [record.act for record in desk.history.query()] == ["unmute", "mute"]


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (AlertOperation(verb="acknowledge", alerts=(9,)), NotFoundError),
        (AlertOperation(verb="acknowledge"), UsageError),
        (AlertOperation(verb="mute"), UsageError),
        (AlertOperation(verb="mute", mute=Mute(until=1.0)), UsageError),
        (AlertOperation(verb="mute", mute=Mute(until=9e12)), UsageError),
        (AlertOperation(verb="mute", mute=Mute(until=time.time() + 60, kind="dsk")), UsageError),
        (AlertOperation(verb="unmute", mute=Mute(id=4, until=0.0)), NotFoundError),
    ],
)
def test_what_makes_no_sense_is_refused(desk: Desk, operation: AlertOperation, error: type[Exception]) -> None:
    with pytest.raises(error):
        desk.executor().plan(operation)


async def test_read_only_refuses(desk: Desk) -> None:
    executor = desk.executor(msgspec.structs.replace(Settings(), read_only=True))
    with pytest.raises(ReadOnlyError):
        await executor.submit(executor.plan(AlertOperation(verb="acknowledge", alerts=(1,))), ACTOR)
    assert desk.store.get(1, time.time()).pressing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("db-*", ("db-*", "", "*")),
        ("disk:/var@db-01", ("db-01", "disk", "/var")),
        ("api@web-1", ("web-1", "", "api")),
        ("cpu:*", ("*", "cpu", "*")),
    ],
)
def test_patterns(text: str, expected: tuple[str, str, str]) -> None:
    mute = read_pattern(text, 1.0, 2.0, "")
    assert (mute.server, mute.kind, mute.what) == expected


def test_maintenance_is_made_changed_listed_and_forgotten(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--home", str(desk.folder), "alerts"]
    sunday = ["--mute", "cpu:db-*", "--every", "every sunday 02:00", "--for", "90m", "--zone", "UTC"]
    assert main([*words, *sunday]) == ExitCode.USAGE, "it has no name"
    assert main([*words, *sunday, "--as", "backups", "--tag", "prod"]) == ExitCode.DONE
    assert main([*words, *sunday, "--as", "backups", "--note", "night"]) == ExitCode.DONE
    assert main([*words, *sunday[:3], "whenever", "--as", "x"]) == ExitCode.USAGE
    capsys.readouterr()
    assert main([*words, "--mutes", "--json"]) == ExitCode.DONE
    (found,) = json.loads(capsys.readouterr().out)["maintenance"]
    assert (found["when"], found["servers"], found["kinds"], found["tags"], found["description"]) == (
        "every sunday 02:00 for 1h30m", ["db-*"], ["cpu"], [], "night",
    )  # fmt: skip
    assert found["ends"] - found["begins"] == 5400
    assert main([*words, "--mutes"]) == ExitCode.DONE
    assert "cpu alerts of db-*" in capsys.readouterr().out
    assert main([*words, "--forget", "backups", "--yes"]) == ExitCode.DONE
    assert main([*words, "--forget", "backups"]) == ExitCode.FAILED


def test_the_verb(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(desk.folder)]
    assert main([*home, "alerts", "--json"]) == ExitCode.DONE
    listed = json.loads(capsys.readouterr().out)
    assert [(a["id"], a["subject"]["what"]) for a in listed["alerts"]] == [(1, "/var")]
    desk.store.apply([], time.time() - 60)
    assert main([*home, "alerts"]) == ExitCode.DONE
    assert "nobody looks for alerts (last 1m ago; this is how it was then)" in capsys.readouterr().err
    desk.store.apply([], time.time())
    assert main([*home, "alerts"]) == ExitCode.DONE
    assert "nobody looks" not in capsys.readouterr().err
    assert main([*home, "alerts", "--ack", "1", "--note", "mine"]) == ExitCode.DONE
    assert main([*home, "alerts", "--ack", "1"]) == ExitCode.REFUSED
    assert main([*home, "alerts", "--ack", "7"]) == ExitCode.FAILED
    capsys.readouterr()
    assert main([*home, "alerts", "--show", "1"]) == ExitCode.DONE
    assert "acknowledged by" in capsys.readouterr().out
