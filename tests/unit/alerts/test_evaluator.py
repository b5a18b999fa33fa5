"""What opens, escalates, eases and is resolved, on a clock of our own."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import pytest

from komodo_agent.wire.models import Engine, Filesystem, HostSample, Oom, Pressure
from komodo_tui.domain.alerts import TITLES, AlertKind, Subject
from komodo_tui.domain.alerts_evaluator import FLAP_CLEAR, FLAPS, GAP, PATIENCE, Evaluator
from komodo_tui.domain.alerts_survey import RECENT, Surveyor
from komodo_tui.domain.errors import HostUnreachableError, UsageError
from komodo_tui.domain.servers import ServerDefinition, Threshold, Thresholds, check_server
from komodo_tui.fleet.live import ServerLive
from komodo_tui.operations.alerts.watcher import AlertWatcher
from komodo_tui.store.alerts import AlertStore
from tests.ui.fleets import NOW, container, host_sample

if TYPE_CHECKING:
    from pathlib import Path

    from komodo_agent.wire.models import Container

STEP = 5.0


class Scene:
    """One server, looked at every five seconds."""

    def __init__(self, last_look: float | None = None) -> None:
        self.server = ServerLive(ServerDefinition(name="db-01", address="db-01"))
        self.server.status = "up"
        self.server.engine = Engine(status="up")
        self.server.sample = host_sample(10.0, 10.0)
        self.surveyor, self.evaluator = Surveyor(last_look), Evaluator()
        self.at = 1000.0
        self.servers = {"db-01": self.server}

    def after(self, seconds: float) -> list[str]:
        """Let time pass; returns what changed."""
        changed = []
        for _ in range(int(seconds / STEP)):
            self.at += STEP
            survey = self.surveyor.survey(self.servers, self.at, NOW + self.at)
            changed += [f"{t.change} {t.level} {t.subject.kind}" for t in self.evaluator.look(survey, self.at)]
        return changed

    def cpu(self, percent: float) -> None:
        self.server.sample = msgspec.structs.replace(_sample(self.server), cpu=percent)

    def has(self, *containers: Container) -> None:
        self.server.containers = {one.id: one for one in containers}


def _sample(server: ServerLive) -> HostSample:
    assert server.sample is not None
    return server.sample


def test_high_for_a_moment_is_no_alert() -> None:
    scene = Scene()
    scene.cpu(99.0)
    assert scene.after(295) == []
    scene.cpu(10.0)
    assert scene.after(600) == []


def test_opens_after_its_time_holds_above_the_margin_and_is_resolved_below_it() -> None:
    scene = Scene()
    scene.cpu(90.0)
    assert scene.after(300) == []
    assert scene.after(STEP) == ["opened warning cpu"]
    scene.cpu(82.0)  # below the limit of 85, within the margin
    assert scene.after(3600) == []
    scene.cpu(70.0)
    assert scene.after(120) == []
    assert scene.after(STEP) == ["resolved warning cpu"]


def test_escalates_and_eases() -> None:
    scene = Scene()
    scene.cpu(90.0)
    scene.after(305)
    scene.cpu(99.0)
    assert scene.after(305) == ["escalated critical cpu"]
    scene.cpu(88.0)
    assert scene.after(125) == ["eased warning cpu"]
    assert scene.after(600) == []


@pytest.mark.parametrize(
    ("figures", "kind"),
    [
        ({"cpu": 90.0}, "cpu"),
        ({"memory_total": 100, "memory_used": 88}, "memory"),
        ({"swap_total": 100, "swap_used": 85}, "swap"),
        ({"load": (9.0, 1.0, 1.0), "cores": (1.0,) * 4}, "load"),
        ({"pressure": Pressure(0.0, 40.0, 0.0, 0.0, 0.0)}, "pressure"),
    ],
)
def test_a_figure_is_told_at_the_look_at_which_its_time_is_over(figures: dict[str, Any], kind: AlertKind) -> None:
    scene = Scene()
    scene.server.sample = msgspec.structs.replace(_sample(scene.server), **figures)
    assert scene.after(PATIENCE[kind].warning) == [], "not before"
    assert scene.after(STEP) == [f"opened warning {kind}"], "and not one look later"
    scene.server.sample = host_sample(10.0, 10.0)
    assert scene.after(PATIENCE[kind].clear + STEP) == [f"resolved warning {kind}"]


def test_load_is_measured_by_the_cores_and_has_to_last() -> None:
    scene = Scene()
    busy = msgspec.structs.replace(_sample(scene.server), load=(7.9, 7.9, 7.9))  # of 4 cores
    scene.server.sample = busy
    assert scene.after(900) == []
    scene.server.sample = msgspec.structs.replace(busy, load=(8.1, 8.0, 8.0))
    assert scene.after(600) == []
    assert scene.after(STEP) == ["opened warning load"]
    scene.server.sample = msgspec.structs.replace(busy, load=(6.9, 7.0, 8.0))  # within the margin
    assert scene.after(600) == []
    scene.server.sample = msgspec.structs.replace(busy, load=(6.7, 7.0, 8.0))
    assert scene.after(300 + STEP) == ["resolved warning load"]


def test_stalls_are_told_by_what_is_waited_for() -> None:
    scene = Scene()
    stalled = msgspec.structs.replace(_sample(scene.server), pressure=Pressure(99.0, 31.0, 0.0, 61.0, 0.0))
    scene.server.sample = stalled
    found = {
        r.subject.what: (r.level, r.text) for r in scene.surveyor.survey(scene.servers, 0.0, NOW).readings
    }  # a full processor is what CPU and load are about
    assert found == {
        "memory": ("warning", "processes wait for memory 31% of the time"),
        "disk": ("critical", "processes wait for disk 61% of the time"),
    }
    assert scene.after(300) == []
    assert scene.after(STEP) == ["opened warning pressure", "opened critical pressure"]
    scene.server.sample = msgspec.structs.replace(stalled, pressure=None)  # a kernel without it says nothing is wrong
    assert scene.after(120 + STEP) == ["resolved warning pressure", "resolved critical pressure"]


def test_a_disk_is_judged_by_mount_and_images_are_full_by_nature() -> None:
    scene = Scene()
    full = Filesystem(path="/var", device="/dev/sdb1", kind="ext4", total=100, used=95, available=5)
    scene.server.filesystems = (
        full,
        msgspec.structs.replace(full, path="/", used=10, available=90),
        msgspec.structs.replace(full, path="/snap/core", kind="squashfs", used=100, available=0),
    )
    survey = scene.surveyor.survey(scene.servers, 0.0, NOW)
    assert [r.subject for r in survey.readings] == [Subject("db-01", "disk", "/var")]
    assert scene.after(35) == ["opened critical disk"]


def test_unreachable_says_why_and_its_figures_stay_as_they_were() -> None:
    scene = Scene()
    scene.cpu(99.0)
    scene.after(305)
    scene.server.status = "unreachable"
    scene.server.error = HostUnreachableError("db-01 does not answer on port 22", server="db-01")
    assert scene.after(200) == ["opened warning unreachable", "escalated critical unreachable"]
    scene.server.status = "connecting"
    assert scene.after(60) == []
    scene.server.status = "up"
    assert scene.after(20) == ["resolved critical unreachable"]


def test_what_was_about_to_open_begins_anew_after_silence() -> None:
    scene = Scene()
    scene.cpu(99.0)
    scene.after(290)
    scene.server.status = "connecting"
    scene.after(GAP + STEP)
    scene.server.status = "up"
    assert scene.after(100) == []
    assert scene.after(300) == ["opened critical cpu"]


def test_engine_down_hides_its_containers() -> None:
    scene = Scene()
    scene.has(container("api", 1, health="unhealthy"))
    scene.after(65)
    scene.server.engine = Engine(status="down", message="nobody answers")
    assert scene.after(100) == ["opened warning engine", "escalated critical engine"]


def test_flapping_is_damped() -> None:
    scene = Scene()
    well, ill = container("api", 1), container("api", 1, health="unhealthy")
    for _ in range(FLAPS):
        scene.has(ill)
        assert scene.after(65) == ["opened warning unhealthy"]
        scene.has(well)
        changed = scene.after(60)
    assert changed == []
    assert scene.after(FLAP_CLEAR) == ["resolved warning unhealthy"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"exit_code": 0}, []),
        ({"exit_code": 143}, []),
        ({"exit_code": 137}, []),
        ({"exit_code": 1}, ["opened warning down"]),
        ({"exit_code": 1, "restart_policy": "always"}, []),
        ({"exit_code": 127, "restart_policy": "always"}, ["opened warning down", "escalated critical down"]),
        ({"exit_code": 1, "restart_policy": "on-failure:3"}, ["opened warning down", "escalated critical down"]),
        ({"exit_code": 137, "oom_killed": True}, ["opened critical oom"]),
    ],
)
def test_down_only_where_nobody_asked_for_it(fields: dict[str, object], expected: list[str]) -> None:
    scene = Scene()
    scene.has(container("api", 1, state="exited", finished=NOW + 1000, **fields))
    assert scene.after(90) == expected


def test_what_ended_before_anybody_watched_is_no_news_but_keeps_an_open_alert() -> None:
    ended = container("api", 1, state="exited", exit_code=1, finished=NOW)
    scene = Scene(last_look=NOW + RECENT + 500)
    scene.has(ended)
    assert scene.after(90) == []
    again = Scene(last_look=NOW + RECENT + 500)
    again.has(ended)
    again.evaluator.restore([(Subject("db-01", "down", "api"), "warning")], [], again.at)
    assert again.after(90) == []
    again.has()
    assert again.after(15) == ["resolved warning down"]


def test_what_ended_shortly_before_the_last_look_of_a_process_that_is_gone_is_news() -> None:
    scene = Scene(last_look=NOW + 3)
    scene.has(container("api", 1, state="exited", exit_code=1, finished=NOW))
    assert scene.after(20) == ["opened warning down"], "that process did not live for as long as it has to last"


def test_the_end_of_what_was_seen_running_is_news_whatever_the_clock_of_its_server_says() -> None:
    scene = Scene(last_look=NOW + 500)
    scene.has(container("api", 1))
    scene.after(10)
    scene.has(container("api", 1, state="exited", exit_code=1, finished=NOW - 7200))
    assert scene.after(20) == ["opened warning down"]


def test_a_restart_loop_is_counted_within_ten_minutes() -> None:
    scene = Scene()
    for restarts in range(8):
        scene.has(container("api", 1, restarts=restarts))
        changed = scene.after(STEP)
        assert changed == {3: ["opened warning restarts"], 6: ["escalated critical restarts"]}.get(restarts, [])
    assert scene.after(570) == []
    assert scene.after(200)[-1].startswith("resolved")


def test_restarts_of_old_are_no_loop() -> None:
    scene = Scene()
    scene.has(container("api", 1, restarts=40))
    assert scene.after(60) == []


def test_restarts_between_two_looks_count_though_somebody_started_it_anew() -> None:
    scene = Scene()
    scene.has(container("api", 1, restarts=5))
    scene.after(STEP)
    scene.has(container("api", 1, restarts=3))
    assert scene.after(STEP) == ["opened warning restarts"]


def test_who_takes_over_in_the_middle_of_a_loop_neither_ends_its_alert_nor_opens_another() -> None:
    scene = Scene(last_look=NOW)
    scene.evaluator.restore([(Subject("db-01", "restarts", "api"), "critical")], [], scene.at)
    there = _sample(scene.server).at
    scene.has(container("api", 1, restarts=9, started=there - 40))
    assert scene.after(300) == []
    for restarts in range(10, 14):
        scene.has(container("api", 1, restarts=restarts, started=there))
        assert scene.after(60) == []
    assert scene.after(1200) == ["eased warning restarts", "resolved warning restarts"]


def killed(*at: float, name: str = "api", id: str = "1" * 64) -> list[Oom]:
    return [Oom(id=id, container=name, at=one) for one in at]


def test_what_the_kernel_killed_between_two_looks_is_one_alert_though_nothing_shows_it() -> None:
    scene = Scene()
    scene.has(container("api", 1))
    scene.after(STEP)
    scene.server.ooms.extend(killed(NOW - 1, NOW))
    assert scene.after(STEP) == ["opened warning oom"]
    scene.server.status = "connecting"  # a tunnel that is made again changes nothing
    scene.after(60)
    scene.server.status = "up"
    assert scene.after(300) == []
    assert scene.after(10) == ["resolved warning oom"]


def test_a_kill_is_seen_over_a_reconnect_and_of_what_is_gone_since() -> None:
    scene = Scene()
    scene.after(STEP)
    scene.server.status = "connecting"
    scene.after(STEP)
    scene.server.ooms.extend(killed(NOW, name="gone"))
    scene.server.status = "up"
    assert scene.after(STEP) == ["opened warning oom"]


@pytest.mark.parametrize(("last_look", "expected"), [(NOW - 60, ["opened warning oom"]), (NOW + 60, [])])
def test_a_kill_while_nobody_looked_is_news_and_one_that_somebody_saw_is_not(
    last_look: float, expected: list[str]
) -> None:
    scene = Scene(last_look=last_look)
    scene.server.ooms.extend(killed(NOW))
    assert scene.after(STEP) == expected


def test_a_container_that_stays_ended_for_want_of_memory_is_critical_and_one_alert() -> None:
    scene = Scene()
    scene.has(container("api", 1))
    scene.after(STEP)
    scene.has(container("api", 1, state="exited", exit_code=137, oom_killed=True, finished=NOW))
    scene.server.ooms.extend(killed(NOW, id=container("api", 1).id))
    assert scene.after(60) == ["opened critical oom"]
    scene.has(container("api", 1, oom_killed=True))  # engines before 23.0 still say so when it runs again
    assert scene.after(320) == ["resolved critical oom"]


def test_a_server_that_is_not_managed_any_more_closes_its_alerts() -> None:
    scene = Scene()
    scene.evaluator.restore([(Subject("gone", "cpu"), "critical")], [], scene.at)
    assert scene.after(STEP) == ["resolved critical cpu"]


def test_every_kind_has_its_words_its_patience_and_somebody_who_says_whether_it_is_so() -> None:
    kinds = set(get_args(AlertKind))
    assert set(TITLES) == set(PATIENCE) == kinds
    of_hosts = {"cpu", "memory", "swap", "disk", "load", "pressure"}
    assert {kind for kind in kinds if Subject("a", kind).scope == "host"} == of_hosts
    assert {kind for kind in kinds if Subject("a", kind).scope == "server"} == {"unreachable", "network"}


def test_a_server_has_limits_and_times_of_its_own() -> None:
    scene = Scene()
    given = msgspec.convert(
        {"cpu": {"warning": 50, "critical": 95, "for": "1m"}, "load": {"warning": 50, "critical": 90}}, Thresholds
    )
    scene.server.definition = msgspec.structs.replace(scene.server.definition, alerts=given)
    scene.server.sample = msgspec.structs.replace(_sample(scene.server), cpu=60.0, load=(3.0, 0.0, 0.0))
    assert scene.after(60) == []
    assert scene.after(STEP) == ["opened warning cpu"]
    assert scene.after(535) == []
    assert scene.after(STEP) == ["opened warning load"]


@pytest.mark.parametrize(
    "alerts", [Thresholds(cpu=Threshold(90, 80)), Thresholds(load=Threshold(100, 200, "0s")),
               Thresholds(swap=Threshold(1, 2, "soon"))]
)  # fmt: skip
def test_limits_that_make_no_sense_are_refused(alerts: Thresholds) -> None:
    with pytest.raises(UsageError):
        check_server(ServerDefinition(name="a", address="a", alerts=alerts))


def test_when_all_servers_go_at_once_it_is_one_alert() -> None:
    scene = Scene()
    for name in ("web-01", "web-02", "web-03", "web-04"):
        scene.servers[name] = ServerLive(ServerDefinition(name=name, address=name))
        scene.servers[name].status = "up"
    scene.after(60)
    for server in scene.servers.values():
        server.status = "unreachable"
    assert scene.after(300) == ["opened critical network"]
    for server in list(scene.servers.values())[1:]:
        server.status = "up"
    # one of them stays away: from now on it is about that one
    changed = scene.after(60)
    assert sorted(changed) == ["opened warning unreachable", "resolved critical network"]


def test_two_of_three_servers_that_are_away_are_two_alerts() -> None:
    scene = Scene()
    for name in ("web-01", "web-02"):
        scene.servers[name] = ServerLive(ServerDefinition(name=name, address=name))
        scene.servers[name].status = "unreachable"
    assert scene.after(40) == ["opened warning unreachable"] * 2


def test_looks_far_apart_in_processes_of_their_own_take_what_is_so_at_both_for_lasting(tmp_path: Path) -> None:
    scene, said = Scene(), list[str]()
    clock = [NOW]

    def look(seconds: float) -> list[str]:
        clock[0] += seconds
        said.clear()
        store = AlertStore(tmp_path / "alerts.db")
        state: Any = SimpleNamespace(servers=scene.servers)
        watcher = AlertWatcher(state, store, said.append, now=lambda: clock[0], monotonic=lambda: clock[0] % 977)
        assert asyncio.run(watcher.once(tmp_path / "once.json"))
        store.close()
        return [text.split(":")[0] for text in said]

    scene.cpu(90.0)
    assert look(0.0) == look(240.0) == []
    assert look(240.0) == ["alert opened"]
    scene.cpu(10.0)
    assert look(60.0) == []
    assert look(180.0) == ["alert resolved"]
    scene.cpu(90.0)
    look(60.0)
    assert look(90000.0) == []  # too long ago to say anything
