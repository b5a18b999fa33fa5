"""The program with a real history in a folder of its own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from komodo_tui.domain.operations import ActionRecord, Actor, Outcome, StepResult, Target
from komodo_tui.store.history import History
from komodo_tui.ui.app import KomodoApp
from tests.ui.fleets import NOW
from tests.ui.still import still_runtime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.ui.pages.actions import ActionsPage

PATIENCE = 15.0
"""Seconds a thread may take on a loaded machine."""


class Lab:
    """Writes acts as the executor does, at times of its own."""

    def __init__(self, folder: Path) -> None:
        self.time = NOW - 3600.0
        self.history = History(folder / "history", clock=lambda: self.time)
        self.held: set[str] = set()
        """Ids of acts that a living process works on."""
        self.runtime = still_runtime(folder)
        self.runtime.history = self.history
        self.runtime.executor = SimpleNamespace(under_way=lambda record: record.id in self.held)

    def begin(self, action: str, act: str = "restart", targets: str = "api@web-01", *, who: str = "ana") -> None:
        """The intent of an act; a minute after the one before."""
        self.time += 60
        self.history.begin(
            ActionRecord(
                id=action, seq=0, started=self.time, actor=Actor(name=who, via="tui"), act=act,
                targets=tuple(_target(target) for target in targets.split()), title=f"{act.capitalize()} {targets}",
                before="running",
            )
        )  # fmt: skip

    def end(self, action: str, outcome: Outcome = "success", *, summary: str = "", output: str = "") -> None:
        """Its outcome, five seconds later."""
        self.time += 5
        record = self.history.get(action)
        ok = outcome == "success"
        steps = tuple(
            StepResult(
                target=target, ok=ok, error="" if ok else "did not stop in time", hint="" if ok else "look at its log",
                commands=(f"docker {record.act} {target.name}",), output=output, seconds=4.5,
                end="done" if ok else "failed",
            )
            for target in record.targets
        )  # fmt: skip
        self.history.finish(action, outcome, steps, summary=summary, after="running")

    def some(self) -> None:
        """Four acts: two that went well, one that failed, one under way."""
        self.begin("aaaa0001", "deploy", "shop@web-01 shop@web-02")
        self.end("aaaa0001", summary="4f1c2e, was 3f0a", output="Pulling api\nStarting api\n")
        self.begin("bbbb0002", "restart", "redis@db-01", who="cron")
        self.end("bbbb0002", "failed", summary="did not stop within 30 s", output="$ docker restart redis\n")
        self.begin("cccc0003", "server edit", "web-02", who="bob")
        self.end("cccc0003", summary="port 2222")
        self.begin("dddd0004", "stop", "worker@web-02")
        self.held.add("dddd0004")
        self.time = NOW


def _target(text: str) -> Target:
    name, at, server = text.rpartition("@")
    return Target(server=server, name=name) if at else Target(server=text)


@asynccontextmanager
async def opened(
    lab: Lab, *, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[KomodoApp, ActionsPage, Pilot[int]]]:
    """The program on its Actions tab, with the first acts read."""
    app = KomodoApp(lab.runtime, tab="actions", now=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        page = cast("ActionsPage", app._current)
        await until(lambda: page._looked and not page.feed.busy, "the first acts")
        await pilot.pause()
        yield app, page, pilot


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something a thread brings about."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not condition():
        assert loop.time() < end, f"waited in vain for {what}"
        await asyncio.sleep(0.01)


def screen_text(app: Any) -> str:
    """What the app shows."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
