"""10,000 deliveries of webhooks, half of them copies, to a real watch that is killed and started again all the time."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from benchmarks.lab import environment, program, stop_agents
from komodo_tui.store.pushes import PushStore
from tests.integration.pushes.lab import SECRET, free_port

if TYPE_CHECKING:
    from komodo_tui.domain.pushes import Push

DELIVERIES, REPOS, SENDERS = 10_000, 20, 40
LIVES = (1.5, 5.0)
"""Seconds a watch lives: it is killed without a word, and the next one is started at once."""
PATIENCE = 300.0


def measure() -> dict[str, float]:
    """Counts; deliveries a second by the clock, restarts included."""
    with tempfile.TemporaryDirectory(prefix="deliveries") as name:
        try:
            return asyncio.run(Flood(Path(name)).run())
        finally:
            stop_agents(name)


class Flood:
    """Senders on one side, watches on the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = folder / "notes"
        self.env = environment(folder, DOCKER_HOST=f"unix://{folder}/no-engine.sock", HOME=str(folder))
        self.port = free_port()
        self.answers: Counter[int] = Counter()
        self.counts: Counter[str] = Counter()
        self.known: dict[int, Push] = {}
        self.store = PushStore(folder / "pushes.db")
        self._define()

    def _define(self) -> None:
        (self.folder / "config.yaml").write_text(
            f'webhooks: {{listen: "127.0.0.1:{self.port}", rate: 100000}}\n'
        )  # fmt: skip
        run = f'echo "$KOMODO_PARAM_COMMIT" >> {self.notes}'
        note = {"name": "note", "allow_dangerous": True, "parameters": {"commit": None},
                "stages": [{"steps": [{"script": {"script": run}}]}]}  # fmt: skip
        act = {"procedure": "note", "parameters": {"commit": "{commit}"}}
        repos = [
            {
                "name": f"r{number}",
                "url": f"file://{self.folder}/none.git",
                "branch": "main",
                "webhook": "HOOK",
                "on_push": [act],
            }
            for number in range(REPOS)
        ]
        path = self.folder / "all.yaml"
        path.write_text(
            json.dumps({"servers": [{"name": "here", "address": "local"}], "procedures": [note], "repos": repos})
        )
        self._done("apply", "-f", str(path), "--yes")
        self._done("secret", "set", "HOOK", "--yes", given=SECRET)

    def _done(self, *words: str, given: str = "") -> None:
        subprocess.run(program(*words), env=self.env, input=given, text=True, check=True, stdout=subprocess.DEVNULL)

    async def run(self) -> dict[str, float]:
        """Send all of it, wait until it is acted on, count."""
        watches = asyncio.create_task(self._watches())
        looks = asyncio.create_task(self._looks())
        order = [number % (DELIVERIES // 2) for number in range(DELIVERIES)]
        random.Random(1).shuffle(order)
        began = time.monotonic()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=SENDERS)) as session:
            turns = asyncio.Semaphore(SENDERS)
            await asyncio.gather(*(self._send(session, turns, number) for number in order))
        sent = time.monotonic() - began
        async with asyncio.timeout(PATIENCE):
            while not all(push.state in ("done", "failed") for push in self._look()):
                await asyncio.sleep(0.5)
        for task in (watches, looks):
            task.cancel()
        await asyncio.gather(watches, looks, return_exceptions=True)
        return self._counted(sent)

    async def _send(self, session: aiohttp.ClientSession, turns: asyncio.Semaphore, number: int) -> None:
        """Until it is answered, as services do."""
        commit = hashlib.sha1(str(number).encode()).hexdigest()
        body = json.dumps({"ref": "refs/heads/main", "after": commit, "commits": []}).encode()
        headers = {
            "X-GitHub-Event": "push", "X-GitHub-Delivery": f"id{number}",
            "X-Hub-Signature-256": f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}",
        }  # fmt: skip
        async with turns:
            while True:
                try:
                    url = f"http://127.0.0.1:{self.port}/hooks/r{number % REPOS}"
                    async with session.post(url, data=body, headers=headers) as answer:
                        self.answers[answer.status] += 1
                        if answer.status in (200, 202):
                            return
                except aiohttp.ClientError:
                    self.counts["sent again"] += 1
                await asyncio.sleep(0.2)

    async def _watches(self) -> None:
        dice = random.Random(2)
        with (self.folder / "said").open("ab") as said:
            while True:
                watch = await asyncio.create_subprocess_exec(*program("watch"), env=self.env, stdout=said, stderr=said)
                try:
                    async with asyncio.timeout(dice.uniform(*LIVES)):
                        await watch.wait()
                except TimeoutError:
                    self.counts["kills"] += 1
                finally:
                    if watch.returncode is None:
                        watch.send_signal(signal.SIGKILL)
                        await watch.wait()

    async def _looks(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(0.5)

    def _look(self) -> list[Push]:
        """Note them: of each repo the newest are kept."""
        recent = self.store.recent(limit=REPOS * 200)
        self.known |= {push.id: push for push in recent}
        return recent

    def _counted(self, seconds: float) -> dict[str, float]:
        lines = Counter(self.notes.read_text().split())
        done = Counter(push.commit for push in self.known.values() if push.state == "done")
        return {
            f"deliveries (half of them copies, {SENDERS} senders)": DELIVERIES,
            "… sent again for want of an answer": self.counts["sent again"],
            "watch killed meanwhile": self.counts["kills"],
            "answered as taken": self.answers[202],
            "answered as copies": self.answers[200],
            "counted into pushes (wanted: half)": sum(push.count for push in self.known.values()),
            "runs of these pushes": len(self.known),
            "… failed": sum(push.state == "failed" for push in self.known.values()),
            "… acted once, as the file says": sum(lines[commit] == 1 for commit in done),
            "… acted twice": sum(count > 1 for count in lines.values()),
            "… said done and did nothing": len(done - lines),
            "seconds until all were answered": seconds,
            "load": os.getloadavg()[0],
        }


if __name__ == "__main__":
    for what, value in measure().items():
        print(f"{what:<60} {value:>10,.1f}")
    sys.exit(0)
