"""What the Logs page looks like, small and large."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from komodo_tui.domain.operations import Target
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.logs.open import open_logs
from komodo_tui.ui.pages.logs import LogsPage
from tests.ui.logs.lab import NOW, LogFleet, LogLab, filled
from tests.ui.still import still_runtime
from tests.unit.log_wire import Agent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from textual.pilot import Pilot

SIZES = [(80, 24), (200, 50)]


@pytest.fixture(autouse=True)
def _clock_of_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def _agents() -> dict[str, Agent]:
    api = filled(
        *((300 - 10 * n, f"GET /v1/items/{n} 200 {n % 7 + 3}ms") for n in range(28)),
        (18, '{"time":"x","level":"error","msg":"timeout","dep":"pg","query":{"table":"items","ids":[1,2]},"ms":5000}'),
        (12, "\x1b[1;33mWARN\x1b[0m retrying in \x1b[36m2s\x1b[0m \x1b]52;c;aGFoYQ==\x07\x1b[2J[b]not bold[/b]"),
    )
    worker = filled(
        *((295 - 20 * n, f"queue depth {800 - 31 * n}") for n in range(14)),
        (5, "作業完了 " + "long line " * 20),
    )
    return {"web-01": Agent({"api-1": api}), "web-02": Agent({"worker-2": worker})}


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("followed", ()),
        ("found", ("/", *"items/2", "enter", "n", "N")),
        ("opened", ("i", "k", "k", "enter")),
        ("wrapped", ("w", "t", "k", "v", "k")),
    ],
)
def test_look(snap_compare: Any, tmp_path: Path, size: tuple[int, int], name: str, keys: Sequence[str]) -> None:
    agents = _agents()
    runtime = still_runtime(tmp_path)
    runtime.fleet = LogFleet(agents)
    app = KomodoApp(runtime, tab="terminals", now=lambda: NOW)

    async def show(pilot: Pilot[int]) -> None:
        lab = LogLab(app, pilot, runtime.fleet)
        await lab.until(lambda: app._current is not None and app._current.is_attached, "the first page")
        assert app._current is not None
        open_logs(app._current, [Target(server=s, name=c, id=c) for s, agent in agents.items() for c in agent.logs])
        await lab.until(lambda: app.query(LogsPage) and len(lab.page.console.ring) == 45, "the lines")
        await lab.shows("retrying")
        for key in keys:
            await lab.press(key)
            if key == "enter" and name == "found":
                await lab.until(lambda: (found := lab.page.console.finding.matches) and found.complete, "all matches")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=show)
