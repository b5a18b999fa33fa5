"""The Alerts page: what is on top, who takes care, and the ways to what an alert is about."""

from __future__ import annotations

import time
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual.widgets import Static

from komodo_tui.domain.alerters import Alerter
from komodo_tui.domain.alerts import AlertOperation, Subject, Transition
from komodo_tui.domain.maintenance import MaintenanceDefinition
from komodo_tui.domain.settings import AlertSettings
from komodo_tui.operations.alerts import sending
from komodo_tui.operations.alerts.definitions import AlertingDefinitions
from komodo_tui.store.alerts import AlertStore
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.pages import alerts as alerts_page
from komodo_tui.ui.pages.alerts import AlertsPage
from komodo_tui.ui.widgets.graph import Graph
from komodo_tui.ui.widgets.header import FleetLine
from tests.ui.fleets import NOW, furnish
from tests.ui.still import still_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.ui.alerts.book import AlertBook

SMALL, LARGE = (80, 24), (200, 50)


def opened(subject: Subject, level: Any, text: str, value: float | None = None) -> Transition:
    return Transition(subject=subject, change="opened", level=level, text=text, value=value)


@pytest.fixture
def app(tmp_path: Path) -> KomodoApp:
    """On the Alerts tab: one critical, one warning, one acknowledged, one over; some hostile."""
    runtime = still_runtime(tmp_path)
    runtime.definitions = DefinitionStore(tmp_path / "definitions.json")
    executor = furnish(runtime)
    store = runtime.alerts = executor.alerts = AlertStore(tmp_path / "alerts.db")
    evil = Subject("web-01", "down", "[bold red]evil[/] :smile:")
    swap = Subject("db-01", "swap")
    store.apply([opened(swap, "warning", "swap 82% used", 82.0)], NOW - 9000)
    store.apply([Transition(subject=swap, change="resolved", level="warning", text="well again")], NOW - 8000)
    store.apply([opened(Subject("db-01", "memory"), "warning", "memory 88% used", 88.0)], NOW - 7200)
    store.apply([opened(evil, "warning", "exited with code [red]1[/red]")], NOW - 600)
    store.apply([opened(Subject("db-01", "unhealthy", "redis"), "critical", "its health check fails")], NOW - 3600)
    store.acknowledge(2, "bob", "more is ordered", NOW - 7000)
    # whoever evaluates already: this program then only reads
    lock = store.evaluator_lock()
    assert lock.try_acquire()
    app = KomodoApp(runtime, tab="alerts", now=lambda: NOW)
    app.other_evaluator = lock  # type: ignore[attr-defined]
    return app


async def until(pilot: Pilot[Any], reached: Callable[[], object]) -> None:
    """Let the app work until it is so."""
    for _ in range(2000):
        await pilot.pause()
        if reached():
            return
    raise AssertionError("it did not come to that")


async def ready(pilot: Pilot[Any]) -> AlertsPage:
    """The page with its rows."""
    await until(pilot, lambda: pilot.app.query(AlertsPage))
    page = pilot.app.query_one(AlertsPage)
    await until(pilot, lambda: page.table.model.view and page.table.has_focus)
    return page


def done(app: KomodoApp) -> list[Any]:
    """The operations that were submitted."""
    found: list[Any] = app.runtime.executor.done  # type: ignore[attr-defined]
    return found


async def test_the_worst_is_on_top_and_the_header_counts_what_presses(app: KomodoApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        kinds = [page.table.model.rows[key].subject.kind for key in page.table.model.view]
        assert kinds == ["unhealthy", "down", "memory", "swap"]
        await until(pilot, lambda: any("alerts 2" in text for text, _ in app.query_one(FleetLine)._right))


async def test_acknowledging_asks_for_a_note(app: KomodoApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await ready(pilot)
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, FormDialog) and app.screen.is_mounted)
        await pilot.pause()
        await pilot.press(*"mine", "ctrl+s")
        await until(pilot, lambda: done(app))
        assert done(app) == [AlertOperation(verb="acknowledge", alerts=(4,), note="mine")]


async def test_what_somebody_takes_care_of_is_not_acknowledged_again(app: KomodoApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await ready(pilot)
        await pilot.press("j", "j", "A")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert done(app) == []


async def test_a_mute_fits_exactly_the_container_whatever_its_name(app: KomodoApp) -> None:
    app.now = time.time  # a plan refuses a mute that is over
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await pilot.press("j", "M")
        await until(pilot, lambda: isinstance(app.screen, MenuDialog) and app.screen.is_mounted)
        await pilot.press("1")
        await until(pilot, lambda: done(app))
        mute = done(app)[0].mute
        assert mute.until == mute.starts + 3600
        assert mute.covers(page.table.current.subject, mute.starts)  # type: ignore[union-attr]
        assert not mute.covers(Subject("web-01", "down", "api-1"), mute.starts)


async def test_maintenance_is_told_with_the_next_one_and_switched_off_by_a_key(app: KomodoApp) -> None:
    store = app.runtime.definitions
    app.runtime.executor.alerting = AlertingDefinitions(store)  # type: ignore[attr-defined]
    always = MaintenanceDefinition(name="backups", when="0 * * * * for 1h", servers=("db-*",))
    store.put("maintenance", "backups", always, None)
    store.put("maintenance", "kernel", MaintenanceDefinition(name="kernel", when="monday 09:00 for 30m"), None)
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        line = page.query_one("#alerts-maintenance", Static)
        await until(pilot, lambda: "next kernel" in str(line.render()))
        assert str(line.render()).startswith("maintenance: now backups until ")
        await pilot.press("W")
        await until(pilot, lambda: isinstance(app.screen, MenuDialog) and app.screen.is_mounted)
        assert [item.label for item in app.screen.items][:2] == ["maintenance backups", "maintenance kernel"]  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MenuDialog) and app.screen.items[0].id == "edit")
        await pilot.press("o")
        await until(pilot, lambda: done(app))
        (operation,) = done(app)
        assert (operation.verb, operation.kind, operation.name) == ("edit", "maintenance", "backups")
        assert operation.definition == msgspec.to_builtins(msgspec.structs.replace(always, enabled=False))


