"""``python -m tests.faults.watch_kills [--points 200] [--seed 1]``: kill -9 of a watch at random moments.

Meanwhile services tell of pushes (each delivery again until it is answered, and half of them twice), schedules come
due, procedures and containers fail and are put right, and a sink takes what alerters tell. A killed watch is started
again at once. In the end each push must have been counted once and each run's line be there once, each due time have
one run, each failure that stayed have an alert, no alert be open once all is well, and each of them have been told.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.schedules import Schedule
from komodo_tui.store.alerts import AlertStore
from komodo_tui.store.deliveries import DeliveryQueue
from komodo_tui.store.paths import StateDirectory
from komodo_tui.store.pushes import PushStore
from komodo_tui.store.runs import RunStore
from komodo_tui.store.slots import SlotStore
from tests.integration.agent.lab import agent_process
from tests.integration.pushes.lab import Watching
from tests.rig import compose, packages
from tests.rig.server import down, up
from tests.unit.repos.lab import Author

if TYPE_CHECKING:
    from komodo_tui.domain.pushes import Push
    from tests.rig.server import Server

LIFE, LONG, LONG_SHARE = 7.0, 40.0, 0.1
"""A watch lives up to so many seconds; the longer one lets what has to last become an alert."""
TICKS = ("tick-a", "tick-b", "tick-c")
FAILING = 12
"""Things that fail in the end and stay so until each has its alert."""
PATIENCE = 240.0


class Sink(http.server.ThreadingHTTPServer):
    """Takes what an alerter of the kind ``json://`` sends."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taker)
        self.got: list[str] = []


