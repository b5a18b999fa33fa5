"""When schedules are due, and that each time belongs to one process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_tui.domain.errors import RefusedError, UsageError
from komodo_tui.domain.operations import Actor
from komodo_tui.domain.procedures.figures import schedule_of
from komodo_tui.domain.procedures.journal import RunEnded, RunStarted
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.domain.schedules import Schedule, to_cron
from komodo_tui.operations.procedures import launch, scheduler
from komodo_tui.operations.procedures.scheduler import Scheduler
from komodo_tui.operations.procedures.start import new_run_id
from komodo_tui.store.paths import StateDirectory
from komodo_tui.store.runs import RunStore
from komodo_tui.store.slots import Slot, SlotStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def at(text: str) -> float:
    """Unix time of a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def shown(moments: list[float]) -> list[str]:
    """Moments in UTC."""
    return [datetime.fromtimestamp(moment, UTC).strftime("%m-%d %H:%M") for moment in moments]


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("0 3 * * *", "0 3 * * *"),
        ("*/10  *  * * mon-fri", "*/10 * * * mon-fri"),
        ("every minute", "*/1 * * * *"),
        ("Every 15 minutes", "*/15 * * * *"),
        ("every 2 hours", "0 */2 * * *"),
        ("every day at 03:00", "0 3 * * *"),
        ("monday 9:05", "5 9 * * 1"),
        ("sundays at 23:59", "59 23 * * 0"),
        ("weekdays at 18:30", "30 18 * * 1-5"),
        ("every weekend at 10:00", "0 10 * * 6,0"),
    ],
)
def test_words_become_cron(text: str, cron: str) -> None:
    assert to_cron(text) == cron
    Schedule(text)


@pytest.mark.parametrize(
    "text", ["", "soon", "every 7 minutes", "every 0 minutes", "0 3 * *", "99 3 * * *", "monday", "moonday 9:00",
             "day at 24:00", "0 0 30 2 *", "every day at 03:60", "@reboot"],
)  # fmt: skip
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="schedule"):
        Schedule(text).after(0.0)


def test_an_unknown_zone_is_said() -> None:
    with pytest.raises(UsageError, match="no time zone"):
        Schedule("0 3 * * *", "Mars/Olympus")


def test_daylight_saving_neither_skips_nor_repeats_a_daily_time() -> None:
    daily = Schedule("30 2 * * *", "Europe/Berlin")
    spring = daily.due(at("2026-03-28T00:00"), at("2026-03-31T00:00"))
    assert shown(spring) == ["03-28 01:30", "03-29 01:00", "03-30 00:30"]  # 02:30 does not exist on the 29th
    autumn = daily.due(at("2026-10-24T00:00"), at("2026-10-27T00:00"))
    assert shown(autumn) == ["10-24 00:30", "10-25 00:30", "10-26 01:30"]  # 02:30 is there twice on the 25th