async def test_an_alerter_is_tested_by_a_key(app: KomodoApp, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(sending, "send", lambda alerter, message, lookup: sent.append(alerter.name))
    app.runtime.values = SimpleNamespace(lookup=lambda *_: dict[str, Any]().get)  # type: ignore[misc,assignment]
    app.runtime.definitions.put("alerter", "phone", Alerter(name="phone", url="ntfys://[[TOPIC]]"), None)
    async with app.run_test(size=SMALL) as pilot:
        await ready(pilot)
        await pilot.press("W")
        await until(pilot, lambda: isinstance(app.screen, MenuDialog) and app.screen.is_mounted)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MenuDialog) and app.screen.items[0].id == "test")
        await pilot.press("t")
        await until(pilot, lambda: sent)
        assert sent == ["phone"]


@pytest.mark.parametrize(("moves", "page"), [([], "containers"), (["j", "j"], "servers")])
async def test_enter_opens_and_enter_again_goes_there(app: KomodoApp, moves: list[str], page: str) -> None:
    async with app.run_test(size=SMALL) as pilot:
        alerts = await ready(pilot)
        await pilot.press(*moves, "enter")
        await until(pilot, lambda: alerts.detail.has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: app.current_page is not None and app.current_page.id == f"page-{page}")


async def test_logs_of_its_container_alone(app: KomodoApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        alerts = await ready(pilot)
        assert alerts.check_action("logs", ())
        await pilot.press("j", "j")
        assert not alerts.check_action("logs", ())


async def test_logs_are_those_of_the_time_at_which_it_opened(
    app: KomodoApp, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    asked: list[Any] = []
    monkeypatch.setattr(alerts_page, "open_logs", lambda page, targets, around: asked.append((targets[0].name, around)))
    async with app.run_test(size=SMALL) as pilot:
        await ready(pilot)
        await pilot.press("l")
        assert asked == [("redis", (NOW - 3600, 300.0))]


async def test_the_figure_around_the_time_stands_above_what_has_one(app: KomodoApp) -> None:
    async with app.run_test(size=LARGE) as pilot:
        page = await ready(pilot)
        graph = page.detail.query_one(Graph)
        assert not graph.display
        await pilot.press("j", "j")  # memory of db-01
        await until(pilot, lambda: graph.display and graph._data is not None)
        assert graph._data is not None
        assert "memory then at most 92%" in "".join(text for text, _ in graph._data.title)
        await pilot.press("k", "k")
        await until(pilot, lambda: not graph.display)


def _known(book: AlertBook, what: str) -> bool:
    return any(alert.subject.what == what for alert in book.alerts.values())


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_bell_rings_for_what_is_critical_from_now_on(
    app: KomodoApp, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(KomodoApp, "bell", lambda self: rung.append(1))
    settings = app.runtime.settings
    app.runtime.settings = msgspec.structs.replace(settings, alerts=AlertSettings(bell=wanted))  # type: ignore[misc]
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        store, book = app.runtime.alerts, page.book
        assert store is not None
        assert book is not None
        for level in ("warning", "critical"):
            assert rung == []
            store.apply([opened(Subject("db-01", "disk", f"/{level}"), level, "full")], NOW)
            book.look()
            await until(pilot, partial(_known, book, f"/{level}"))
        await pilot.pause()
        assert rung == [1] * wanted


async def test_a_filter_finds_by_level_kind_and_place(app: KomodoApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        for text, expected in (("db-01 open", 2), ("critical", 1), ("over", 1), ("redis", 1), ("!db-01", 1)):
            assert page.pane.set_filter(text) == ""
            assert len(page.table.model.view) == expected, text


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x50"])
def test_looks(app: KomodoApp, snap_compare: Any, size: tuple[int, int]) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await ready(pilot)
        if size == LARGE:
            await pilot.press("j", "j", "enter")
            await until(pilot, lambda: page.detail.has_focus and page.detail.query_one(Graph).display)
        for _ in range(5):
            await pilot.pause()
        page.table.recheck()  # as the next tick does: the cursor of a table that has just lost the focus
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settle)
