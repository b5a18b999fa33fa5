"""The parts of a watch beside each other: what one of them cannot do keeps no other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from komodo_tui.domain.errors import StoreError
from komodo_tui.watch import loops
from komodo_tui.watch.loops import WatchLoops

DAMAGED = StoreError("pushes.db is damaged")


class Part:
    """One that fails as it is told to, and then runs."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.runs = asyncio.Event()

    async def __call__(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.runs.set()
        await asyncio.Event().wait()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watched(said: list[str], monkeypatch: pytest.MonkeyPatch) -> WatchLoops:
    monkeypatch.setattr(loops, "_AGAIN", 0.01)
    nothing: Any = None
    return WatchLoops(nothing, said.append)


async def test_a_part_whose_records_cannot_be_used_begins_anew_and_is_told_of_once(
    watched: WatchLoops, said: list[str]
) -> None:
    part = Part(
        DAMAGED, ExceptionGroup("loops", [DAMAGED]), ExceptionGroup("loops", [ExceptionGroup("one", [DAMAGED])])
    )
    running = asyncio.create_task(watched._kept("pushes", part))
    await asyncio.sleep(0)
    assert list(watched.still()) == ["pushes"]
    async with asyncio.timeout(30):
        await part.runs.wait()
        while watched.still():
            await asyncio.sleep(0.001)
    assert said == [
        "pushes: pushes.db is damaged; tried again every 0.01 s, everything else goes on",
        "pushes: it goes on",
    ]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_what_is_stopped_is_not_told_as_standing_still(watched: WatchLoops) -> None:
    running = asyncio.create_task(watched._kept("pushes", Part(*[DAMAGED] * 1000)))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not watched.still()


@pytest.mark.parametrize("fault", [ValueError("a fault"), ExceptionGroup("loops", [DAMAGED, ValueError("a fault")])])
async def test_a_fault_of_our_own_is_not_tried_again(watched: WatchLoops, fault: Exception) -> None:
    with pytest.raises(type(fault)):
        await watched._kept("pushes", Part(fault))
