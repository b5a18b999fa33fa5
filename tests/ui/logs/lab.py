"""The app on the Logs page, with servers whose logs a test writes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from komodo_agent.wire.feed import ContainersChanged, EngineChanged
from komodo_agent.wire.models import Container, Engine
from komodo_tui.domain.operations import Target
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet.live import FleetState
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.logs import record
from komodo_tui.ui.logs.open import open_logs
from komodo_tui.ui.pages.logs import LogsPage
from tests.ui.still import StillFleet, still_runtime
from tests.unit.log_wire import Agent, Client, Log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.domain.settings import Settings

NOW = 1795543200.0
"""2026-11-24T18:00:00Z."""
PATIENCE = 20.0


def at(seconds: float) -> str:
    """A wire time so many seconds before NOW."""
    return record.stamp(NOW - seconds)


class LogLink:
    """A server's link that only gives the client of its agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def client(self) -> Client:
        """The client."""
        return Client(self._agent)


class LogFleet(StillFleet):
    """Servers ``s0``, ``s1``… each with an agent."""

    def __init__(self, agents: dict[str, Agent]) -> None:
        super().__init__(FleetState())
        self.agents = agents
        for name in agents:
            self.state.define(ServerDefinition(name=name, address="127.0.0.1"))

    def link(self, name: str) -> LogLink:
        """The link of a server."""
        return LogLink(self.agents[name])


class LogLab:
    """App, page, logs."""

    def __init__(self, app: KomodoApp, pilot: Pilot[int], fleet: Any) -> None:
        self.app = app
        self.pilot = pilot
        self.fleet = fleet
        self.copied: list[str] = []

    @property
    def page(self) -> LogsPage:
        """The page."""
        return self.app.query_one(LogsPage)

    def log(self, container: str, server: str = "s0") -> Log:
        """The log of a container, to be written to."""
        log: Log = self.fleet.agents[server].logs[container]
        return log

    def rows(self) -> list[str]:
        """What the screen shows."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    def text(self) -> str:
        """The same as one string."""
        return "\n".join(self.rows())

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for something that the program under test brings about."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while not condition():
            assert loop.time() < end, f"waited in vain for {what}; the screen is\n{self.text()}"
            await self.pilot.pause(0.01)

    async def shows(self, text: str) -> None:
        """Wait until the screen shows this."""
        await self.until(lambda: text in self.text(), repr(text))

    async def lacks(self, text: str) -> None:
        """Wait until the screen does not show this."""
        await self.until(lambda: text not in self.text(), f"{text!r} to go")

    async def press(self, *keys: str) -> None:
        """Type."""
        await self.pilot.press(*keys)

    def run(self, server: str, *containers: Container) -> None:
        """The server's engine has these containers now."""
        self.fleet.state.set_status(server, "up")
        up = EngineChanged(engine=Engine(status="up"))
        self.fleet.state.apply(server, [up, ContainersChanged(changed=containers)])


@asynccontextmanager
async def showing(
    folder: Path, agents: dict[str, Agent], targets: Sequence[Target] = (), *, size: tuple[int, int] = (80, 24),
    settings: Settings | None = None, now: float = NOW,
) -> AsyncIterator[LogLab]:  # fmt: skip
    """The app, gone from another page to the logs of these; of all there are when none are named."""
    fleet = LogFleet(agents)
    runtime = still_runtime(folder, settings)
    runtime.fleet = fleet
    app = KomodoApp(runtime, tab="terminals", now=lambda: now)
    async with app.run_test(size=size) as pilot:
        lab = LogLab(app, pilot, fleet)
        app.copy = lambda text, what: lab.copied.append(text)  # type: ignore[method-assign]
        targets = targets or [Target(server=s, name=c, id=c) for s, agent in agents.items() for c in agent.logs]
        await lab.until(lambda: app._current is not None and app._current.is_attached, "the first page")
        assert app._current is not None
        open_logs(app._current, targets)
        await lab.until(lambda: app.query(LogsPage) and lab.page.console.follower.caught_up, "the logs")
        yield lab


def filled(*lines: tuple[float, str]) -> Log:
    """A log of lines, each with its seconds before NOW."""
    log = Log()
    for seconds, text in lines:
        log.write(at(seconds), text.encode())
    return log
