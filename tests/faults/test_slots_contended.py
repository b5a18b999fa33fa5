"""Watches and cron runs that start at once, one killed while it starts what is due: each due time runs once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from komodo_tui.store.runs import RunStore
from komodo_tui.store.slots import SlotStore
from komodo_tui.watch.turn import holder_of
from tests.rig.processes import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAMES = tuple(f"p{number}" for number in range(9))
PATIENCE = 60.0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts the program; what it began is ended afterwards."""
    processes: list[subprocess.Popen[bytes]] = []
    environment = {
        **os.environ, "KOMODO_TUI_HOME": str(tmp_path / "home"), "HOME": str(tmp_path),
        "DOCKER_HOST": f"unix://{tmp_path}/no-engine.sock",
    }  # fmt: skip

    def begin(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "komodo_tui", *words]
        processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def test_each_due_time_runs_once_though_the_one_who_starts_it_is_killed(
    start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    home, effects = tmp_path / "home", tmp_path / "effects"
    step = {"run": {"command": ["sh", "-c", f"echo $KOMODO_RUN >> {effects}"]}}
    due = time.time() // 60 * 60 - 60
    schedule = time.strftime("%M %H %d %m *", time.gmtime(due))  # once a year
    procedures = [
        {"name": name, "schedule": schedule, "timezone": "UTC", "catch_up": "last", "allow_dangerous": True,
         "stages": [{"steps": [step]}]}
        for name in NAMES
    ]  # fmt: skip
    recipe = tmp_path / "all.yaml"
    recipe.write_text(json.dumps({"servers": [{"name": "here", "address": "local"}], "procedures": procedures}))
    assert start("apply", "-f", str(recipe), "--yes").wait(PATIENCE) == 0
    slots, runs = SlotStore(home / "runs" / "slots.db"), RunStore(home / "runs")
    for name in NAMES:
        slots.since(name, f"{schedule} UTC", due - 1)
    contenders = {one.pid: one for one in [start("watch"), start("watch"), *(start("watch", "--once") for _ in "ab")]}
    wait_for(lambda: len(slots.open()) > 1 and bool(runs.runs()), PATIENCE, what="some have begun, others have not")
    holder = holder_of(home)
    assert holder is not None
    contenders[holder.pid].send_signal(signal.SIGKILL)
    contenders[holder.pid].wait(PATIENCE)
    assert slots.open(), "some had been claimed and not begun"
    start("watch")
    wait_for(lambda: not slots.open() and _all_ended(runs), PATIENCE, what="all have run")
    results = [slots.last(name, time.time()) for name in NAMES]
    assert {slot.result for slot in results if slot is not None} == {run.run for run in runs.runs()}
    assert Counter(effects.read_text().split()) == Counter(run.run for run in runs.runs())
    assert len(runs.runs()) == len(NAMES)
    slots.close()
    runs.close()


def _all_ended(runs: RunStore) -> bool:
    found = runs.runs()
    return len(found) >= len(NAMES) and all(run.ended is not None for run in found)
