"""``python -m tests.faults.deploy_kills [--points 50] [--seed 1] [compose|agent|client …]``: kill -9 at random moments.

A two-service stack is changed and deployed on a private engine over and over; at a random moment of each deploy the
victim is killed: compose, the agent, or the program of the person who asked. After each, the run must have ended in
a named outcome, the next deploy must go through, and exactly the declared containers, the volume's file and the
user's own file must be there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from komodo_agent.wire.compose import ComposeDeploy, ComposeSource, HealthPolicy
from tests.integration.agent.lab import agent_process
from tests.integration.compose.lab import WEB, Stacks, kill_composes, source
from tests.rig import compose, packages
from tests.rig.server import Server, down, up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HEALTH = HealthPolicy(window=20, steady=0.2)
OUTCOMES = frozenset({"success", "failed", "rolled_back", "rollback_failed", "cancelled", "interrupted"})
TWO = WEB.replace(
    "volumes: {data",
    "  db:\n    image: busybox\n    init: true\n    stop_grace_period: 1s\n    command: [sleep, '100000']\n"
    "    environment: {ROUND: '${ROUND}'}\nvolumes: {data",
).replace("environment: {", "environment: {ROUND: '${ROUND}', ", 1)
LONGEST = 2.5
"""Seconds after the start of a deploy within which it is hit."""


class Lab:
    """The engine, the stack's files and what must never be lost."""

    def __init__(self, server: Server, folder: Path, seed: int) -> None:
        self.server = server
        self.folder = folder
        self.random = random.Random(seed)
        self.environment = {"DOCKER_CONFIG": str(compose.config_folder())}
        self.round = 0
        self.seen: Counter[str] = Counter()
        self.mine = folder / "agent/state/stacks/shop/files/mine.txt"

    def changed(self) -> ComposeSource:
        """The stack with another environment: both services are made anew."""
        self.round += 1
        return source(TWO, ROUND=str(self.round))

    @asynccontextmanager
    async def stacks(self) -> AsyncIterator[Stacks]:
        """A running agent."""
        with agent_process(self.folder / "agent", self.server.docker_host, environment=self.environment) as agent:
            async with agent.session() as session:
                yield Stacks(agent, session, self.server)

    async def prepare(self) -> None:
        """Deploy once; put down what has to survive."""
        async with self.stacks() as stacks:
            job = await stacks.deploy(self.changed(), health=HEALTH)
            assert job.status == "succeeded", job.error
        self.mine.write_text("mine")
        self.server.docker("exec", "shop-web-1", "touch", "/data/canary")

    async def check(self, stacks: Stacks) -> None:
        """The next deploy goes through, and all that must be there is."""
        while (await stacks.project()).busy:
            await asyncio.sleep(0.05)
        job = await stacks.deploy(self.changed(), health=HEALTH, fallback={"PORT": "8080", "ROUND": "0"})
        assert job.status == "succeeded", job.error
        assert stacks.containers() == {"shop-web-1": "running", "shop-db-1": "running"}, stacks.containers()
        assert self.server.docker("exec", "shop-web-1", "ls", "/data").split() == ["canary"]
        assert self.mine.read_text() == "mine"
        ends = {revision.outcome for revision in (await stacks.project()).revisions}
        assert ends <= OUTCOMES, ends

    async def kill_compose(self) -> None:
        """One deploy whose compose is killed."""
        async with self.stacks() as stacks:
            spec = ComposeDeploy(source=self.changed(), health=HEALTH, fallback={"PORT": "8080", "ROUND": "0"})
            job_id = await stacks.begin(spec)
            await asyncio.sleep(self.random.uniform(0, LONGEST))
            kill_composes("shop", self.server.docker_host)
            job = await stacks.end(job_id)
            outcome = job.result.get("outcome") or ("refused" if job.result.get("refused") else job.status)
            self.seen[f"compose: {outcome}"] += 1
            assert outcome != "rollback_failed", job.error
            await self.check(stacks)

    async def kill_agent(self) -> None:
        """One deploy whose agent is killed; compose may live on."""
        async with self.stacks() as stacks:
            spec = ComposeDeploy(source=self.changed(), health=HEALTH, fallback={"PORT": "8080", "ROUND": "0"})
            job_id = await stacks.begin(spec)
            await asyncio.sleep(self.random.uniform(0, LONGEST))
            os.kill(stacks.agent.process.pid, signal.SIGKILL)
            stacks.agent.process.wait()
        async with self.stacks() as stacks:
            job = await stacks.agent.job(stacks.session, job_id)
            assert job.ended
            self.seen[f"agent: {job.error.partition(':')[0] or job.result.get('outcome')}"] += 1
            await self.check(stacks)


