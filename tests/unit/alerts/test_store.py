"""Alerts on disk: written once, acknowledged by one, muted for a span, evaluated by one process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent.wire.models import Engine
from komodo_tui.domain.alerts import Mute, Subject, Transition
from komodo_tui.domain.errors import NotFoundError, RefusedError
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet.live import FleetState
from komodo_tui.operations.alerts.watcher import AlertWatcher
from komodo_tui.store.alerts import KEPT, AlertStore
from tests.ui.fleets import container, host_sample

if TYPE_CHECKING:
    from pathlib import Path

DISK = Subject("db-01", "disk", "/var")
OPENED = Transition(subject=DISK, change="opened", level="warning", value=81.0, text="/var 81% used")
CRITICAL = msgspec.structs.replace(OPENED, change="escalated", level="critical", value=93.0)
RESOLVED = msgspec.structs.replace(CRITICAL, change="resolved", text="well again")


@pytest.fixture
def store(tmp_path: Path) -> AlertStore:
    return AlertStore(tmp_path / "alerts.db")


def test_a_life(store: AlertStore) -> None:
    store.apply([OPENED], 100.0)
    store.acknowledge(1, "ana", "on it", 110.0)
    assert not store.get(1, 111.0).pressing
    store.apply([CRITICAL], 120.0)
    assert store.get(1, 121.0).pressing, "who took care of the warning has not seen that it is critical now"
    store.apply([RESOLVED], 130.0)
    assert store.open_alerts(131.0) == []
    (over,) = store.resolved_alerts(131.0)
    assert (over.opened, over.resolved, over.level, over.value) == (100.0, 130.0, "critical", 93.0)
    changes = [(entry.change, entry.level, entry.who) for entry in store.entries(1)]
    assert changes == [("opened", "warning", ""), ("acknowledged", "warning", "ana"), ("escalated", "critical", ""),
                       ("resolved", "critical", "")]  # fmt: skip


def test_how_an_open_one_is_now_is_told_with_the_next_look(store: AlertStore) -> None:
    store.apply([OPENED], 100.0)
    store.apply([], 160.0, {DISK: (84.0, "/var 84% used")})
    (alert,) = store.open_alerts(161.0)
    assert (alert.value, alert.text, alert.changed) == (84.0, "/var 84% used", 100.0)
    assert store.last_look() == 160.0


def test_one_alert_of_a_subject_is_open_whoever_writes(store: AlertStore, tmp_path: Path) -> None:
    other = AlertStore(tmp_path / "alerts.db")
    store.apply([OPENED], 100.0)
    other.apply([OPENED], 101.0)
    assert [alert.id for alert in store.open_alerts(102.0)] == [1]
    other.apply([RESOLVED, RESOLVED, OPENED], 103.0)
    assert [alert.id for alert in store.open_alerts(104.0)] == [2]


def test_the_first_who_acknowledges_is_named_to_the_second(store: AlertStore) -> None:
    store.apply([OPENED], 100.0)
    store.acknowledge(1, "ana", "", 101.0)
    with pytest.raises(RefusedError, match="by ana"):
        store.acknowledge(1, "bob", "", 102.0)
    with pytest.raises(NotFoundError):
        store.acknowledge(7, "bob", "", 102.0)


def test_a_mute_holds_in_its_span_and_where_it_matches(store: AlertStore) -> None:
    store.apply([OPENED, msgspec.structs.replace(OPENED, subject=Subject("web-01", "cpu"))], 100.0)
    mute = store.mute(Mute(server="db-*", kind="disk", starts=200.0, until=300.0, who="ana"))
    muted = {now: [alert.subject for alert in store.open_alerts(now) if alert.muted] for now in (150.0, 250.0, 300.0)}
    assert muted == {150.0: [], 250.0: [DISK], 300.0: []}
    store.unmute(mute)
    assert store.mutes(250.0) == []
    with pytest.raises(NotFoundError):
        store.unmute(mute)


def test_what_is_long_over_is_forgotten_and_what_is_open_never(store: AlertStore) -> None:
    store.apply([OPENED, RESOLVED, OPENED], 100.0)
    assert store.prune(101.0 + KEPT) == 1
    assert [alert.id for alert in store.open_alerts(101.0 + KEPT)] == [2]
    assert store.entries(1) == []


class Clock:
    """Both clocks, set by hand."""

    at = 1000.0

    def __call__(self) -> float:
        return self.at


def fleet(cpu: float) -> FleetState:
    state = FleetState()
    live = state.define(ServerDefinition(name="db-01", address="db-01"))
    live.status, live.engine, live.sample = "up", Engine(status="up"), host_sample(cpu, 10.0)
    live.containers = {"1": container("api", 1, health="unhealthy")}
    return state


def test_one_process_evaluates_and_the_next_goes_on_where_it_stopped(tmp_path: Path) -> None:
    clock = Clock()
    state = fleet(10.0)
    said: list[str] = []
    first, second = (
        AlertWatcher(state, AlertStore(tmp_path / "alerts.db"), said.append, now=clock, monotonic=clock)
        for _ in range(2)
    )

    async def pass_time(watcher: AlertWatcher, seconds: int) -> None:
        for _ in range(0, seconds, 5):
            clock.at += 5
            await watcher.look()

    async def scene() -> None:
        await pass_time(first, 70)
        await second.look()
        assert not second.evaluating
        running = asyncio.create_task(first.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        state.servers["db-01"].containers = {"1": container("api", 1, health="healthy")}
        await pass_time(second, 60)

    asyncio.run(scene())
    assert second.evaluating
    assert said == [
        "alert opened: unhealthy api@db-01 warning: its health check fails",
        "alert resolved: unhealthy api@db-01 warning: well again",
    ]


def test_a_screen_leaves_the_looking_to_a_watch_and_goes_on_after_it(tmp_path: Path) -> None:
    clock, state, watches = Clock(), fleet(10.0), [False]
    said: list[str] = []
    store = AlertStore(tmp_path / "alerts.db")
    screen = AlertWatcher(
        state, store, said.append, elsewhere=lambda: watches[0], now=clock, monotonic=clock
    )  # fmt: skip
    watch = AlertWatcher(state, AlertStore(tmp_path / "alerts.db"), said.append, now=clock, monotonic=clock)

    async def looks(*watchers: AlertWatcher) -> list[bool]:
        for watcher in watchers:
            clock.at += 5
            await watcher.look()
        return [screen.evaluating, watch.evaluating, screen.began.is_set(), screen.over.is_set()]

    async def scene() -> None:
        assert await looks(*[screen] * 14, watch) == [True, False, True, False]
        watches[0] = True
        assert await looks(watch, screen, watch) == [False, True, False, True]
        state.servers["db-01"].containers = {"1": container("api", 1, health="healthy")}
        assert await looks(*[screen, watch] * 6) == [False, True, False, True]
        watches[0] = False
        watch._lock.release()  # it ends
        assert await looks(screen) == [True, False, True, False]

    asyncio.run(scene())
    assert [text.partition(":")[0] for text in said] == ["alert opened", "alert resolved"]


def test_a_full_disk_of_ours_loses_no_alert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from komodo_tui.domain.errors import StoreError

    clock, said = Clock(), list[str]()
    store = AlertStore(tmp_path / "alerts.db")
    watcher = AlertWatcher(fleet(10.0), store, said.append, now=clock, monotonic=clock)

    def full(*_: object) -> None:
        raise StoreError("no space left")

    async def look_for(seconds: int) -> None:
        for _ in range(0, seconds, 5):
            clock.at += 5
            await watcher.look()

    asyncio.run(look_for(5))
    with monkeypatch.context() as patched:
        patched.setattr(store, "apply", full)
        asyncio.run(look_for(120))
    assert said == ["alerts: no space left"]
    asyncio.run(look_for(5))
    assert [alert.subject.kind for alert in store.open_alerts(clock.at)] == ["unhealthy"]
