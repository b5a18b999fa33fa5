"""What the README's pictures show: two private servers behind real sshds, looked at with the program as it runs."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.lab import private_server
from benchmarks.screenshots import shoot
from komodo_tui.domain.operations import Target
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.widgets.table import VirtualTable
from komodo_tui.wiring import build_runtime
from tests.integration.ssh.lab import RemoteAgent, definition

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    from tests.rig.server import Server

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
SIZE = (120, 34)
_SEEN = 75.0
"""Seconds the servers are watched before the pictures, so that graphs have something to show."""
_BUSY = "while :; do i=0; while [ $i -lt {} ]; do i=$((i+1)); done; sleep 0.{}; done"
_TALK = (
    'n=0; while :; do n=$((n+1)); echo "$(date +%H:%M:%S) INFO GET /v1/items/$n 200 $((n % 37))ms"; '
    '[ $((n % 5)) -eq 0 ] && echo "$(date +%H:%M:%S) WARN queue depth $((n * 7))"; '
    '[ $((n % 9)) -eq 0 ] && echo "{\\"level\\":\\"error\\",\\"msg\\":\\"timeout\\",\\"dep\\":\\"pg\\"}"; '
    "sleep 0.7; done"
)
_STACK, _SERVICE = "com.docker.compose.project", "com.docker.compose.service"


def furnish(server: Server, name: str) -> None:
    """Containers as a small shop has them."""

    def run(container: str, stack: str, script: str, *more: str) -> None:
        server.docker("run", "-d", "--name", container, "--label", f"{_STACK}={stack}", "--label",
                      f"{_SERVICE}={container}", *more, "busybox", "sh", "-c", script)  # fmt: skip

    if name == "web-01":
        run("api-1", "shop", _TALK, "-p", "8080:80", "-e", "DATABASE_PASSWORD=hunter2", "-m", "256m")
        run("api-2", "shop", _TALK, "-m", "256m")
        run("worker-1", "shop", _BUSY.format(9000, 3))
        run("cron", "shop", "sleep 100000")
        server.docker("run", "--name", "migrate-42", "busybox", "true")
    else:
        run("postgres", "data", _BUSY.format(20000, 5), "-m", "1g", "-v", "pg:/var/lib/postgresql")
        run("redis", "data", "sleep 100000", "--health-cmd", "false", "--health-interval", "2s")
        run("backup", "data", "exit 3")


async def _until(pilot: Pilot[Any], reached: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not reached():
            await pilot.pause(0.1)


async def take(folder: Path, servers: dict[str, RemoteAgent], config: Path, home: Path) -> None:
    """Walk through the screens and picture each."""
    runtime = build_runtime(home=home, ssh_config=config)
    for name, agent in servers.items():
        runtime.definitions.put(
            "server", name, msgspec.structs.replace(definition(agent, name=name), tags=("prod",)), None
        )
    app = KomodoApp(runtime)
    async with app.run_test(size=SIZE) as pilot:
        states = runtime.fleet.state.servers
        await _until(
            pilot, lambda: len(states) == 2 and all(live.engine_live and live.sample for live in states.values())
        )
        await pilot.pause(_SEEN)
        for name, scene in _SCENES.items():
            await scene(pilot)
            await pilot.pause(1.5)
            shoot(app, folder / f"{name}.png")
            while len(app.screen_stack) > 1:
                app.pop_screen()


async def _fleet(pilot: Pilot[Any]) -> None:
    await pilot.press("1")


async def _server(pilot: Pilot[Any]) -> None:
    await pilot.press("enter")
    await pilot.pause(1)
    await pilot.press("left_curly_bracket")


async def _containers(pilot: Pilot[Any]) -> None:
    await pilot.press("escape", "3")
    await pilot.pause(1)
    pilot.app.query_one("#containers-table", VirtualTable).sort_by("cpu")
    await pilot.press("j", "j")


async def _plan(pilot: Pilot[Any]) -> None:
    await pilot.press("slash", *"stack:shop state:run", "enter", "asterisk", "R")


async def _logs(pilot: Pilot[Any]) -> None:
    await pilot.press("escape", "escape", "slash", *"api", "enter", "asterisk", "L")
    await pilot.pause(3)


async def _shell(pilot: Pilot[Any]) -> None:
    app = pilot.app
    assert isinstance(app, KomodoApp)
    await pilot.press("escape", "escape", "escape")
    app.go("containers", Target(server="web-01", name="api-1"))
    await pilot.pause(1)
    await pilot.press("escape", "s")
    await pilot.pause(5)
    await pilot.press("p", "s", "enter")
    await pilot.pause(1)
    await pilot.press("u", "p", "t", "i", "m", "e", "enter")


_SCENES: dict[str, Callable[[Pilot[Any]], Awaitable[None]]] = {
    "fleet": _fleet, "server": _server, "containers": _containers, "plan": _plan, "logs": _logs, "shell": _shell,
}  # fmt: skip


def main() -> None:
    """Start the servers, take the pictures."""
    with contextlib.ExitStack() as stack:
        agents: dict[str, RemoteAgent] = {}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("web-01", "db-01"):
            server = stack.enter_context(private_server(name))
            furnish(server, name)
            agents[name] = RemoteAgent(server)
            agents[name].start()
            stack.callback(agents[name].kill)
        config = folder / "ssh_config"
        config.write_text("".join(Path(agent.server.ssh_config).read_text() for agent in agents.values()))
        asyncio.run(take(FOLDER, agents, config, folder / "home"))


if __name__ == "__main__":
    main()
