"""One look for cron beside an open screen, which looks for alerts and tells nobody."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.alerts_readings import Survey
from komodo_tui.fleet.live import FleetState
from komodo_tui.store.alerts import AlertStore
from komodo_tui.watch import once

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class _Nothing:
    """In place of what is found out beside the live state."""

    def __init__(self, *_: object) -> None:
        pass

    async def once(self) -> None:
        """Find out nothing."""

    def latest(self) -> Survey:
        return Survey([], frozenset(), frozenset())


async def test_what_an_open_screen_found_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    async def look() -> None:
        sent.append("all that is due")

    store = AlertStore(tmp_path / "alerts.db")
    screen = store.evaluator_lock()
    assert screen.try_acquire()
    runtime: Any = SimpleNamespace(
        state_dir=SimpleNamespace(root=tmp_path, runs=tmp_path / "runs"), alerts=store,
        fleet=SimpleNamespace(state=FleetState()),
    )  # fmt: skip
    monkeypatch.setattr(once, "MoreSurveys", _Nothing)
    monkeypatch.setattr(once, "notifier_of", lambda *_: SimpleNamespace(look=look))

    async def connected() -> None:
        """Nobody."""

    await once.OnceLook(runtime, lambda _: None, connected)._alerts()
    assert sent == ["all that is due"]
    assert not (tmp_path / "alerts-once.json").exists(), "it was the screen's to look"
    screen.release()
    await once.OnceLook(runtime, lambda _: None, connected)._alerts()
    assert (tmp_path / "alerts-once.json").exists()
    assert len(sent) == 2
