"""The past of an agent: values on disk, bounded, whole after any end, and found again."""

from __future__ import annotations

import math
import random
from array import array
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.engine.events import Happening
from komodo_agent.past import blocks, codes
from komodo_agent.past.archive import Archive
from komodo_agent.past.blocks import Block, Columns
from komodo_agent.past.chronicle import Chronicle
from komodo_agent.past.journal import Journal
from komodo_agent.past.query import thin
from komodo_agent.past.shelf import Shelf
from komodo_agent.wire.models import Container, ContainerSample, Filesystem, HostSample
from komodo_agent.wire.past import Past, PastEvent

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import pytest

    from komodo_agent.engine.events import HappeningKind

_NOON = 1_800_000_000.0 - 1_800_000_000 % 86_400 + 43_200
_DISK = Filesystem(path="/var", device="sda", kind="ext4", total=100, used=40, available=60)


class _Clock:
    """Unix time as a test has it."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def _host(at: float, cpu: float) -> HostSample:
    return HostSample(
        at=at, cpu=cpu, cores=(cpu,), load=(1.5, 1.0, 0.5), memory_total=8 << 30, memory_used=2 << 30,
        memory_cached=1 << 30, swap_total=0, swap_used=0, net_rx=1e6, net_tx=2e3, disk_read=0.0, disk_write=4096.0,
    )  # fmt: skip


def _container(cpu: float, memory: int = 50 << 20) -> ContainerSample:
    return ContainerSample(
        cpu=cpu, memory=memory, memory_limit=0, net_rx=1.0, net_tx=2.0, block_read=None, block_write=3.0, pids=4
    )


def _near(value: float | None, wanted: float) -> bool:
    return value is not None and math.isclose(value, wanted, rel_tol=0.006, abs_tol=1e-3)


def test_codes_keep_values_within_half_a_percent() -> None:
    chance = random.Random(3)
    for _ in range(2_000):
        value = 10 ** chance.uniform(-3, 15)
        assert abs(codes.decode(codes.encode(value)) - value) <= value * 0.005001
    assert codes.decode(codes.encode(0.0)) == 0.0
    assert codes.decode(codes.encode(-1.0)) == 0.0
    assert math.isnan(codes.decode(codes.encode(math.nan)))
    assert codes.encode(1e300) == codes.encode(1e308), "far too great is the greatest"


def test_columns_come_back_as_they_were() -> None:
    chance = random.Random(4)
    columns = [array("H", (chance.randrange(1 << 16) for _ in range(60))) for _ in range(5)]
    columns.append(array("H", [codes.MISSING] * 60))
    assert codes.unpack(codes.pack(columns), 6, 60) == columns
    still = [array("H", [1234] * 60)]
    assert len(codes.pack(still)) < 25, "what does not move costs next to nothing"


def _block(first: int, value: int, subject: str = "host") -> Block:
    return Block(60, first, 2, {subject: Columns(("cpu",), [array("H", [value, value + 1])])})


def test_a_write_that_was_cut_short_hides_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, step=60, slots=60, keep=3, most=1 << 20)
    shelf.append(_block(0, 10))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + blocks.dump(_block(2, 20))[:-3])
    again = Shelf(tmp_path, step=60, slots=60, keep=3, most=1 << 20)
    again.append(_block(4, 30))
    found = [blocks.load(data, extent).subjects["host"].codes[0][0] for data, extent in again.covering(0, 59)]
    assert found == [10, 30]


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, step=60, slots=60, keep=3, most=1 << 20)
    shelf.append(_block(0, 10))
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    assert list(shelf.covering(0, 59)) == []


def test_old_files_go_and_the_size_is_bounded(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, step=60, slots=60, keep=3, most=1 << 20)
    for hour in range(10):
        shelf.append(_block(hour * 60, hour))
    assert shelf.oldest() == 7 * 60
    tight = Shelf(tmp_path, step=60, slots=60, keep=3, most=1)
    tight.append(_block(600, 1))
    assert shelf.oldest() == 600, "the current file stays, whatever the bound"


def test_a_clock_that_starts_in_1970_loses_nothing_of_today(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, step=60, slots=60, keep=3, most=1 << 20)
    shelf.append(_block(600_000, 1))
    shelf.append(_block(0, 2))
    assert len(list(shelf.covering(600_000, 600_001))) == 1


async def _fill(archive: Archive, clock: _Clock, seconds: int, step: float = 1.0) -> None:
    end = clock.at + seconds
    while clock.at < end:
        containers = {"web": _container(clock.at % 60), "db": _container(5.0)}
        archive.look(_host(clock.at, 20.0), [_DISK], containers)
        clock.at += step
        if clock.at % 60 < step:
            await archive.write()  # as its own task does once a minute


async def test_seconds_minutes_and_peaks(tmp_path: Path) -> None:
    clock = _Clock(_NOON)
    archive = Archive(tmp_path, clock=clock)
    await _fill(archive, clock, 300)
    seconds = await archive.read("container:web", _NOON, _NOON + 300, 1_000)
    assert (seconds.step, seconds.start) == (1.0, _NOON)
    assert all(_near(value, at % 60) for at, value in enumerate(seconds.series["cpu"]))
    assert seconds.series["block_read"] == [None] * 300
    disk = await archive.read("disk:/var", _NOON, _NOON + 300, 5)
    assert disk.step == 60.0
    assert all(_near(value, 40) for value in disk.series["used"])
    clock.at = _NOON + 10_000
    minutes = await archive.read("container:web", _NOON, _NOON + 240, 1_000)
    assert minutes.step == 60.0
    assert all(_near(value, 29.5) for value in minutes.series["cpu"])
    assert all(_near(value, 59.0) for value in minutes.series["cpu_peak"])
    assert await archive.subjects(_NOON, _NOON + 240) == ("container:db", "container:web", "disk:/var", "host")


async def test_the_past_outlives_the_process(tmp_path: Path) -> None:
    clock = _Clock(_NOON)
    archive = Archive(tmp_path, clock=clock)
    await _fill(archive, clock, 3_700)
    await archive.write()
    before = await archive.read("host", _NOON, clock.at, 10)
    archive._writer.let_go()  # as the end of a process does
    again = Archive(tmp_path, clock=clock)
    again._resume()
    after = await again.read("host", _NOON, clock.at, 10)
    assert after.step == before.step == 60.0 * 7
    assert [v for v in after.series["cpu"][:-1]] == [v for v in before.series["cpu"][:-1]]
    await _fill(again, clock, 600)
    on = await again.read("host", _NOON, clock.at, 5_000)
    assert on.step == 60.0
    holes = [n for n, value in enumerate(on.series["cpu"][:-1]) if value is None]
    assert holes in ([], [61]), "at most the minute the process ended in"


async def test_of_two_agents_with_one_state_one_writes_and_the_next_takes_over(tmp_path: Path) -> None:
    clock = _Clock(_NOON)
    first, second = Archive(tmp_path, clock=clock), Archive(tmp_path, clock=clock)
    await _fill(first, clock, 600)
    second._resume()
    first.engine_changed(up=False, detail="")
    second.engine_changed(up=False, detail="")
    for archive in (first, second):
        await archive.write()
    assert [event.kind for event in (await second.events(_NOON, clock.at, 10)).events] == ["engine_down"]
    clock.at = _NOON + 10_000
    known = await second.read("host", _NOON, _NOON + 540, 1_000)
    assert known.series == (await first.read("host", _NOON, _NOON + 540, 1_000)).series
    assert all(_near(value, 20.0) for value in known.series["cpu"])
    await first.close()
    await _fill(second, clock, 180)
    second.engine_changed(up=True, detail="")
    await second.close()
    last = Archive(tmp_path, clock=clock)
    last._resume()
    assert [event.kind for event in (await last.events(_NOON, clock.at, 10)).events] == ["engine_down", "engine_up"]
    for start in (_NOON, _NOON + 10_020):
        values = (await last.read("host", start, start + 120, 1_000)).series["cpu"]
        assert all(_near(value, 20.0) for value in values)


async def test_a_silence_is_a_hole_and_a_slow_look_is_none(tmp_path: Path) -> None:
    clock = _Clock(_NOON)
    archive = Archive(tmp_path, clock=clock)
    await _fill(archive, clock, 30, step=10.0)
    clock.at += 600
    await _fill(archive, clock, 2)
    found = (await archive.read("host", _NOON, clock.at, 5_000)).series["cpu"]
    assert [value is not None for value in found[:21]] == [True] * 21
    assert not any(found[22:629])
    assert found[-1] is not None


async def test_a_clock_set_back_overwrites(tmp_path: Path) -> None:
    clock = _Clock(_NOON)
    archive = Archive(tmp_path, clock=clock)
    await _fill(archive, clock, 90)
    clock.at = _NOON
    archive.look(_host(clock.at, 77.0), [], {})
    found = (await archive.read("host", _NOON, _NOON + 90, 5_000)).series["cpu"]
    assert _near(found[0], 77.0)
    assert _near(found[80], 20.0), "what was seen of later is still there"


async def test_a_disk_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock(_NOON)
    archive = Archive(tmp_path, clock=clock)
    full = True
    append = Shelf.append

    def refuse(self: Shelf, block: Block) -> None:
        if full:
            raise OSError(28, "No space left on device")
        append(self, block)

    monkeypatch.setattr(Shelf, "append", refuse)
    await _fill(archive, clock, 600)
    await archive.write()
    assert len(archive._seconds.unwritten()) <= 3, "what cannot be written does not pile up"
    full = False
    await _fill(archive, clock, 120)
    await archive.write()
    found = (await archive.read("host", clock.at - 60, clock.at, 100)).series["cpu"]
    assert all(_near(value, 20.0) for value in found)


async def test_a_block_of_another_version_is_passed_over(tmp_path: Path) -> None:
    clock = _Clock(_NOON)
    archive = Archive(tmp_path, clock=clock)
    await _fill(archive, clock, 180)
    await archive.write()
    path = next((tmp_path / "1s").glob("*.blocks"))
    path.write_bytes(b"KPB9" + path.read_bytes()[4:])
    assert (await Archive(tmp_path, clock=clock).read("host", _NOON, _NOON + 100, 100)).series == {}


def _made(state: str, **changes: object) -> Container:
    base = Container(id="a" * 64, name="web", image="nginx", state="running", created=10.0, started=20.0)
    return msgspec.structs.replace(base, state=state, **changes)


def test_what_happened_to_a_container() -> None:
    chronicle = Chronicle(began=15.0)
    assert chronicle.containers([_made("running")], [], 30.0) == [], "it was there before us"
    steps: list[tuple[Container, list[str]]] = [
        (_made("running", health="unhealthy"), ["unhealthy"]),
        (_made("exited", finished=40.0, exit_code=137, oom_killed=True), ["oom"]),
        (_made("running", finished=40.0, started=50.0), ["started"]),
        (_made("running", finished=60.0, started=61.0), ["stopped", "started"]),
        (_made("paused", finished=60.0, started=61.0), ["paused"]),
        (_made("running", finished=60.0, started=61.0), ["unpaused"]),
        (_made("exited", finished=70.0, started=61.0, exit_code=2), ["died"]),
    ]
    for container, kinds in steps:
        assert [event.kind for event in chronicle.containers([container], [], 80.0)] == kinds
    assert [e.kind for e in chronicle.containers([], ["a" * 64], 90.0)] == ["removed"]
    fresh = _made("running", id="b" * 64, created=100.0, started=101.0)
    events = chronicle.containers([fresh], [], 102.0)
    assert [(e.kind, e.at) for e in events] == [("created", 100.0), ("started", 101.0)]


def test_the_steps_of_a_classic_build_are_no_events_of_containers() -> None:
    chronicle = Chronicle(began=15.0)
    image, cid = f"sha256:{'1' * 64}", "c" * 64
    step = _made("running", id=cid, image=image, created=100.0, started=100.0)
    assert chronicle.containers([step], [], 101.0) == []
    assert chronicle.happened(Happening(cid, "zen_hellman", "", "die", 102.0, 1, image)) == []
    assert chronicle.containers([], [cid], 103.0) == []
    (oom,) = chronicle.happened(Happening(cid, "zen_hellman", "", "oom", 102.0, None, image))
    assert oom.kind == "oom"
    pinned = msgspec.structs.replace(step, labels={"com.docker.compose.project": "shop"})
    assert [e.kind for e in chronicle.containers([pinned], [], 104.0)] == ["created", "started"]


def test_an_end_that_events_and_looks_both_tell_of_is_one_whichever_comes_first() -> None:
    chronicle = Chronicle(began=15.0)
    cid = _made("running").id
    chronicle.containers([_made("running", started=20.0)], [], 30.0)

    def heard(kind: HappeningKind, at: float, code: int | None = None) -> list[str]:
        return [event.kind for event in chronicle.happened(Happening(cid, "web", "", kind, at, code))]

    def seen(**fields: Any) -> list[str]:
        return [event.kind for event in chronicle.containers([_made("running", **fields)], [], 100.0)]

    assert heard("die", 10.0, 1) == [], "before this agent began"
    assert [*heard("oom", 39.9), *heard("die", 40.01, 137), *seen(finished=40.0, started=40.1)] == [
        "oom", "died", "started",
    ]  # fmt: skip
    assert heard("die", 40.2, 1) == ["died"], "twice between two looks: each is told"
    assert [*heard("die", 40.5, 1), *seen(finished=40.49, started=40.6)] == ["died", "started"]
    assert [*seen(finished=50.0, started=50.1), *heard("die", 50.01, 0)] == ["stopped", "started"]
    assert heard("die", 60.0, 0) == ["stopped"]


def test_the_engine_comes_and_goes() -> None:
    chronicle = Chronicle(began=0.0)
    assert chronicle.engine(True, "", 1.0) == []
    assert [e.kind for e in chronicle.engine(False, "nobody answers", 2.0)] == ["engine_down"]
    assert chronicle.engine(False, "nobody answers", 3.0) == []
    assert [e.kind for e in chronicle.engine(True, "", 4.0)] == ["engine_up"]


def test_the_journal_is_bounded_and_forgives(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    event = PastEvent(at=1.0, kind="died", container="x" * 200)
    for at in range(300):
        journal.append([msgspec.structs.replace(event, at=float(at * 100 + n)) for n in range(100)])
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 5 << 20
    last = sorted(tmp_path.iterdir())[-1]
    with last.open("ab") as file:
        file.write(b'{"at": 99999.0, "ki')
    journal.append([msgspec.structs.replace(event, at=40_000.0)])
    assert [e.at for e in journal.read(39_000.0, 50_000.0)] == [40_000.0]
    assert journal.since > 0


def test_thin_keeps_the_peaks() -> None:
    past = Past(
        subject="host", step=60.0, start=600.0, series={"cpu": [1.0, 3.0, None, 5.0], "cpu_peak": [1.0, 9.0, 2.0, 4.0]}
    )
    thinner = thin(past, 2)
    assert thinner.series == {"cpu": [2.0, 5.0], "cpu_peak": [9.0, 4.0]}
    assert (thinner.step, thinner.start) == (120.0, 600.0)
