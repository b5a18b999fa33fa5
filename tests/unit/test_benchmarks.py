"""The instruments of ``make bench``: that they are there, and see what they are meant to see."""

from __future__ import annotations

import importlib

import pytest

from benchmarks.__main__ import NAMES
from benchmarks.idle import _parts
from benchmarks.rotation import LINES, Count
from komodo_tui.fleet.live import FleetState


@pytest.mark.parametrize("name", NAMES)
def test_each_name_can_be_measured(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").measure)


def test_lines_that_are_lost_or_come_again_are_counted() -> None:
    count = Count()
    assert not count.take([b"1 x", b"2 x", b"5 x", b"4 x", b"6 x"])
    assert (count.seen, count.lost, count.again, count.last) == (5, 2, 1, 6)
    assert count.take([b"end"])
    assert count.lost == 2 + LINES - 6


def test_another_age_is_a_clock_and_another_word_is_not() -> None:
    def texts(output: bytes) -> list[bytes]:
        return [text for text, _ in _parts(output)]

    before = b"\x1b[4;1H\x1b[1mapi\x1b[0m  running  59s\x1b[5;1Hweb"
    assert texts(before) == texts(b"\x1b[4;1Hapi  running   1m\x1b[5;1Hweb")
    assert texts(before) != texts(b"\x1b[4;1Hapi  exited   1m\x1b[5;1Hweb")


def test_a_made_fleet_changes_every_running_container_each_second() -> None:
    from benchmarks.fleet import NOW, Fleet

    state = FleetState()
    fleet = Fleet(state, 2, 10)
    fleet.take(fleet.frames(NOW))
    before = {(live.name, key): sample for live in state.servers.values() for key, sample in live.samples.items()}
    fleet.take(fleet.frames(NOW + 1))
    after = {(live.name, key): sample for live in state.servers.values() for key, sample in live.samples.items()}
    assert len(after) == 18
    assert all(after[key] != before[key] for key in before)
