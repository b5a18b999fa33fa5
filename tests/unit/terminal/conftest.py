"""Every core behind the one awaited interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from komodo_tui.ui.terminal.core import HISTORY_ROWS, Options
from komodo_tui.ui.terminal.cores import LocalCore, make_core

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from komodo_tui.ui.terminal.core import PaneCore

    OpenCore = Callable[..., Awaitable[PaneCore]]

CORES = ["ghostty", "bittty"]


@pytest.fixture(params=CORES)
def core_name(request: pytest.FixtureRequest) -> str:
    """Which emulator."""
    name: str = request.param
    return name


@pytest.fixture
async def open_core(core_name: str) -> AsyncIterator[OpenCore]:
    """Opens cores of a size; closes them all at the end."""
    opened: list[PaneCore] = []

    async def make(cols: int = 20, rows: int = 6, history: int = HISTORY_ROWS) -> PaneCore:
        core = LocalCore(make_core(core_name, cols, rows, Options(history=history)))  # type: ignore[arg-type]
        opened.append(core)
        return core

    yield make
    for core in opened:
        await core.close()