class _Taker(http.server.BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append(f"{told['title']}\n{told['message']}")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Lab:
    """A watch, and all that it has to do."""

    def __init__(self, folder: Path, server: Server, seed: int) -> None:
        self.folder, self.server = folder, server
        self.dice = random.Random(seed)
        self.author = Author(folder)
        self.watching = Watching(folder, server, server, self.author)
        self.paths = StateDirectory(self.watching.home, self.watching.home, self.watching.home)
        self.sink = Sink()
        threading.Thread(target=self.sink.serve_forever, daemon=True).start()
        self.sent: set[str] = set()
        """Commits that were told and answered."""
        self._waiting: list[tuple[str, str]] = []
        """Deliveries without an answer: commit and id."""
        self.known: dict[int, Push] = {}
        self.counts: Counter[str] = Counter()
        self.bad: list[str] = []
        """Names of procedures and containers that fail now."""
        self._numbers = iter(range(100_000))
        self._define()

    def _define(self) -> None:
        url = f"json://127.0.0.1:{self.sink.server_address[1]}/"
        alerters = self.folder / "alerters.yaml"
        alerters.write_text(json.dumps({"alerters": [{"name": "sink", "url": url}]}))
        self.watching("apply", "-f", str(alerters), "--yes")
        self.watching.secret()
        note = f'sleep 0.2; echo "$KOMODO_PARAM_COMMIT" >> {self.folder}/notes; sleep 0.2'
        procedures = [
            {"name": "note", "allow_dangerous": True, "parameters": {"commit": None},
             "stages": [{"steps": [{"script": {"script": note, "servers": "web"}}]}]},
            *({"name": name, "schedule": "every minute", "catch_up": "last", "allow_dangerous": True,
               "stages": [{"steps": [{"run": {"command": ["sh", "-c", f"echo $KOMODO_RUN >> {self.folder}/ticks"],
                                             "servers": "web"}}]}]} for name in TICKS),
            *(self._flaky(f"flaky-{number:03d}") for number in range(400)),
        ]  # fmt: skip
        act = {"procedure": "note", "parameters": {"commit": "{commit}"}}
        self.watching.define(procedures=procedures, on_push=[act], poll="")

    def _flaky(self, name: str) -> dict[str, Any]:
        command = ["sh", "-c", f"test ! -e {self.folder}/{name}"]
        return {"name": name, "allow_dangerous": True, "stages": [{"steps": [{"run": {"command": command}}]}]}

    # -- a life -------------------------------------------------------------------------------------------------

    def life(self) -> None:
        """Start the watch, let things happen, kill it."""
        process = self.watching.spawn()
        length = self.dice.uniform(0.05, LONG if self.dice.random() < LONG_SHARE else LIFE)
        began, end = time.monotonic(), time.monotonic() + length
        acts = sorted(self.dice.uniform(0.0, length) for _ in range(self.dice.choice((0, 1, 1, 2))))
        while time.monotonic() < end:
            if acts and time.monotonic() - began >= acts[0]:
                acts.pop(0)
                self._something()
            self._send()
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait(20)
        self.counts["kills"] += 1
        if self.dice.random() < 0.3:
            self._something()  # while nobody watches
        self._look()

    def _something(self) -> None:
        """A push, or something goes wrong or is put right."""
        choice = self.dice.random()
        if choice < 0.6:
            self._waiting.append((self.author.push(f"push {next(self._numbers)}"), str(uuid.uuid4())))
        elif len(self.bad) >= FAILING or (self.bad and choice > 0.85):
            self._mend(self.bad.pop(self.dice.randrange(len(self.bad))))
        else:
            self.bad.append(self._break("flaky" if choice < 0.8 else "box"))

    def _send(self) -> None:
        """Tell what is not answered, oldest first; half of it twice."""
        while self._waiting:
            commit, delivery = self._waiting[0]
            for _ in range(self.dice.choice((1, 2))):
                try:
                    answer = self.watching.hook(commit, id=delivery)
                except OSError:
                    return  # nobody listens now, or it was killed meanwhile
                assert answer in (200, 202), answer
                self.counts[f"answers {answer}"] += 1
            self._waiting.pop(0)
            self.sent.add(commit)

    def _break(self, kind: str) -> str:
        name = f"{kind}-{next(self._numbers) % 400:03d}"
        self.counts[f"{kind} broken"] += 1
        if kind == "box":
            self.server.docker("run", "-d", "--name", name, "busybox", "sh", "-c", "exit 3")
        else:
            (self.folder / name).touch()
            self.watching("--run-procedure", name, code=1)
        return name

    def _mend(self, name: str) -> None:
        if name.startswith("box"):
            self.server.docker("rm", "-f", name)
        else:
            (self.folder / name).unlink()
            self.watching("--run-procedure", name)

    def _look(self) -> None:
        """Note the pushes: of each repo the newest are kept."""
        store = PushStore(self.paths.pushes)
        self.known |= {push.id: push for push in store.recent(limit=1000)}
        store.close()

    # -- the end ------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Let a last watch do what is left, then put all right; raises AssertionError where it is not."""
        while len(self.bad) < FAILING // 2:
            self.bad.append(self._break(self.dice.choice(("flaky", "box"))))
        process = self.watching.spawn()
        try:
            self._until(self._answered, "deliveries are answered")
            self._until(self._pushed, "pushes end")
            self._until(lambda: {*self.bad} <= self._open(), "what fails has its alert")
            while self.bad:
                self._mend(self.bad.pop())
            self._until(lambda: not self._open(), "no alert is open")
            self._until(lambda: not self._untold(), "all is told")
            self._until(lambda: not self._open_slots(), "no due time is open")
        finally:
            process.terminate()
            process.wait(30)
        self._until(lambda: all(run.ended for run in self._runs()), "runs end")
        self._check_pushes()
        self._check_ticks()
        self._check_told()

    def _answered(self) -> bool:
        self._send()
        return not self._waiting

    def _until(self, what: Any, words: str) -> None:
        end = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < end, f"in vain: {words}\n{self._state()}"
            time.sleep(0.5)

    def _state(self) -> str:
        alerts = self._alerts()
        opened = [f"{alert.subject} {alert.subject.kind} {alert.text}" for alert in alerts.open_alerts(time.time())]
        alerts.close()
        return (
            f"bad {self.bad}\nopen {opened}\nuntold {self._untold()}\nslots {self._open_slots()}\n"
            + (self.watching.said[-3000:])
        )

    def _alerts(self) -> AlertStore:
        return AlertStore(self.watching.home / "alerts.db")

    def _open(self) -> set[str]:
        """What the open alerts are about."""
        alerts = self._alerts()
        found = {alert.subject.what for alert in alerts.open_alerts(time.time())}
        alerts.close()
        return found

    def _untold(self) -> int:
        alerts = self._alerts()
        waiting = DeliveryQueue(alerts).status("sink").waiting
        with alerts.reading() as db:
            told = int(db.execute("SELECT coalesce(max(seq), 0) FROM told").fetchone()[0])
            newest = int(db.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0])
        alerts.close()
        return waiting + newest - told

    def _open_slots(self) -> list[Any]:
        slots = SlotStore(self.paths.runs / "slots.db")
        found = slots.open()
        slots.close()
        return found

    def _pushed(self) -> bool:
        self._look()
        return all(push.state in ("done", "failed") for push in self.known.values())

    def _runs(self) -> list[Any]:
        runs = RunStore(self.paths.runs)
        found = runs.runs(limit=100_000)
        runs.close()
        return found

    def _check_pushes(self) -> None:
        lines = Counter((self.folder / "notes").read_text().split())
        done = Counter(push.commit for push in self.known.values() if push.state == "done")
        failed = [push for push in self.known.values() if push.state == "failed"]
        told = sum(push.count for push in self.known.values())
        self.counts.update({"pushes told": len(self.sent), "pushes counted": told, "push runs": len(self.known),
                            "push runs failed": len(failed)})  # fmt: skip
        assert told == len(self.sent), f"{len(self.sent)} told, {told} counted"
        assert lines == done, f"lines {lines - done}, runs without one {done - lines}, failed {failed}"

    def _check_ticks(self) -> None:
        lines = Counter((self.folder / "ticks").read_text().split())
        slots = _Slots(self.paths.runs / "slots.db")
        results = slots.results()
        slots.close()
        for name in TICKS:
            times = [at for at, _ in results[name]]
            due = Schedule("every minute").due(min(times) - 1, max(times))
            assert times == due, f"{name}: {len(times)} times of {len(due)}"
        found = [result for each in results.values() for _, result in each]
        self.counts.update({"due times": len(found), "due times missed": found.count("missed")})
        runs = {run.run for run in self._runs() if run.procedure in TICKS}
        begun = [result for result in found if result in runs]
        refused = [result for result in found if result not in runs and result != "missed"]
        assert not refused, refused
        assert len(begun) == len(set(begun)) == len(runs), f"{len(begun)} due times with a run, {len(runs)} runs"
        assert lines == Counter(runs), f"lines {lines - Counter(runs)}, runs without one {Counter(runs) - lines}"

    def _check_told(self) -> None:
        alerts = self._alerts()
        with alerts.reading() as db:
            opened = Counter(row[0] for row in db.execute(
                "SELECT what FROM entries JOIN alerts ON alerts.id = alert WHERE change = 'opened'"))  # fmt: skip
            left = db.execute("SELECT count(*) FROM alerts WHERE resolved IS NULL").fetchone()[0]
        alerts.close()
        assert not left
        messages = "\n".join(self.sink.got)
        self.counts.update({"alerts": opened.total(), "messages": len(self.sink.got)})
        silent = [what for what in opened if what.startswith(("flaky", "box")) and what not in messages]
        assert not silent, f"never told: {silent}"


class _Slots(SlotStore):
    def results(self) -> dict[str, list[tuple[float, str]]]:
        found: dict[str, list[tuple[float, str]]] = {}
        with self._open(write=False) as db:
            for name, at, result in db.execute("SELECT name, at, result FROM slots ORDER BY at"):
                found.setdefault(name, []).append((at, result))
        return found


def kill(server: Server, folder: Path, points: int, seed: int) -> Counter[str]:
    """So many points; what happened."""
    environment = {"DOCKER_CONFIG": str(compose.config_folder()), "KOMODO_AGENT_REPO_ROOTS": str(folder)}
    with agent_process(folder / "web", server.docker_host, environment=environment):
        lab = Lab(folder, server, seed)
        for _ in range(points):
            lab.life()
            print(json.dumps(lab.counts), file=sys.stderr, flush=True)
        lab.end()
    return lab.counts


def main() -> int:
    """Do it on a private server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    packages.install()
    began = time.monotonic()
    with ExitStack() as stack:
        server = up(f"kills{os.getpid()}")
        stack.callback(down, server.name)
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        seen = kill(server, Path(folder), given.points, given.seed)
    print(json.dumps({**seen, "seconds": round(time.monotonic() - began), "load": os.getloadavg()[0]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
