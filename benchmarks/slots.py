"""Due times under contention: four watches that are killed and come again, and twenty cron runs at once.

All real: the processes, the clock, the runs and the lines that their commands append to a file on the server. ``SLOTS``
in the environment (``1250x4/10``: procedures, times of each, minutes between them) takes another size.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.lab import environment, private_server, program, stop_agents
from komodo_tui.operations.procedures.scheduler import GRACE
from komodo_tui.store.runs import RunStore
from komodo_tui.store.slots import SlotStore
from komodo_tui.watch.turn import holder_of

if TYPE_CHECKING:
    from collections.abc import Mapping

WATCHES, CRONS = 4, 20
PROCEDURES, TIMES, MINUTES = 40, 3, 1
RESTART = 10.0
"""Seconds until an ended watch is started again, as its unit says."""
LIVES = (5.0, 45.0)
"""Seconds between two kills of whoever holds the turn."""
PATIENCE = 3600.0
_LOOK = 0.5


def measure() -> dict[str, float]:
    """Counts: what became of each due time."""
    size = os.environ.get("SLOTS", f"{PROCEDURES}x{TIMES}/{MINUTES}").replace("/", "x").split("x")
    with private_server("slots") as server, tempfile.TemporaryDirectory(prefix="slots") as name:
        folder = Path(name)
        env = environment(folder, DOCKER_HOST=server.docker_host)
        contest = Contest(folder, env, *(int(part) for part in size))
        try:
            return contest.run()
        finally:
            stop_agents(name)


class Contest:
    """A state directory, and those who contend for it."""

    def __init__(self, folder: Path, env: Mapping[str, str], procedures: int, times: int, minutes: int) -> None:
        """``procedures`` are due ``times`` times, ``minutes`` apart."""
        self.folder = folder
        self.effects = folder / "effects"
        self._env = dict(env)
        self._names = [f"p{number:04d}" for number in range(procedures)]
        self._times, self._minutes = times, minutes
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._over = threading.Event()
        self.told: Counter[str] = Counter()
        self._dice = random.Random(1)
        self._said = (folder / "said").open("ab")

    def run(self) -> dict[str, float]:
        """Let them contend until every due time is settled; what became of them."""
        first = self._define()
        self._program("watch", "--once").wait()  # from now on the schedules count
        while time.time() < first:
            time.sleep(0.05)
        threads = [threading.Thread(target=self._watch) for _ in range(WATCHES)]
        threads += [threading.Thread(target=self._cron, args=(first,)), threading.Thread(target=self._kill)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            while not self._settled():
                if time.monotonic() - began > PATIENCE + self._times * self._minutes * 60:
                    break
                time.sleep(_LOOK * 4)
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
            self._said.close()
        return {**self._counted(), **self.told, "seconds": time.monotonic() - began}

    def _define(self) -> float:
        """Returns the Unix time of the first due time."""
        now = time.time()
        first = now - now % 60 + 60 * (2 + len(self._names) // 600)
        minutes = [int(first // 60 + number * self._minutes) % 60 for number in range(self._times)]
        hours = sorted({time.localtime(first + 60 * number * self._minutes).tm_hour for number in range(self._times)})
        schedule = f"{','.join(map(str, sorted(minutes)))} {','.join(map(str, hours))} * * *"
        command = ["sh", "-c", f"echo $KOMODO_RUN >> {self.effects}"]
        procedures = [
            {"name": name, "schedule": schedule, "catch_up": "last", "allow_dangerous": True,
             "stages": [{"steps": [{"run": {"command": command}}]}]}
            for name in self._names
        ]  # fmt: skip
        path = self.folder / "all.yaml"
        path.write_text(json.dumps({"servers": [{"name": "here", "address": "local"}], "procedures": procedures}))
        assert self._program("apply", "-f", str(path), "--yes").wait() == 0
        assert time.time() < first, "defining them took longer than was left"
        return first

    def _program(self, *words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            program(*words), env=self._env, stdin=subprocess.DEVNULL, stdout=self._said, stderr=self._said
        )
        self._processes[process.pid] = process
        return process

    # -- those who contend --------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """As its unit starts it, again and again."""
        while not self._over.is_set():
            process = self._program("watch")
            self.told["watches started"] += 1
            while process.poll() is None and not self._over.is_set():
                time.sleep(_LOOK)
            if process.poll() is None:
                process.terminate()
            process.wait(30)
            self._over.wait(RESTART)

    def _cron(self, first: float) -> None:
        """Twenty at once at each due time, and every five minutes after the last one."""
        number = 0
        while not self._over.is_set():
            if time.time() >= first + number * 60 * self._minutes:
                number += 1
                self._wave()
            self._over.wait(_LOOK)

    def _wave(self) -> None:
        crons = [self._program("watch", "--once") for _ in range(CRONS)]
        self.told["cron runs started"] += CRONS
        while any(cron.poll() is None for cron in crons) and not self._over.is_set():
            time.sleep(_LOOK)
        for cron in crons:
            if cron.poll() is None:
                cron.terminate()
            cron.wait(60)

    def _kill(self) -> None:
        """Whoever holds the turn: four of five without a word."""
        while not self._over.wait(self._dice.uniform(*LIVES)):
            holder = holder_of(self.folder)
            process = self._processes.get(holder.pid) if holder is not None else None
            if process is None or process.poll() is not None:
                continue
            hard = self._dice.random() < 0.8
            process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
            self.told["holders killed" if hard else "holders ended"] += 1

    # -- what became of it --------------------------------------------------------------------------------------

    @property
    def _wanted(self) -> int:
        return len(self._names) * self._times

    def _settled(self) -> bool:
        slots = _Claimed(self.folder / "runs" / "slots.db")
        claimed, left = slots.counts()
        slots.close()
        return claimed >= self._wanted and not left and not self._under_way()

    def _runs(self) -> list[Any]:
        runs = RunStore(self.folder / "runs")
        found = runs.runs(limit=10 * self._wanted)
        runs.close()
        return found

    def _under_way(self) -> bool:
        return any(run.ended is None for run in self._runs())

    def _counted(self) -> dict[str, float]:
        slots = _Claimed(self.folder / "runs" / "slots.db")
        results = slots.results()
        slots.close()
        runs = {run.run: run for run in self._runs()}
        lines = Counter(self.effects.read_text().split())
        started = [result for _, result in results if result in runs]
        done = [run for run in started if runs[run].outcome == "success" and lines[run] == 1]
        return {
            "due times": self._wanted,
            "… claimed": len(results),
            "… run to a good end, its line in the file once": len(set(done)),
            "… of which as many as are due of each procedure": self._even(results, set(done)),
            f"… missed (nobody looked within {GRACE:g} s)": sum(result == "missed" for _, result in results),
            "… refused or failed": len(results) - len(done) - sum(result == "missed" for _, result in results),
            "runs that no due time names": len(runs) - len(set(started)),
            "lines twice": sum(count > 1 for count in lines.values()),
            "lines of no run": len(set(lines) - set(runs)),
        }

    def _even(self, results: list[tuple[str, str]], done: set[str]) -> int:
        by_name = Counter(name for name, result in results if result in done)
        return sum(self._times for name in self._names if by_name[name] == self._times)


class _Claimed(SlotStore):
    """All slots, for counting."""

    def counts(self) -> tuple[int, int]:
        """How many were claimed, and how many of them are open."""
        with self._open(write=False) as db:
            row = db.execute("SELECT (SELECT count(*) FROM slots), (SELECT count(*) FROM open_slots)").fetchone()
        return int(row[0]), int(row[1])

    def results(self) -> list[tuple[str, str]]:
        """Of each: the procedure, and what became of it."""
        with self._open(write=False) as db:
            return db.execute("SELECT name, result FROM slots").fetchall()


if __name__ == "__main__":
    for what, value in measure().items():
        print(f"{what:<60} {value:>10,.0f}")
    sys.exit(0)
