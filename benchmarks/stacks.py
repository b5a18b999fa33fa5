"""What the Stacks and Deployments tabs take with 200 stacks on 10 servers: the list, a filter, a state that changes."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.fleet import NOW
from benchmarks.measure import yardstick
from komodo_agent.wire.compose import ComposeProject, RevisionSummary, RunningService
from komodo_agent.wire.feed import ContainersChanged, Snapshot
from komodo_agent.wire.models import Container, Engine, Host
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.stacks import StackDefinition
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.deployment_definitions import Deployables, DeploymentDefinitions
from komodo_tui.operations.stack_definitions import StackDefinitions
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.widgets.list_pane import ListPane
from tests.ui.still import StillFleet, still_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.fleet.live import FleetState

STACKS, SERVERS = 200, 10
SERVICES = ("web", "db")
ROUNDS = 9
_SETTLED = 0.4
"""Seconds without a paint after which nothing more comes of an act."""


class _Agent:
    """What an agent tells of its projects."""

    def __init__(self, projects: list[ComposeProject]) -> None:
        self._projects = projects

    async def client(self, patience: float = 0.0) -> _Agent:
        return self

    async def compose_projects(self) -> list[ComposeProject]:
        return self._projects


class _Agents(StillFleet):
    """One for each server."""

    def __init__(self, projects: list[ComposeProject]) -> None:
        super().__init__()
        self._agent = _Agent(projects)

    def link(self, name: str) -> Any:
        return self._agent


class _Watched(KomodoApp):
    """Knows when it painted last."""

    painted = 0.0

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)
        self.painted = time.monotonic()


def measure() -> dict[str, float]:
    """Medians of milliseconds by the clock, from an act to the last paint that came of it."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> dict[str, float]:
    found: dict[str, float] = {"yardstick: two million additions, ms of CPU": yardstick() * 1000}
    definitions = DefinitionStore(folder / "definitions.json")
    names = tuple(f"server-{n:02d}" for n in range(SERVERS))
    for n in range(STACKS):
        stack = StackDefinition(name=f"stack-{n:03d}", servers=names, compose="services: {}\n")
        definitions.put("stack", stack.name, stack, None)
    runtime = still_runtime(folder)
    runtime.fleet = _Agents([_project(n) for n in range(STACKS)])
    runtime.stacks, runtime.deployments = StackDefinitions(definitions), DeploymentDefinitions(definitions)
    runtime.deployables = Deployables(runtime.stacks, runtime.deployments, BuildDefinitions(definitions))
    state = runtime.fleet.state
    for name in names:
        _add(state, name)
    for tab, rows in (("stacks", STACKS), ("deployments", STACKS * SERVERS)):
        found.update(await _tab(_Watched(runtime, tab="containers", now=lambda: NOW), tab, rows))
    return found


async def _tab(app: _Watched, tab: str, rows: int) -> dict[str, float]:
    async with app.run_test(size=(160, 50)):
        await asyncio.sleep(1.5)  # past the first paint and the rest of its start
        first = await _took(app, lambda: app.go(tab))
        await _until(lambda: bool(app.query(f"#{tab}-list")))
        pane = app.query_one(f"#{tab}-list", ListPane)
        await _until(lambda: len(pane.table.model.rows) == rows)
        await asyncio.sleep(1)
        found = {f"{tab}: {rows} rows, from the key to the list, first time, ms": first}
        found.update(await _figures(app, tab, pane, app.runtime.fleet.state))
    return found


async def _figures(app: _Watched, tab: str, pane: ListPane[Any], state: FleetState) -> dict[str, float]:
    acts: dict[str, Callable[[int], object]] = {
        "from the key to the list": lambda n: app.go(tab),
        "a filter, from the key to the paint": lambda n: pane.set_filter("stack-1"),
        "a state that changed, from the look to the paint": lambda n: _change(app, state, n),
    }
    undo: dict[str, Callable[[], object]] = {
        "from the key to the list": lambda: app.go("containers"),
        "a filter, from the key to the paint": lambda: pane.set_filter(""),
    }
    quiet = statistics.median([await _work(app, lambda: None) for _ in range(ROUNDS)])
    found = {}
    for what, act in acts.items():
        clock, work = [], []
        for n in range(ROUNDS):
            if what in undo:
                await _took(app, undo[what])
            start = time.process_time()
            clock.append(await _took(app, lambda act=act, n=n: act(n)))  # type: ignore[misc]
            work.append((time.process_time() - start) * 1000 - quiet)
        if what in undo:
            await _took(app, undo[what])
            await _took(app, lambda: app.go(tab))
        found[f"{tab}: {what}, ms"] = statistics.median(clock)
        found[f"{tab}: {what}, ms of CPU"] = statistics.median(work)
    return found


async def _work(app: _Watched, act: Callable[[], object]) -> float:
    """Milliseconds of processor time of an act and the quiet after it."""
    start = time.process_time()
    await _took(app, act)
    return (time.process_time() - start) * 1000


def _change(app: _Watched, state: FleetState, n: int) -> None:
    """One container ends, or runs again; and the look for news that is due within a quarter of a second."""
    server = state.servers["server-00"]
    container = next(c for c in server.containers.values() if c.name == "stack-000-web-1")
    ended = msgspec.structs.replace(container, state="exited" if n % 2 == 0 else "running", exit_code=3)
    subscription = app._ticker._subscription  # type: ignore[union-attr]
    state.apply("server-00", [ContainersChanged(changed=(ended,))])
    app._commit(subscription.take())


async def _took(app: _Watched, act: Callable[[], object]) -> float:
    """Milliseconds from an act to the last paint that came of it."""
    start = app.painted = time.monotonic()
    act()
    await asyncio.sleep(0)
    while time.monotonic() - max(app.painted, start) < _SETTLED:
        await asyncio.sleep(0.01)
    return (app.painted - start) * 1000


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not reached():
            await asyncio.sleep(0.05)


def _project(n: int) -> ComposeProject:
    name = f"stack-{n:03d}"
    return ComposeProject(
        name=name, managed=True, stack=name, fingerprint=name,
        services=tuple(
            RunningService(service=s, image="registry.example/app:1", containers=(f"{name}-{s}-1",), state="running")
            for s in SERVICES
        ),
        revisions=tuple(RevisionSummary(number=k, started=NOW - k, outcome="success") for k in range(10, 0, -1)),
    )  # fmt: skip


def _add(state: FleetState, server: str) -> None:
    state.define(ServerDefinition(name=server, address=server))
    state.set_status(server, "up")
    listed = tuple(
        Container(
            id=f"{server}{n:05d}{service:>8}".encode().hex()[:64].ljust(64, "0"), name=f"stack-{n:03d}-{service}-1",
            image="registry.example/app:1", state="running", started=NOW - 3600,
            labels={"com.docker.compose.project": f"stack-{n:03d}", "com.docker.compose.service": service},
        )
        for n in range(STACKS)
        for service in SERVICES
    )  # fmt: skip
    host = Host(hostname=server, os="Debian", kernel="6", arch="x86_64", cores=8, memory=1 << 34, booted=NOW - 1e6)
    state.apply(server, [Snapshot(at=NOW, host=host, engine=Engine(status="up"), containers=listed, filesystems=())])
