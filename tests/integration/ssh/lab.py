"""Agents on private servers, and a fleet on this side that reaches them over SSH."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet.ssh_tunnel import SshTunnel
from komodo_tui.wiring import build_runtime
from tests.integration.agent.lab import answers
from tests.rig.processes import stop, wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from komodo_agent.wire.models import Container
    from komodo_tui.domain.errors import KomodoError
    from komodo_tui.fleet.live import ServerLive, ServerStatus
    from komodo_tui.wiring import Runtime
    from tests.rig.server import Server

PATIENCE = 30.0
"""Seconds to wait for anything. No figure: only the end of the wait for what does not come."""


_holders: dict[Path, RemoteAgent] = {}
"""Who started the agent that listens on a socket: another one there would end at once, and a kill of it do nothing."""


class RemoteAgent:
    """The agent of one private server, in its namespace. The one started last is the one there is."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.socket = server.run_dir / "agent.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running agent."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it where it does not run, and wait until it listens."""
        if self._process is not None and self._process.poll() is None:
            return
        before = _holders.get(self.socket)
        if before is not None:
            before.kill()
        _holders[self.socket] = self
        command = ["nsenter", f"--net={self.server.netns}", sys.executable, "-m", "komodo_agent", "serve",
                   "--socket", str(self.socket), "--state", str(self.server.run_dir / "agent-state"),
                   "--docker-host", self.server.docker_host]  # fmt: skip
        environment = {k: v for k, v in os.environ.items() if not k.startswith("DOCKER")}
        with (self.server.run_dir / "agent.log").open("ab") as out:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        self._process = process
        wait_for(lambda: answers(self.socket) or process.poll() is not None, 20, what="an answer of the agent")
        assert process.poll() is None, (self.server.run_dir / "agent.log").read_text()

    def kill(self, sig: int = signal.SIGKILL) -> None:
        """End it."""
        if self._process is not None:
            os.kill(self.pid, signal.SIGCONT)
            stop(self.pid, sig=sig)
            self._process.wait(timeout=10)
            self._process = None

    def signal(self, sig: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, sig)


@dataclass
class Person:
    """Answers the questions of servers, and remembers what was asked."""

    passphrases: list[str | None] = field(default_factory=list)
    replies: list[list[str] | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    hurry: asyncio.Event | None = None
    """Without it answers come at once; else they wait for it."""

    async def passphrase(self, server: str, key_path: str) -> str | None:
        """The next passphrase."""
        self.asked.append(f"{server}: passphrase of {key_path}")
        if self.hurry is not None:
            await self.hurry.wait()
        return self.passphrases.pop(0) if self.passphrases else None

    async def answers(
        self, server: str, title: str, instructions: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """The next answers."""
        self.asked.append(f"{server}: {' | '.join(question for question, _ in prompts)}")
        return self.replies.pop(0) if self.replies else None


class Fleet:
    """A running program without its front end."""

    def __init__(self, runtime: Runtime, person: Person) -> None:
        self.runtime = runtime
        self.person = person
        self.manager = runtime.fleet

    def live(self, name: str) -> ServerLive:
        """What is known of a server."""
        return self.manager.state.servers[name]

    async def until(self, condition: Callable[[], Any], timeout: float = PATIENCE) -> Any:
        """Wait until a change makes it true; returns its value."""
        subscription = self.manager.state.subscribe()
        try:
            async with asyncio.timeout(timeout):
                while not (value := condition()):
                    await subscription.wait()
                    subscription.take()
            return value
        except TimeoutError:
            seen = {live.name: f"{live.status}: {live.error}" for live in self.manager.state.servers.values()}
            raise AssertionError(f"did not happen: {seen}") from None
        finally:
            subscription.close()

    async def status(self, name: str, *statuses: ServerStatus) -> KomodoError | None:
        """Wait for one of these states; returns its error."""
        await self.until(lambda: self.live(name).status in statuses)
        return self.live(name).error

    async def up(self, name: str) -> ServerLive:
        """Wait until a server is up."""
        await self.until(lambda: self.live(name).live)
        return self.live(name)

    async def container(self, server: str, name: str, state: str = "running") -> Container:
        """Wait until a container is in a state."""

        def find() -> Container | None:
            found = self.live(server).containers.values()
            return next((c for c in found if c.name == name and c.state == state), None)

        found: Container = await self.until(find)
        return found

    async def tunnel(self, name: str) -> SshTunnel:
        """The open way to a server."""
        tunnel = await self.manager.link(name).tunnel()
        assert isinstance(tunnel, SshTunnel)
        return tunnel

    async def channels(self, name: str) -> int:
        """Channels open on a server's connection."""
        return len((await self.tunnel(name)).connection.ssh._channels)


@asynccontextmanager
async def fleet(
    home: Path, ssh_config: Path | str, *definitions: ServerDefinition, person: Person | None = None
) -> AsyncIterator[Fleet]:
    """Start a fleet of these servers, and close it again."""
    from pathlib import Path as FilePath

    asked = person or Person()
    runtime = build_runtime(home=home, prompter=lambda: asked, ssh_config=FilePath(ssh_config))
    try:
        for definition in definitions:
            await runtime.servers.add(definition)
        await runtime.start(only={definition.name for definition in definitions})
        yield Fleet(runtime, asked)
    finally:
        await runtime.close()


def definition(agent: RemoteAgent, name: str = "alpha", address: str = "") -> ServerDefinition:
    """The definition of a private server; by default it is reached by its alias."""
    return ServerDefinition(name=name, address=address or agent.server.name, agent_socket=str(agent.socket))