def test_jitter_puts_each_time_off_by_the_same_and_spreads_many() -> None:
    plain, spread = procedure("p", "every hour"), procedure("p", "every hour", jitter="30m")
    noon = at("2026-05-01T12:00")
    later = schedule_of(spread).after(noon) - noon
    assert 0 < later < 1800
    assert schedule_of(spread).due(noon, noon + 3 * 3600) == [noon + later + n * 3600 for n in range(3)]
    assert schedule_of(plain).due(noon, noon + 3 * 3600) == [noon + (n + 1) * 3600 for n in range(3)]
    many = [schedule_of(procedure(f"p{n}", "every hour", jitter="1h")).after(noon) - noon for n in range(60)]
    assert len({int(one // 600) for one in many}) == 6, "each ten minutes of the hour has some"
    with pytest.raises(UsageError, match="jitter"):
        schedule_of(procedure("p", "every hour", jitter="2d"))


def test_a_clock_that_was_years_behind_costs_no_step_for_each_minute_of_them() -> None:
    now = at("2026-05-01T12:00")
    assert Schedule("every minute").due(0.0, now, most=3) == [now - 120, now - 60, now]
    assert shown(Schedule("0 0 1 1 *", "UTC").due(at("2023-06-01T00:00"), now)) == ["01-01 00:00"] * 3


_CLAIMS = """
import sys
from pathlib import Path
from komodo_tui.store.slots import Slot, SlotStore
store = SlotStore(Path(sys.argv[1]))
sys.stdin.readline()
print(*(n for n in range(200) if store.claim("p", float(n), sys.argv[2], 0.0, run="r")))
"""


def test_many_processes_claim_each_slot_once(tmp_path: Path) -> None:
    path = tmp_path / "slots.db"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _CLAIMS, str(path), f"w{n}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    claims = [int(number) for process in processes for number in process.communicate(timeout=120)[0].split()]
    assert sorted(claims) == list(range(200))


class Watched:
    """A scheduler over a clock that a test moves; runs are only noted."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *procedures: ProcedureDefinition) -> None:
        self.now = at("2026-05-01T12:00:30")
        self.started: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.procedures = list(procedures)
        self.refuse = ""
        self.dies = ""
        """``before`` or ``after`` a run was begun."""
        monkeypatch.setattr(scheduler, "launch", self._launch)
        self.slots = SlotStore(folder / "slots.db")
        self.runs = RunStore(folder)
        self._folder = folder
        self.restart()

    def restart(self) -> None:
        """Another process."""
        self.scheduler = Scheduler(
            StateDirectory(self._folder, self._folder, self._folder), lambda: self.procedures, self.slots, self.runs,
            self.said.append, now=lambda: self.now,
        )  # fmt: skip

    async def _launch(
        self, paths: StateDirectory, store: RunStore, name: str, given: Mapping[str, str], *, run: str
    ) -> str:
        if self.dies == "before":
            raise asyncio.CancelledError
        if self.refuse:
            raise RefusedError(self.refuse)
        store.begin(
            RunStarted(run=run, procedure=name, definition={}, parameters={}, actor=Actor(name="t", via="cli"), pid=1)
        )
        self.started.append((name, datetime.fromtimestamp(self.now, UTC).strftime("%H:%M:%S")))
        if self.dies:
            raise asyncio.CancelledError
        return run

    async def look(self, text: str) -> None:
        """Look at this time of the day."""
        self.now = at(f"2026-05-01T{text}")
        await self.scheduler.once()


def procedure(name: str, schedule: str, **fields: object) -> ProcedureDefinition:
    """One with a schedule."""
    return msgspec.convert({"name": name, "schedule": schedule, "timezone": "UTC", **fields}, ProcedureDefinition)


async def test_a_time_that_comes_starts_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(tmp_path, monkeypatch, procedure("p", "every 5 minutes"))
    for moment in ("12:00:30", "12:04:59", "12:05:01", "12:05:20", "12:09:00", "12:10:00"):
        await watched.look(moment)
    assert watched.started == [("p", "12:05:01"), ("p", "12:10:00")]
    last = watched.slots.last("p", watched.now)
    assert last is not None
    assert watched.runs.get(last.result).procedure == "p"
    assert not watched.slots.open()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_time_whose_process_died_is_gone_on_with_once(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, monkeypatch, procedure("p", "every 5 minutes"))
    await watched.look("12:00:30")
    watched.dies = moment
    with pytest.raises(asyncio.CancelledError):
        await watched.look("12:05:01")
    watched.dies = ""
    for at_last in ("12:05:20", "12:05:40"):
        watched.restart()
        await watched.look(at_last)
    assert watched.started == [("p", "12:05:20" if moment == "before" else "12:05:01")]
    last = watched.slots.last("p", watched.now)
    assert last is not None
    assert watched.runs.get(last.result).procedure == "p"


async def test_a_time_whose_process_died_is_missed_when_it_is_too_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(
        tmp_path, monkeypatch, procedure("skips", "every hour"), procedure("catches", "every hour", catch_up="last")
    )
    await watched.look("12:00:30")
    watched.dies = "before"
    with pytest.raises(asyncio.CancelledError):
        await watched.look("13:00:00")
    watched.dies = ""
    watched.restart()
    await watched.look("13:30:00")
    assert watched.started == [("catches", "13:30:00")]
    last = watched.slots.last("skips", watched.now)
    assert last is not None
    assert last.result == "missed"


def test_an_id_begins_once_though_a_month_ends_in_between(tmp_path: Path) -> None:
    clock = [at("2026-05-31T23:59:59")]
    runs = RunStore(tmp_path, clock=lambda: clock[0])
    first = RunStarted(
        run=new_run_id(), procedure="p", definition={}, parameters={}, actor=Actor(name="t", via="cli"), pid=1
    )
    runs.begin(first)
    clock[0] += 2.0
    with pytest.raises(RefusedError, match="begun already"):
        runs.begin(first)
    runs.begin(msgspec.structs.replace(first, run=new_run_id()))


async def test_times_that_passed_unseen_are_missed_or_caught_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(
        tmp_path, monkeypatch, procedure("skips", "every 5 minutes"),
        procedure("catches", "every 5 minutes", catch_up="last"),
    )  # fmt: skip
    await watched.look("12:00:30")
    await watched.look("12:33:00")  # three minutes after the newest of six times
    assert watched.started == [("catches", "12:33:00")]
    assert sum("skips: missed" in said for said in watched.said) == 6
    assert sum("catches: missed" in said for said in watched.said) == 5


async def test_a_changed_schedule_counts_from_its_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(tmp_path, monkeypatch, procedure("p", "every hour"))
    await watched.look("12:00:30")
    watched.procedures = [procedure("p", "every 5 minutes")]
    await watched.look("12:42:00")
    assert not watched.started
    assert not watched.said
    await watched.look("12:45:00")
    assert watched.started == [("p", "12:45:00")]


async def test_what_cannot_begin_is_noted_and_what_cannot_be_read_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, monkeypatch, procedure("p", "every 5 minutes"), procedure("q", "every 7 minutes"))
    watched.refuse = "under way already"
    for moment in ("12:00:30", "12:05:00", "12:05:05"):
        await watched.look(moment)
    assert watched.said.count("p: did not begin: under way already") == 1
    assert sum(said.startswith("q: ") for said in watched.said) == 1


async def test_a_run_that_has_to_wait_begins_once_the_one_before_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(
        tmp_path, monkeypatch, procedure("waits", "every 5 minutes", overlap="wait"), procedure("p", "every 5 minutes")
    )  # fmt: skip
    runs = RunStore(tmp_path)
    begun = RunStarted(
        run=new_run_id(), procedure="waits", definition={}, parameters={}, actor=Actor(name="ana"), pid=1
    )  # fmt: skip
    runs.begin(begun)
    with runs.lock("procedure-waits"):
        for moment in ("12:00:30", "12:05:01", "12:10:01", "12:14:50"):
            await watched.look(moment)
    assert [name for name, _ in watched.started] == ["p", "p"]
    clock = watched.now
    monkeypatch.setattr(runs, "_clock", lambda: clock)
    runs.append(begun.run, RunEnded(outcome="success", summary=""))
    await watched.look("12:14:55")
    assert watched.started[2:] == [("waits", "12:14:55")], "it waited, and is not late"
    assert sum("waits: missed" in said for said in watched.said) == 1


async def test_a_clock_that_was_ahead_stops_nothing_and_starts_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, monkeypatch, procedure("p", "every 5 minutes"))
    await watched.look("14:00:00")  # two hours ahead
    await watched.look("14:05:00")
    for moment in ("12:04:00", "12:04:30", "12:05:00", "12:10:00"):
        await watched.look(moment)
    assert watched.started == [("p", "14:05:00"), ("p", "12:05:00"), ("p", "12:10:00")]
    watched.started.clear()
    for moment in ("14:04:00", "14:05:00", "14:10:00"):  # that of 14:05 was run while the clock was ahead
        await watched.look(moment)
    assert watched.started == [("p", "14:10:00")]


async def test_times_that_were_missed_only_by_a_clock_that_was_ahead_are_kept_in_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, monkeypatch, procedure("p", "every 5 minutes"))
    await watched.look("12:00:30")
    await watched.look("14:02:00")
    assert watched.started == []
    assert watched.slots.last("p", watched.now) == Slot(at=at("2026-05-01T14:00:00"), result="missed")
    await watched.look("12:05:30")
    assert watched.started == [("p", "12:05:30")]
    last = watched.slots.last("p", watched.now)
    assert last is not None
    assert last.at == at("2026-05-01T12:05:00"), "one that is still to come is not the last"
    for moment in ("12:10:00", "12:10:05", "14:00:10"):
        await watched.look(moment)
    assert watched.started[1:] == [("p", "12:10:00"), ("p", "14:00:10")]


async def test_one_that_runs_for_long_forgets_old_slots_every_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, monkeypatch)
    pruned: list[float] = []
    monkeypatch.setattr(watched.slots, "prune", lambda: pruned.append(0.0))
    for count in (1, 1):
        await watched.scheduler.look()
        assert len(pruned) == count
    watched.scheduler._pruned -= 86400.0
    await watched.scheduler.look()
    assert len(pruned) == 2


def test_the_oldest_slots_are_forgotten(tmp_path: Path) -> None:
    store = SlotStore(tmp_path / "slots.db")
    for name, count in (("many", 10), ("few", 3)):
        for number in range(count):
            assert store.claim(name, float(number), "w", 0.0, run="r")
            store.note(name, float(number), "missed")
    store.prune(most=5)
    assert (store.missed("many", -1.0), store.missed("few", -1.0)) == (5, 3)
    assert store.since("many", "s", 100.0) == 100.0
    assert store.since("many", "s", 200.0) == 100.0
    assert not store.claim("many", 9.0, "w", 0.0, run="r")


def test_what_processes_of_runs_said_does_not_pile_up(tmp_path: Path) -> None:
    names = [f"20260501-{number:06d}-abcdef.out" for number in range(launch._OUTPUTS + 5)]
    for name in names:
        (tmp_path / name).touch()
    new = tmp_path / "20260502-000000-abcdef.out"
    launch._open(new).close()
    assert sorted(path.name for path in tmp_path.glob("*.out")) == [*names[6:], new.name]
