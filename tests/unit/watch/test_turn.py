"""Whose turn it is: one process, which gives way to ``watch`` where it is a program on a screen."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from komodo_tui.domain.errors import LockedError
from komodo_tui.domain.settings import Settings
from komodo_tui.watch import holding
from komodo_tui.watch import host as hosting
from komodo_tui.watch.host import WatchHost
from komodo_tui.watch.turn import STALLED, WatchTurn, holder_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow each other at once; the loops are none."""
    monkeypatch.setattr(hosting, "LOOK", 0.01)
    monkeypatch.setattr(holding, "LOOK", 0.01)
    monkeypatch.setattr(holding, "WatchLoops", Loops)


class Loops:
    """In place of the real ones."""

    running = 0
    broken: BaseException | None = None

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def looked(self) -> dict[str, float]:
        return {}

    def still(self) -> dict[str, float]:
        return {}

    async def run(self) -> None:
        if Loops.broken is not None:
            raise Loops.broken
        Loops.running += 1
        try:
            await asyncio.Event().wait()
        finally:
            Loops.running -= 1


def host(root: Path, **settings: Any) -> WatchHost:
    """A program on a screen."""
    runtime: Any = SimpleNamespace(
        settings=Settings(**{"watch_here": True, **settings}),
        state_dir=SimpleNamespace(root=root),
        fleet=SimpleNamespace(state=SimpleNamespace(servers={})),
    )
    return WatchHost(runtime, WatchTurn(root, "tui", "ana"), lambda _: None)


async def until(what: Callable[[], object]) -> None:
    """Wait for it."""
    async with asyncio.timeout(20):
        while not what():
            await asyncio.sleep(0.005)


async def test_a_watch_takes_over_from_a_screen_and_the_screen_goes_on_after_it(tmp_path: Path) -> None:
    screen = host(tmp_path)
    task = asyncio.create_task(screen.run())
    await until(lambda: Loops.running == 1)
    holder = holder_of(tmp_path)
    assert holder is not None
    assert (holder.program, holder.pid, holder.user) == ("tui", os.getpid(), "ana")
    assert not holder.stalled(holder.seen + STALLED)
    assert holder.stalled(holder.seen + STALLED + 1)

    watch = WatchTurn(tmp_path, "watch", "ana")
    await watch.take_over()
    assert Loops.running == 0, "two would run it"
    await until(lambda: screen.holder is not None and screen.holder.program == "watch")
    assert not screen.ours
    with pytest.raises(LockedError, match="under way already"):
        await WatchTurn(tmp_path, "watch", "ana").take_over()

    watch.release()
    await until(lambda: Loops.running == 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (Loops.running, holder_of(tmp_path)) == (0, None)


async def test_of_several_screens_one_runs_it_and_the_next_goes_on_with_it(tmp_path: Path) -> None:
    screens = [host(tmp_path) for _ in range(3)]
    tasks = {screen: asyncio.create_task(screen.run()) for screen in screens}
    for left in (3, 2, 1):
        await until(lambda: Loops.running == 1 and all(screen.read and screen.holder for screen in tasks))
        ours = [screen for screen in tasks if screen.ours]
        assert len(ours) == 1, left
        task = tasks.pop(ours[0])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert holder_of(tmp_path) is None


@pytest.mark.parametrize("settings", [{"watch_here": False}, {"read_only": True}])
async def test_a_screen_that_is_not_told_to_never_runs_it(tmp_path: Path, settings: dict[str, bool]) -> None:
    screen = host(tmp_path, **settings)
    task = asyncio.create_task(screen.run())
    await until(lambda: screen.read)
    assert (screen.ours, screen.holder, Loops.running) == (False, None, 0)
    screen._runtime.settings = Settings(watch_here=True)  # type: ignore[misc]
    screen.look()
    await until(lambda: Loops.running == 1)
    screen._runtime.settings = Settings(watch_here=True, read_only=True)  # type: ignore[misc]
    await until(lambda: Loops.running == 0 and holder_of(tmp_path) is None)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_part_that_cannot_go_on_is_told_and_leaves_the_program_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Loops, "broken", LockedError("the queue cannot be opened"))
    screen = host(tmp_path)
    task = asyncio.create_task(screen.run())
    await until(lambda: screen.trouble)
    assert "the queue cannot be opened" in screen.trouble
    assert holder_of(tmp_path) is None
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_who_does_not_give_way_is_named(tmp_path: Path) -> None:
    stuck = WatchTurn(tmp_path, "tui", "ana")
    assert stuck.take()
    watch = WatchTurn(tmp_path, "watch", "ana")
    with pytest.raises(LockedError, match=f"process {os.getpid()} .*does not give way"):
        await watch.take_over(0.3)
    assert not stuck.wanted(), "it waits no more"
    stuck.release()
