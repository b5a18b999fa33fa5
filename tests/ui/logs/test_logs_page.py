"""Following, moving, looking for patterns, taking lines elsewhere: by the keys a person presses."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input

from komodo_agent.wire.models import Container
from komodo_tui.domain.operations import Target
from komodo_tui.domain.settings import LogSettings, Settings
from komodo_tui.ui.logs.bar import Bar
from komodo_tui.ui.logs.view import LogView
from tests.ui.logs.lab import NOW, LogLab, at, filled, showing
from tests.unit.log_wire import Agent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

_JSON = '{"level":"error","msg":"timeout","dep":"pg","ms":5000}'


def _two() -> dict[str, Agent]:
    api = filled((30, "GET /v1/items 200"), (20, _JSON), (10, "GET /v1/users 404"))
    worker = filled((25, "queue depth 812"), (15, "queue depth 640"))
    return {"s0": Agent({"api-1": api}), "s1": Agent({"worker-2": worker})}


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[LogLab]:
    """Two containers on two servers."""
    async with showing(tmp_path, _two()) as found:
        await found.shows("users 404")
        await found.shows("depth 640")
        yield found


async def test_the_past_is_merged_by_time_and_what_comes_is_followed(lab: LogLab) -> None:
    texts = [row.split(maxsplit=2)[2] for row in lab.rows() if row[2:3] == ":"]
    assert texts == ["GET /v1/items 200", "queue depth 812", _JSON, "queue depth 640", "GET /v1/users 404"]
    lab.log("worker-2", "s1").write(at(1), b"queue depth 1")
    await lab.shows("queue depth 1")
    assert "FOLLOW" in lab.rows()[0]
    assert "6/50,000  0 dropped" in lab.rows()[0]


async def test_header_and_footer_take_one_line_each_and_the_tabs_come_back(lab: LogLab) -> None:
    rows = lab.rows()
    assert rows[0].startswith(" Logs  api-1@s0 + worker-2@s1")
    assert len([row for row in rows if row.startswith(" komodo")]) == 0
    await lab.press("escape")
    await lab.until(lambda: lab.rows()[0].startswith(("komodo", " komodo")), "the tabs")
    assert not lab.page.display


async def test_paused_lines_are_counted_and_g_resumes(lab: LogLab) -> None:
    await lab.press("k")
    assert "PAUSED" in lab.rows()[0]
    for number in range(3):
        lab.log("api-1").write(at(0), b"new %d" % number)
    await lab.shows("3 lines arrived while paused, G to resume")
    await lab.press("G")
    await lab.lacks("arrived")
    assert "FOLLOW" in lab.rows()[0]
    await lab.press("f")
    assert "PAUSED" in lab.rows()[0]


async def test_times_are_absolute_off_and_relative(lab: LogLab) -> None:
    assert any(row.endswith("users 404") and row[8] == "." for row in lab.rows())
    await lab.press("t")
    assert any(row.startswith("api-1 ") for row in lab.rows())
    await lab.press("t")
    assert any(row.startswith("   10s api-1 ") for row in lab.rows())


async def test_a_pattern_is_counted_stepped_through_and_hides_others(lab: LogLab) -> None:
    await lab.press("/", *"queue", "enter")
    await lab.shows("/ queue  2 matches")
    await lab.press("n")
    await lab.shows("2 of 2")
    await lab.press("N")
    await lab.shows("1 of 2")
    await lab.press("N")
    await lab.shows("from the newest again")
    await lab.press("F")
    await lab.lacks("GET /v1")
    assert "queue depth 812" in lab.text()
    await lab.press("escape")
    await lab.shows("GET /v1/items")
    assert "/ queue" not in lab.text()


async def test_what_is_no_regular_expression_is_looked_for_letter_by_letter(lab: LogLab) -> None:
    await lab.press("/", *"(x", "enter")
    await lab.shows("no regular expression")
    assert "0 matches" in lab.text()


async def test_escape_in_the_field_takes_the_pattern_back(lab: LogLab) -> None:
    await lab.press("/", *"queue")
    await lab.shows("2 matches")
    await lab.press("escape")
    await lab.lacks("2 matches")
    assert lab.page.display


async def test_json_is_folded_and_opened(lab: LogLab) -> None:
    await lab.press("i")
    assert "ERROR timeout dep=pg ms=5000" in lab.text()
    await lab.press("k", "k", "enter")
    await lab.shows('"dep": "pg",')
    assert "2026-11-24" in lab.text()
    await lab.press("enter", "y")
    assert lab.copied[-1].startswith('{\n  "level": "error",\n')
    await lab.press("escape")
    await lab.lacks('"dep": "pg",')
    assert lab.page.display


async def test_selected_lines_are_yanked_as_they_are_seen(lab: LogLab) -> None:
    await lab.press("k", "v", "k")
    assert "2 lines selected" in lab.text()
    await lab.press("y")
    assert lab.copied == [f"{_JSON}\nqueue depth 640"]
    await lab.lacks("selected")


async def test_all_that_is_kept_is_written_to_a_new_file(lab: LogLab, tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    await lab.press("W")
    await lab.shows("5 kept lines")
    lab.app.screen.query_one("#field-path", Input).value = str(path)
    await lab.press("ctrl+s")
    await lab.shows("5 lines written")
    lines = path.read_text().splitlines()
    assert lines[0] == f"{at(30)} api-1@s0 GET /v1/items 200"
    assert len(lines) == 5
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_file_that_exists_is_not_written_over(lab: LogLab, tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    path.write_text("mine")
    await lab.press("W")
    await lab.shows("kept lines")
    lab.app.screen.query_one("#field-path", Input).value = str(path)
    await lab.press("ctrl+s")
    await lab.shows("exists already")
    assert path.read_text() == "mine"


async def test_since_is_stepped_and_asked_for(lab: LogLab) -> None:
    await lab.press("}")
    await lab.shows("since 1h")
    asked = lab.fleet.agents["s0"].requests[-1].sources[0]
    assert float(asked.since) == NOW - 3600
    await lab.press("(", "(")
    await lab.shows("since 5m")


async def test_a_range_with_an_end_is_not_followed(lab: LogLab) -> None:
    await lab.press("r")
    await lab.shows("Which part of the log")
    await lab.press("ctrl+a", "ctrl+k", *"1h", "tab", *"5m", "tab", "2", "ctrl+s")
    await lab.shows("since 1h until 5m tail 2")
    await lab.until(lambda: len(lab.fleet.agents["s0"].requests) == 2, "the question")
    asked = lab.fleet.agents["s0"].requests[-1]
    assert not asked.follow
    assert asked.sources[0].tail == 2
    assert float(asked.sources[0].until) == NOW - 300


async def test_a_range_that_is_none_is_not_left(lab: LogLab) -> None:
    await lab.press("r")
    await lab.shows("Which part of the log")
    await lab.press("ctrl+a", "ctrl+k", *"5m", "tab", *"1h", "ctrl+s")
    await lab.shows("leave no time between them")


async def test_the_source_column_can_be_a_sign_or_nothing(lab: LogLab) -> None:
    def column() -> set[str]:
        return {row.split()[1] for row in lab.rows() if row[2:3] == ":"}

    assert column() == {"api-1", "worker-2"}
    await lab.press("|")
    assert column() == {"GET", "queue", _JSON}
    await lab.press("|")
    assert column() == {"▌", "▐"}


async def test_a_lost_server_shows_and_nothing_is_lost_or_doubled(lab: LogLab) -> None:
    agent = lab.fleet.agents["s0"]
    agent.refuse = None
    agent.cut()
    await lab.shows("logs of s0 are interrupted")
    lab.log("api-1").write(at(0), b"while away")
    await lab.shows("while away")
    await lab.shows("logs of s0 go on")
    assert lab.text().count("GET /v1/users 404") == 1
    assert lab.text().count("while away") == 1


async def test_a_container_that_stops_and_starts_is_told(lab: LogLab) -> None:
    running = Container(id="api-1", name="api-1", image="i", state="running", started=NOW)
    lab.run("s0", running)
    lab.page.console.look_at_containers()
    lab.run("s0", Container(id="api-1", name="api-1", image="i", state="exited", exit_code=3, finished=NOW))
    lab.page.console.look_at_containers()
    await lab.shows("api-1@s0 stopped, exit code 3")
    assert "api-1@s0 ○" in lab.rows()[0]
    lab.run("s0", running)
    lab.page.console.look_at_containers()
    await lab.shows("api-1@s0 was started")


async def test_a_log_that_ended_goes_on_when_its_container_runs_again(lab: LogLab) -> None:
    log = lab.log("api-1")
    log.end("the agent is stopping")
    await lab.shows("api-1@s0: the agent is stopping")
    log.ended = ""
    log.write(at(0), b"born again")
    lab.run("s0", Container(id="api-1", name="api-1", image="i", state="running"))
    lab.page.console.look_at_containers()
    await lab.shows("born again")
    assert lab.text().count("GET /v1/users 404") == 1


async def test_a_container_created_anew_is_followed_in_place_of_the_old(tmp_path: Path) -> None:
    agent = Agent({"old-id": filled((9, "hello from the old one"))})
    target = Target(server="s0", name="api-1", id="old-id")
    async with showing(tmp_path, {"s0": agent}, [target]) as lab:
        await lab.shows("hello from the old one")
        lab.run("s0", Container(id="old-id", name="api-1", image="i", state="running"))
        lab.page.console.look_at_containers()
        agent.logs["old-id"].end("removed")
        await lab.shows("api-1@s0: removed")
        lab.page.console.look_at_containers()
        agent.logs["new-id"] = filled((1, "hello from the new one"))
        lab.fleet.state.servers["s0"].containers.clear()
        lab.run("s0", Container(id="new-id", name="api-1", image="i", state="running"))
        lab.page.console.look_at_containers()
        lab.page.console.look_at_containers()
        await lab.shows("hello from the new one")
        assert lab.text().count("was created anew") == 1
        assert lab.text().count(": removed") == 1
        assert lab.rows()[0].startswith(" Logs  api-1@s0  ")
        assert [target.id for target in lab.page.console.targets] == ["new-id"]


async def test_off_screen_nothing_is_read_and_back_it_goes_on(lab: LogLab) -> None:
    await lab.press("minus")
    await lab.until(lambda: not lab.page.display, "the other page")
    lab.log("api-1").write(at(0), b"unseen one")
    lab.log("api-1").write(at(0), b"unseen two")
    await lab.press("minus")
    await lab.shows("unseen two")
    assert lab.text().count("unseen one") == 1
    assert len(lab.fleet.agents["s0"].requests) == 1


async def test_other_containers_take_the_place_of_these(lab: LogLab) -> None:
    await lab.press("escape")
    lab.app.go("logs", Target(server="s1", name="worker-2", id="worker-2"))
    await lab.until(lambda: lab.rows()[0].startswith(" Logs  worker-2@s1 "), "the other log")
    await lab.shows("queue depth 640")
    assert "GET /v1" not in lab.text()


async def test_escapes_and_markup_of_a_program_do_nothing(tmp_path: Path) -> None:
    evil = "\x1b[31mred\x1b[0m \x1b]52;c;aGFoYQ==\x07osc \x1b[2J[bold]markup[/] \x9b2Jc1"
    async with showing(tmp_path, {"s0": Agent({"evil": filled((5, evil))})}) as lab:
        await lab.shows("red osc [bold]markup[/]")
        assert not any("\x1b" in row or "\x9b" in row for row in lab.rows())
        strips = lab.app.screen._compositor.render_strips()
        (red,) = [s for strip in strips for s in strip if s.text == "red"]
        assert red.style is not None
        assert red.style.color is not None
        assert red.style.color.triplet is not None
        assert red.style.color.triplet.red > 2 * red.style.color.triplet.green
        await lab.press("enter")
        await lab.shows("stdout")
        assert not any("\x1b" in row for row in lab.rows())


async def test_what_the_ring_drops_is_counted(tmp_path: Path) -> None:
    log = filled(*((300 - n, f"line {n}") for n in range(300)))
    small = Settings(logs=LogSettings(lines=100))
    async with showing(tmp_path, {"s0": Agent({"a": log})}, settings=small) as lab:
        await lab.shows("line 299")
        for number in range(300, 400):
            log.write(at(0), b"line %d" % number)
        await lab.shows("line 399")
        console = lab.page.console
        assert len(console.ring) <= 100
        assert console.ring.dropped == console.ring.end - len(console.ring) > 0
        assert f"{console.ring.dropped} dropped" in lab.rows()[0]


async def test_a_quiet_log_says_what_to_do(tmp_path: Path) -> None:
    async with showing(tmp_path, {"s0": Agent({"quiet": filled()})}) as lab:
        await lab.shows("nothing yet (since 15m): } begins earlier")
        lab.log("quiet").write(at(0), b"first")
        await lab.shows("first")
        await lab.lacks("nothing yet")


async def test_without_containers_the_page_says_where_to_choose(lab: LogLab, tmp_path: Path) -> None:
    from komodo_tui.ui.app import KomodoApp
    from tests.ui.still import still_runtime

    app = KomodoApp(still_runtime(tmp_path), tab="logs")
    async with app.run_test(size=(80, 24)) as pilot:
        other = LogLab(app, pilot, lab.fleet)
        await other.shows("press l on one in Containers")
        assert "IDLE" in other.text(), "nothing is being connected to"


async def test_the_opened_line_takes_the_page_and_gives_it_back(lab: LogLab) -> None:
    await lab.press("k", "k", "enter")
    await lab.shows('"dep": "pg",')
    assert "queue depth 812" in lab.text()
    await lab.press("z")
    await lab.lacks("queue depth 812")
    await lab.press("z")
    await lab.shows("queue depth 812")
    assert '"dep": "pg",' in lab.text()


async def test_a_tall_screen_keeps_its_tabs_until_the_log_is_zoomed(tmp_path: Path) -> None:
    async with showing(tmp_path, _two(), size=(120, 40)) as lab:
        await lab.shows("users 404")
        assert lab.rows()[0].startswith("komodo ")
        await lab.press("z")
        await lab.until(lambda: lab.rows()[0].startswith(" Logs  api-1@s0 + worker-2@s1"), "the log alone")
        await lab.press("escape")
        await lab.until(lambda: lab.rows()[0].startswith("komodo "), "the tabs")


async def test_a_flood_is_painted_once_a_frame_and_keys_are_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = filled((1, "first"))
    calls = Counter[str]()
    for name in ("sync", "tick"):
        monkeypatch.setattr(LogView, name, _counted(calls, name, getattr(LogView, name)))
    monkeypatch.setattr(Bar, "sync", _counted(calls, "bars", Bar.sync))
    async with showing(tmp_path, {"s0": Agent({"a": log}, frame_lines=50)}) as lab:
        await lab.press("/", *"line", "enter")
        await lab.until(
            lambda: (found := lab.page.console.finding.matches) is not None and found.complete, "the search"
        )
        calls.clear()
        for number in range(20_000):
            log.write(at(0), b"line %d" % number)
        await lab.shows("line 19999")
        assert lab.page.console.ring.end == 20_001
        assert calls["sync"] <= calls["tick"]
        assert calls["bars"] <= 2 * calls["tick"]
        await lab.shows("20,000 matches")
        await lab.press("k")
        assert "PAUSED" in lab.rows()[0]


def _counted(calls: Counter[str], name: str, method: Callable[[Any], None]) -> Callable[[Any], None]:
    def counted(view: Any) -> None:
        calls[name] += 1
        method(view)

    return counted


async def test_the_mouse_selects_scrolls_and_opens(lab: LogLab) -> None:
    first = next(y for y, row in enumerate(lab.rows()) if "queue depth 812" in row)
    x = lab.rows()[first].index("queue")
    await lab.pilot.mouse_down(offset=(x, first))
    await lab.pilot.hover(offset=(x + 11, first))
    await lab.pilot.mouse_up(offset=(x + 11, first))
    await lab.press("y")
    assert lab.copied == ["queue depth"]
    assert "PAUSED" in lab.rows()[0]
    await lab.pilot.click(offset=(x, first), times=2)
    await lab.shows("worker-2@s1  stdout  15 bytes")


async def test_a_place_far_up_is_kept_while_lines_come(tmp_path: Path) -> None:
    log = filled(*((300 - n, f"line {n}") for n in range(200)))
    async with showing(tmp_path, {"s0": Agent({"a": log})}) as lab:
        await lab.shows("line 199")
        await lab.press("g", "g")
        await lab.shows("line 0")
        before = lab.rows()[1:20]
        log.write(at(0), b"line 200")
        await lab.shows("1 line arrived while paused")
        assert lab.rows()[1:20] == before
        await lab.press("pagedown", "ctrl+d", "end")
        await lab.shows("line 200")
        assert "FOLLOW" in lab.rows()[0]
