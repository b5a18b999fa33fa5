"""Which files are a container's, and what is read out of them."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.metrics import counters
from komodo_agent.metrics.cgroups import CgroupError, find_paths, parse_mounts
from komodo_agent.metrics.containers import ContainerMetrics, Running
from tests.unit.agent.trees import ID, MIB, PID, SETUPS, Setup, Tree, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

RUN = Running(id=ID, pid=PID, started=1.0)
QUIET: dict[str, Any] = {"limit": None, "pids": 3, "read": 0, "written": 0, "received": 0, "sent": 0, "inactive": 0}


class Clock:
    """Nanoseconds that a test moves."""

    def __init__(self) -> None:
        self.now = 10**12

    def __call__(self) -> int:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += int(seconds * 1e9)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def metrics(tree: Tree, clock: Clock) -> ContainerMetrics:
    made = ContainerMetrics(None, proc=str(tree.proc), clock=clock)
    made.update([RUN])
    return made


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)
def test_every_layout_gives_the_same_figures(setup: Setup, tmp_path: Path, clock: Clock) -> None:
    tree = Tree(tmp_path / "a host", setup)
    tree.set(cpu_ns=7_000_000_000, memory=50 * MIB, inactive=20 * MIB, limit=256 * MIB, pids=4, read=100, written=200,
             received=1000, sent=2000)  # fmt: skip
    seen = metrics(tree, clock)
    clock.move(2)
    tree.set(cpu_ns=8_000_000_000, memory=60 * MIB, inactive=20 * MIB, limit=256 * MIB, pids=5, read=4196,
             written=8392, received=3000, sent=12000)  # fmt: skip
    sample = seen.sample(1000.0)[ID]
    assert sample.cpu == 50.0
    assert (sample.memory, sample.memory_limit, sample.pids) == (40 * MIB, 256 * MIB, 5)
    assert (sample.net_rx, sample.net_tx) == (1000.0, 5000.0)
    assert (sample.block_read, sample.block_write) == (2048.0, 4096.0)
    assert sample.source == "cgroup"


def test_v1_without_any_block_io_says_that_it_does_not_know(tmp_path: Path, clock: Clock) -> None:
    seen = metrics(Tree(tmp_path, SETUPS[0]), clock)
    clock.move(1)
    sample = seen.sample(1.0)[ID]
    assert sample.block_read is None
    assert sample.block_write is None
    assert sample.memory_limit == 0


def test_idle_container_is_not_read_and_gives_the_same_object(tmp_path: Path, clock: Clock) -> None:
    tree = Tree(tmp_path, SETUPS[4])
    tree.set(cpu_ns=10**9, memory=MIB, **QUIET)
    seen = metrics(tree, clock)
    clock.move(1)
    first = seen.sample(1.0)[ID]
    tree.set(cpu_ns=10**9, memory=9 * MIB, **QUIET)
    clock.move(1)
    assert seen.sample(2.0)[ID] is first
    clock.move(10)
    assert seen.sample(12.0)[ID].memory == 9 * MIB


def test_rates_end_when_a_container_falls_idle(tmp_path: Path, clock: Clock) -> None:
    tree = Tree(tmp_path, SETUPS[4])
    seen = metrics(tree, clock)
    clock.move(1)
    tree.set(cpu_ns=5 * 10**8, memory=MIB, **{**QUIET, "received": 5000, "read": 1, "written": 9000})
    busy = seen.sample(1.0)[ID]
    assert (busy.cpu, busy.net_rx, busy.block_write) == (50.0, 5000.0, 9000.0)
    clock.move(1)
    idle = seen.sample(2.0)[ID]
    assert (idle.cpu, idle.net_rx, idle.block_read, idle.block_write) == (0.0, 0.0, 0.0, 0.0)
    assert idle.memory == MIB


def test_burst_after_idling_is_not_spread_over_the_idle_time(tmp_path: Path, clock: Clock) -> None:
    tree = Tree(tmp_path, SETUPS[4])
    seen = metrics(tree, clock)
    for second in range(1, 9):
        clock.move(1)
        seen.sample(float(second))
    clock.move(1)
    tree.set(cpu_ns=10**8, memory=MIB, **{**QUIET, "received": 10_000})
    assert seen.sample(9.0)[ID].net_rx == 10_000.0


def test_too_soon_is_no_sample(tmp_path: Path, clock: Clock) -> None:
    seen = metrics(Tree(tmp_path, SETUPS[0]), clock)
    clock.move(0.05)
    assert seen.sample(1.0) == {}


def test_next_run_is_opened_anew_and_all_descriptors_come_back(tmp_path: Path, clock: Clock) -> None:
    tree = Tree(tmp_path, SETUPS[4])
    before = len(os.listdir("/proc/self/fd"))
    seen = metrics(tree, clock)
    clock.move(1)
    assert ID in seen.sample(1.0)
    write(tree.directory("") / "cpu.stat", "")  # the kernel gives ENODEV; either way there is nothing to read
    clock.move(1)
    assert seen.sample(2.0) == {}
    assert len(os.listdir("/proc/self/fd")) == before
    tree.set(cpu_ns=0, memory=2 * MIB, **QUIET)
    seen.update([Running(id=ID, pid=PID, started=2.0)])
    clock.move(1)
    assert seen.sample(3.0)[ID].memory == 2 * MIB
    assert seen.history(ID, 60).series["memory"] == [0.0, None, 2.0 * MIB]
    seen.update([])
    assert len(os.listdir("/proc/self/fd")) == before
    assert seen.history(ID, 60).series["memory"]
    seen.forget(ID)
    assert seen.history(ID, 60).series["memory"] == []


def test_traffic_of_the_host_is_not_a_containers(tmp_path: Path, clock: Clock) -> None:
    tree = Tree(tmp_path, SETUPS[4])
    host = (tree.proc / "self/net/dev").read_text()
    write(tree.proc / str(PID) / "net/dev", host)
    seen = metrics(tree, clock)
    clock.move(1)
    assert seen.sample(1.0)[ID].net_rx == 0.0
    write(tree.proc / str(PID) / "net/dev", host.replace("1000000000", "2000000000"))
    clock.move(20)
    assert seen.sample(2.0)[ID].net_rx == 0.0


@pytest.mark.parametrize(
    "membership",
    ["0::/\n", "0::/../docker-" + ID + ".scope\n", "0::/docker/" + "f" * 64 + "\n", "", "garbage\n", "4:memory:/x\n"],
)
def test_cgroup_of_another_process_is_refused(membership: str, tmp_path: Path) -> None:
    tree = Tree(tmp_path, SETUPS[4])
    mounts = parse_mounts((tree.proc / "self/mountinfo").read_bytes())
    with pytest.raises(CgroupError, match=ID[:12]):
        find_paths(membership.encode(), mounts, ID)


def test_init_system_in_a_container_and_a_mounted_subtree() -> None:
    inside = f"0::/system.slice/docker-{ID}.scope/init.scope\n".encode()
    whole = parse_mounts(b"32 22 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    assert find_paths(inside, whole, ID).cpu == f"/sys/fs/cgroup/system.slice/docker-{ID}.scope/cpu.stat"
    part = parse_mounts(b"32 22 0:27 /system.slice /host/cgroup rw - cgroup2 cgroup2 rw\n")
    assert find_paths(inside, part, ID).cpu == f"/host/cgroup/docker-{ID}.scope/cpu.stat"
    elsewhere = parse_mounts(b"32 22 0:27 /sys /host/cgroup rw - cgroup2 cgroup2 rw\n")
    with pytest.raises(CgroupError):
        find_paths(inside, elsewhere, ID)


def test_counters_out_of_odd_files() -> None:
    assert counters.cpu_v2(b"core_sched.force_idle_usec 0\nusage_usec 12\nuser_usec 1\n") == 12_000
    assert counters.inactive_file(b"anon 1\nfile 2\n", 2) == 0
    assert counters.memory_used(10, 10) == 10
    assert counters.memory_limit(b"max\n", 100) == 0
    assert counters.memory_limit(b"99\n", 100) == 99
    assert counters.block_v2(b"8:0 \n254:1 rbytes=1 wbytes=2 rios=0\n8:16 rbytes=10 wbytes=20\n") == (11, 22)
    assert counters.network(b"h\nh\n    lo: 9 0 0 0 0 0 0 0 9\nweird@if3:12 0 0 0 0 0 0 0 34 0\n") == (12, 34)
    assert counters.rate(10, 5, 1.0) == 0.0


def document(at: str, cpu: int, **more: object) -> bytes:
    return msgspec.json.encode({
        "read": at, "cpu_stats": {"cpu_usage": {"total_usage": cpu}, "system_cpu_usage": 1},
        "memory_stats": {"usage": 50, "limit": 1 << 60, "stats": {"inactive_file": 20}},
        "pids_stats": {"current": 7}, **more,
    })  # fmt: skip


async def test_containers_without_files_are_asked_of_the_engine_in_the_background(tmp_path: Path, clock: Clock) -> None:
    tree = Tree(tmp_path, SETUPS[4])
    (tree.proc / str(PID) / "cgroup").write_text("0::/\n")
    asked: list[Sequence[str]] = []
    answers = [
        document("2026-11-24T10:00:00.5Z", 0, networks={"eth0": {"rx_bytes": 0, "tx_bytes": 0}}),
        document("2026-11-24T11:00:02.500000000+01:00", 10**9, networks={"eth0": {"rx_bytes": 400, "tx_bytes": 20}}),
        b"<html>",
    ]
    release = asyncio.Event()

    async def fetch(ids: Sequence[str]) -> Mapping[str, bytes]:
        asked.append(ids)
        await release.wait()
        return {ID: answers[len(asked) - 1]}

    seen = ContainerMetrics(fetch, proc=str(tree.proc), clock=clock)
    seen.update([RUN])
    for turn in range(3):
        assert seen.sample(float(turn)) == {}  # the engine has not answered: nothing waits for it
        clock.move(1)
        await asyncio.sleep(0)
    assert asked == [(ID,)]
    release.set()
    await _settle(lambda: not seen.sample(3.0))
    clock.move(2)
    seen.sample(4.0)
    await _settle(lambda: len(asked) < 2)
    sample = seen.sample(5.0)[ID]
    assert (sample.source, sample.cpu, sample.memory, sample.memory_limit) == ("api", 50.0, 30, 0)
    assert (sample.net_rx, sample.net_tx, sample.block_read, sample.pids) == (200.0, 10.0, None, 7)
    clock.move(2)
    seen.sample(6.0)
    await _settle(lambda: len(asked) < 3)
    assert seen.sample(7.0) == {}
    await seen.close()


async def _settle(pending: object) -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_files_that_come_into_reach_are_taken(tmp_path: Path, clock: Clock) -> None:
    tree = Tree(tmp_path, SETUPS[4])
    membership = tree.proc / str(PID) / "cgroup"
    right = membership.read_text()
    membership.write_text("0::/\n")
    seen = metrics(tree, clock)
    membership.write_text(right)
    clock.move(61)
    seen.sample(1.0)
    clock.move(1)
    assert seen.sample(2.0)[ID].source == "cgroup"