class Client:
    """The command line against its embedded agent, killed and started again."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._home = lab.folder / "home"
        self._file = lab.folder / "fleet.yaml"
        self._environment = {
            **os.environ, **lab.environment, "KOMODO_TUI_HOME": str(self._home), "DOCKER_HOST": lab.server.docker_host,
        }  # fmt: skip

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A verb to its end."""
        return subprocess.run(self._words(*words), env=self._environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120, check=False)  # fmt: skip

    def _words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "komodo_tui", *words]

    def define(self) -> None:
        """Change the stack's definition."""
        self._lab.round += 1
        indented = "\n".join(f"      {line}" for line in TWO.splitlines())
        self._file.write_text(
            "servers: [{name: here, address: local}]\nstacks:\n  - name: shop\n    servers: [here]\n"
            f"    environment: {{PORT: '8080', ROUND: '{self._lab.round}'}}\n"
            f"    health: {{window: 20, steady: 0.2}}\n    compose: |\n{indented}\n"
        )
        done = self.run("apply", "-f", str(self._file), "--yes")
        assert done.returncode == 0, done.stderr

    def hit(self) -> None:
        """One deploy whose program is killed."""
        self.define()
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(
            self._words("deploy", "shop", "--yes"), env=self._environment, stdin=quiet, stdout=quiet, stderr=quiet
        )
        time.sleep(self._lab.random.uniform(0.2, LONGEST + 1))
        process.kill()
        process.wait()
        self.define()
        for _ in range(60):
            done = self.run("deploy", "shop", "--yes")
            if "under way" not in done.stderr and "another job works" not in done.stderr:
                break
            time.sleep(0.5)
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in self.run("actions", "--json").stdout.splitlines()]
        deploys = [row for row in rows if row["act"] == "deploy"]
        assert all(row["outcome"] in OUTCOMES for row in deploys), [row["outcome"] for row in deploys]
        self._lab.seen[f"client: {deploys[1]['outcome'] if len(deploys) > 1 else 'none'}"] += 1
        names = self._lab.server.docker("ps", "-a", "--filter", "label=com.docker.compose.project=shop",
                                        "--format", "{{.Names}} {{.State}}")  # fmt: skip
        assert sorted(names.splitlines()) == ["shop-db-1 running", "shop-web-1 running"], names


async def _agent_side(lab: Lab, victims: list[str], points: int) -> None:
    await lab.prepare()
    for victim in victims:
        for _ in range(points):
            print(dict(lab.seen), file=sys.stderr, flush=True)
            await (lab.kill_compose() if victim == "compose" else lab.kill_agent())


def main() -> int:
    """Run; prints the outcomes met, and fails at the first broken promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.deploy_kills")
    parser.add_argument("victims", nargs="*", default=["compose", "agent", "client"])
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    packages.install()
    name = f"kills{os.getpid()}"
    server = up(name, sshd=False)
    try:
        with tempfile.TemporaryDirectory() as folder:
            lab = Lab(server, Path(folder), options.seed)
            asyncio.run(_agent_side(lab, [v for v in options.victims if v != "client"], options.points))
            if "client" in options.victims:
                server.remove_containers()
                client = Client(lab)
                for _ in range(options.points):
                    client.hit()
            for outcome, count in sorted(lab.seen.items()):
                print(f"{count:4d}  {outcome}")
    finally:
        down(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
