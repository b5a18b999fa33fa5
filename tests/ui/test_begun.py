"""Work that its node or the program gives up before it has begun."""

from __future__ import annotations

import gc
import inspect
from typing import TYPE_CHECKING, Any

from textual.app import App

from komodo_tui.ui.begun import begin

if TYPE_CHECKING:
    from collections.abc import Coroutine


async def _work(done: list[str]) -> None:
    done.append("worked")


async def _around(inner: Coroutine[Any, Any, None]) -> None:
    await inner


async def test_given_up_before_it_begins_nothing_is_left_unawaited() -> None:
    done: list[str] = []
    app = App[None]()
    async with app.run_test():
        inner = _work(done)
        outer = _around(inner)
        begin(app, outer, inner, group="work").cancel()
    gc.collect()  # the worker and its task refer to each other
    assert not done
    assert [inspect.getcoroutinestate(one) for one in (inner, outer)] == ["CORO_CLOSED", "CORO_CLOSED"]


async def test_what_begins_is_done() -> None:
    done: list[str] = []
    app = App[None]()
    async with app.run_test() as pilot:
        inner = _work(done)
        worker = begin(app, _around(inner), inner, group="work")
        await pilot.app.workers.wait_for_complete([worker])
    assert done == ["worked"]
