"""The Timeline page: events, acts and alerts in one order, the figures beside them, and the ways there and on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from komodo_agent.wire.past import Past, PastEvent, PastEvents
from komodo_tui.domain.alerts import Subject, Transition
from komodo_tui.domain.errors import HostUnreachableError
from komodo_tui.store.alerts import AlertStore
from komodo_tui.store.history import History
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.pages.timeline import TimelinePage
from komodo_tui.ui.widgets.graph import Graph
from komodo_tui.ui.widgets.lines import Lines
from tests.ui.fleets import NOW, furnish
from tests.ui.still import still_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot


class _Agent:
    """One server's agent, as far as its past goes."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.away = False
        self.asked: list[tuple[str, float, float]] = []

    async def client(self, patience: float | None = None) -> _Agent:
        if self.server == "edge-03" or self.away:
            raise HostUnreachableError("edge-03 does not answer")
        return self

    async def past_events(self, start: float, end: float, limit: int = 1000) -> PastEvents:
        if self.server != "web-01":
            return PastEvents(events=(), since=NOW - 90_000)
        events = (
            PastEvent(at=NOW - 900, kind="oom", container="api-1", detail="exit code 137"),
            PastEvent(at=NOW - 880, kind="started", container="[bold red]evil[/]"),
        )
        return PastEvents(events=tuple(e for e in events if start <= e.at <= end), since=NOW - 90_000)

    async def past(self, start: float, end: float, *, subject: str = "host", points: int = 600) -> Past:
        self.asked.append((subject, start, end))
        values: list[float | None] = [float(n % 50) for n in range(60)]
        return Past(subject=subject, step=60.0, start=start, series={"cpu": values, "memory": [2e9] * 60})


@pytest.fixture
def agents() -> dict[str, _Agent]:
    return {}


@pytest.fixture
def app(tmp_path: Path, agents: dict[str, _Agent]) -> KomodoApp:
    runtime = still_runtime(tmp_path)
    furnish(runtime)
    runtime.fleet.link = lambda name: agents.setdefault(name, _Agent(name))
    runtime.history = History(tmp_path / "history")
    store = runtime.alerts = AlertStore(tmp_path / "alerts.db")
    hot = Subject("web-01", "memory")
    store.apply(
        [Transition(subject=hot, change="opened", level="critical", text="memory 99% used", value=99.0)], NOW - 950
    )
    # whoever evaluates already: this program then only reads
    lock = store.evaluator_lock()
    assert lock.try_acquire()
    app = KomodoApp(runtime, tab="timeline", now=lambda: NOW)
    app.other_evaluator = lock  # type: ignore[attr-defined]
    return app


async def until(pilot: Pilot[Any], reached: Callable[[], object]) -> None:
    """Let the app work until it is so."""
    for _ in range(2000):
        await pilot.pause()
        if reached():
            return
    raise AssertionError("waited in vain")


def page_of(app: KomodoApp) -> TimelinePage:
    return app.query_one(TimelinePage)


async def loaded(pilot: Pilot[Any]) -> TimelinePage:
    app = pilot.app
    await until(pilot, lambda: app.query(TimelinePage) and page_of(app)._found is not None)  # type: ignore[arg-type]
    return page_of(app)  # type: ignore[arg-type]


def shown(page: TimelinePage) -> list[str]:
    return [f"{entry.kind} {entry.subject}: {entry.text}" for entry in page.table.model.rows.values()]


def head(page: TimelinePage) -> str:
    return "".join(text for line in page.query_one("#timeline-head", Lines)._lines for text, _ in line)


async def test_all_kinds_in_one_order_and_who_could_not_be_asked(app: KomodoApp) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        page = await loaded(pilot)
        assert shown(page)[1] == "event api-1: killed for want of memory: exit code 137"
        assert shown(page)[0].startswith("alert web-01: ")
        assert "not asked: edge-03" in head(page)
        assert len(page.table.model.view) == 3


async def test_the_figures_are_those_of_what_the_cursor_is_on(app: KomodoApp, agents: dict[str, _Agent]) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        page = await loaded(pilot)
        page.pane.set_filter("killed")
        await until(pilot, lambda: ("container:api-1", NOW - 3600, NOW) in agents["web-01"].asked)
        graph = page.query_one("#timeline-cpu", Graph)
        await until(pilot, lambda: "api-1@web-01" in graph._data.title[0][0])  # type: ignore[union-attr]
        await until(pilot, lambda: "at most 49%" in graph._data.title[1][0])  # type: ignore[union-attr]


async def test_other_times_and_spans(app: KomodoApp, agents: dict[str, _Agent]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        page = await loaded(pilot)
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: ("host", NOW - 900, NOW) in agents["web-01"].asked)
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: ("host", NOW - 1350, NOW - 450) in agents["web-01"].asked)
        await until(pilot, lambda: len(shown(page)) == 3)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: page._moment.at is None)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, FormDialog))
        await pilot.press(*"2h", "f2")
        await until(pilot, lambda: ("host", NOW - 7650, NOW - 6750) in agents["web-01"].asked)


async def test_from_an_alert_to_its_surroundings_and_back(app: KomodoApp, agents: dict[str, _Agent]) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await loaded(pilot)
        app.go("alerts")
        await until(pilot, lambda: app.current_page is not None and app.current_page.moment().at == NOW - 950)
        await pilot.press("w")
        await until(pilot, lambda: app.current_page is page_of(app) and page_of(app)._moment.at == NOW - 950)
        await until(pilot, lambda: ("host", NOW - 3600, NOW) in agents["web-01"].asked)
        await pilot.press("escape")
        await until(pilot, lambda: app.current_page is not None and app.current_page.TITLE == "Alerts")


async def test_the_logs_of_that_time(app: KomodoApp, agents: dict[str, _Agent]) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        page = await loaded(pilot)
        page.pane.set_filter("killed")
        agents["web-01"].away = True
        await pilot.press("enter")
        await until(pilot, lambda: app.current_page is not None and app.current_page.TITLE == "Logs")
        console = app.current_page.console  # type: ignore[union-attr]
        await until(pilot, lambda: console.targets)
        assert [(t.server, t.name) for t in console.targets] == [("web-01", "api-1")]
        assert console.bound
        assert console.span.until > console.span.since


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["80x24", "200x50"])
def test_looks(app: KomodoApp, snap_compare: Any, size: tuple[int, int]) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await loaded(pilot)
        await until(pilot, lambda: "not asked" in head(page))

    assert snap_compare(app, terminal_size=size, run_before=settle)
