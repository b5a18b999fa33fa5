"""``python -m tests.faults.procedure_kills [--points 200] [--seed 1]``: kill -9 of a run at random moments.

A procedure of several stages writes a token for each effect: commands on the server and in a container, side by side
and one after the other. Its process is killed at a random moment, and the run goes on by ``--resume``, which may be
killed as well. At the end each effect must have happened exactly once, or not be known and be reported so; no lock
may be held, and no run and no act may be left without an outcome.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from komodo_tui.store.locks import FileLock
from tests.integration.procedures.lab import IDLE, Cli, stage
from tests.rig import packages
from tests.rig.processes import stop
from tests.rig.server import down, up

if TYPE_CHECKING:
    from tests.rig.server import Server

EFFECTS = ("a", "b", "c", "d", "e", "f")
AGAIN = 0.25
"""How often a resumed run is killed, too."""
_STARTS = 30


class Lab:
    """One server, one procedure, and the tokens of its effects."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.cli = Cli(folder, server)
        self.server = server
        self.folder = folder
        server.docker("run", "-d", "--name", "db", *IDLE)

        def outside(token: str) -> dict[str, Any]:
            return {"run": {"command": ["sh", "-c", f"echo $KOMODO_RUN {token} >> {folder}/effects; sleep 0.1"]}}

        def inside(token: str) -> dict[str, Any]:
            return {"exec": {"container": "db", "command": ["sh", "-c", f"echo $KOMODO_RUN {token} >> /effects"]}}

        self.cli.define(
            stage(outside("a")), stage(inside("b"), outside("c")), stage({"sleep": {"seconds": "0.1s"}}, inside("d")),
            stage(outside("e"), {"restart_containers": {"match": "db", "grace": "0s"}}), stage(inside("f")),
            allow_dangerous=True,
        )  # fmt: skip

    def tokens(self, run: str) -> Counter[str]:
        """How often each effect of a run happened."""
        file = self.folder / "effects"
        lines = file.read_text().splitlines() if file.exists() else []
        lines += self.server.docker("exec", "db", "sh", "-c", "cat /effects 2>/dev/null || true").splitlines()
        return Counter(line.split()[1] for line in lines if line.startswith(f"{run} "))

    def length(self) -> float:
        """Seconds that a run takes which nobody kills."""
        began = time.monotonic()
        done = self.cli("--run-procedure", "p")
        assert done.returncode == 0, done.stdout
        return time.monotonic() - began

    def killed(self, words: tuple[str, ...], after: float) -> bool:
        """Start the program and kill it; whether it was still there."""
        process = self.cli.start(*words)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        return process.returncode == -9

    def runs(self) -> list[str]:
        """All of them, newest first."""
        listed = self.cli("procedure", "runs", "--json")
        assert listed.returncode == 0, listed.stderr
        return [json.loads(line)["run"] for line in listed.stdout.splitlines()]

    def check(self, run: str) -> str:
        """What came of a run; raises AssertionError where something is not as it must be."""
        entries = self.cli.entries("procedure", "log", run)
        end = entries[-1]
        assert end["k"] == "run_end", f"run {run} has no end"
        known = [e["end"] for e in entries if e["k"] == "target_end"]
        tokens = self.tokens(run)
        assert all(count == 1 for count in tokens.values()), f"run {run}: {tokens}"
        if end["outcome"] == "success":
            assert tokens == Counter(EFFECTS), f"run {run} said success: {tokens}"
        else:
            assert "interrupted" in known, f"run {run} ended {end['outcome']}: {end.get('summary')}"
        return str(end["outcome"])

    def check_all_closed(self) -> None:
        """No lock is held and no act is open."""
        home = self.folder / "home"
        held = [
            path
            for path in home.rglob("*.lock")
            if path.parent.name != "run" and "agent" not in str(path) and _held(path)
        ]
        assert not held, f"locks are held: {held}"
        open_acts = [row for row in self.cli.entries("actions", "--limit", "50") if row["outcome"] is None]
        assert not open_acts, f"without an outcome: {open_acts}"


def _held(path: Path) -> bool:
    lock = FileLock(path)
    if not lock.try_acquire():
        return True
    lock.release()
    return False


def attempt(lab: Lab, dice: random.Random, length: float) -> str:
    """Kill one run at a random moment, and see it through."""
    before = set(lab.runs())
    if not lab.killed(("--run-procedure", "p"), dice.uniform(0.0, length)):
        return "too late"
    new = [run for run in lab.runs() if run not in before]
    if not new:
        return "not begun"
    (run,) = new
    for _ in range(_STARTS):
        words = ("--resume", run)
        if dice.random() < AGAIN and lab.killed(words, dice.uniform(0.0, length)):
            continue
        done = lab.cli(*words)
        if done.returncode == 4 and "has ended" in done.stderr:
            break
        assert done.returncode in (0, 1, 5), done.stdout + done.stderr
        break
    try:
        outcome = lab.check(run)
        lab.check_all_closed()
    except AssertionError:
        print(lab.cli("procedure", "log", run, "--json").stdout, file=sys.stderr)
        raise
    return outcome


def kill(server: Server, folder: Path, points: int, seed: int) -> Counter[str]:
    """So many points; how the runs ended."""
    lab, dice, seen = Lab(folder, server), random.Random(seed), Counter[str]()
    lab.length()
    length = lab.length()
    while sum(seen.values()) - seen["too late"] - seen["not begun"] < points:
        seen[attempt(lab, dice, length)] += 1
        print(json.dumps(seen), file=sys.stderr, flush=True)
    return seen


def main() -> int:
    """Do it on a private server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    packages.install()
    server = up("procedure-kills")
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder:
            seen = kill(server, Path(folder), given.points, given.seed)
            _stop_agents(folder)
    finally:
        down(server.name)
    print(json.dumps({**seen, "seconds": round(time.monotonic() - began), "load": os.getloadavg()[0]}))
    return 0


def _stop_agents(folder: str) -> None:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if folder.encode() in entry.read_bytes():
                stop(int(entry.parent.name))
        except OSError:
            continue


if __name__ == "__main__":
    sys.exit(main())
