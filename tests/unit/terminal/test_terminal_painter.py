"""When pictures are taken: at once of what answers, seldom of a flood, and of its end at once again."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from komodo_tui.ui.terminal import painter
from komodo_tui.ui.terminal.core import Options
from komodo_tui.ui.terminal.cores import LocalCore, make_core
from komodo_tui.ui.terminal.painter import Painter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from komodo_tui.ui.terminal.core import Frame


class Watched:
    """A painter that somebody looks at, and how many pictures it has taken."""

    def __init__(self) -> None:
        self.painter = Painter(self._take)
        self.painter.look(True)
        self._taken = asyncio.Event()
        self.count = 0

    def _take(self, _frame: Frame) -> None:
        self.count += 1
        self._taken.set()

    async def next(self) -> None:
        """Wait for the next picture."""
        self._taken.clear()
        async with asyncio.timeout(10):
            await self._taken.wait()

    async def flood(self, turns: int = 200) -> None:
        """A flood for some turns of the loop."""
        for _ in range(turns):
            self.painter.wake(painter.FLOOD + 1)
            await asyncio.sleep(0)


@pytest.fixture
async def watched(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    """One that has taken its first picture; a flood is drawn never again, but for its end."""
    monkeypatch.setattr(painter, "FRAME", 0.001)
    monkeypatch.setattr(painter, "FLOOD_FRAME", 1000.0)
    core = LocalCore(make_core("bittty", 20, 6, Options()))
    made = Watched()
    running = asyncio.create_task(made.painter.run(core))
    await made.next()
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await core.close()


async def test_answers_are_drawn_one_after_the_other(watched: Watched) -> None:
    for _ in range(5):
        watched.painter.wake(100)
        await watched.next()


async def test_a_flood_waits_and_its_end_does_not(watched: Watched) -> None:
    await watched.flood()
    before = watched.count
    await watched.flood()
    assert watched.count <= before + 1, "one may have been on its way"
    await watched.next()


async def test_after_a_key_a_flood_waits_longer(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painter, "FLOOD_FRAME", 0.0)
    monkeypatch.setattr(painter, "DRAIN_FRAME", 1000.0)
    watched.painter.typed()
    await watched.flood()
    before = watched.count
    await watched.flood()
    assert watched.count <= before + 1, "one may have been on its way"
    await watched.next()
