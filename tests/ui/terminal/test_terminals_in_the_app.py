"""Terminals in the program: the page, the drawer under any page, and what quitting asks."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from textual import events
from textual.binding import Binding

from komodo_tui.domain.errors import NotFoundError
from komodo_tui.domain.settings import Settings
from komodo_tui.fleet.pty_shell import PtyShell
from komodo_tui.ui import typeahead
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.modals.error import ErrorDialog
from komodo_tui.ui.modals.quit import QuitDialog
from komodo_tui.ui.terminal import open as terminal_open
from komodo_tui.ui.terminal.deck import drawer_of
from komodo_tui.ui.terminal.manager import TerminalManager, use_manager
from komodo_tui.ui.terminal.open import open_container_shell, open_server_shell
from tests.ui.still import StillFleet, still_runtime
from tests.ui.terminal.lab import local_core, script, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.fleet.sessions import ByteSession
    from komodo_tui.ui.pages.terminals import TerminalsPage

LEAVE = "ctrl+right_square_bracket"
SMALL, TALL = (80, 24), (120, 40)


class Client:
    """An agent's client that runs a program of this machine for every container but one without a shell."""

    def __init__(self, program: Path) -> None:
        self.program = program
        self.requests: list[Any] = []

    async def exec(self, request: Any, title: str) -> ByteSession:
        self.requests.append(request)
        if request.container == "bare":
            raise NotFoundError(
                "bare has no shell: neither bash, ash nor sh can be started in it", hint="its logs help"
            )
        return await PtyShell.start(title, request.cols, request.rows, self.program)


class Executor:
    """Notes what is opened and closed."""

    def __init__(self) -> None:
        self.terminals = self
        self.notes: list[str] = []

    async def act(self, note: Any, actor: Any, effect: Any) -> Any:
        value = await effect()
        self.notes.append(note.title)
        return value


class Fleet(StillFleet):
    """One server whose link gives terminals."""

    def __init__(self, program: Path) -> None:
        super().__init__()
        self.agent = Client(program)

    def link(self, name: str) -> Fleet:
        return self

    async def client(self) -> Client:
        return self.agent

    async def shell(self, cols: int, rows: int) -> ByteSession:
        return await PtyShell.start("web-1", cols, rows, self.agent.program)


@asynccontextmanager
async def opened(
    folder: Path, *, size: tuple[int, int] = SMALL, settings: Settings | None = None, program: Path | None = None
) -> AsyncIterator[tuple[KomodoApp, TerminalManager, Pilot[int]]]:
    """The program on a page that asks no server."""
    runtime = still_runtime(folder, settings)
    runtime.fleet = Fleet(program or script(folder, "printf ready; exec cat"))
    runtime.executor = Executor()
    app = KomodoApp(runtime, tab="settings")
    manager = TerminalManager(local_core)
    use_manager(app, manager)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, manager, pilot


async def start(app: KomodoApp, manager: TerminalManager, *containers: str) -> None:
    """Open a shell in each of these containers."""
    assert app._current is not None
    for name in containers:
        before = len(manager.terminals)
        open_container_shell(app._current, "web-1", name, name)
        await until(lambda: len(manager.terminals) > before, "the terminal")  # noqa: B023
        await until(lambda: manager.terminals[-1].state in ("running", "failed", "ended"), "its program")


def page_id(app: KomodoApp) -> str:
    """The tab that is shown."""
    assert app._current is not None
    return app._page_id(app._current)


async def test_on_a_short_screen_a_shell_opens_on_its_page(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, manager, pilot):
        await start(app, manager, "api")
        assert page_id(app) == "terminals"
        await pilot.press(LEAVE, "escape")
        page: TerminalsPage = app._current  # type: ignore[assignment]
        assert page.table.has_focus
        await pilot.press("minus")
        assert page_id(app) == "settings"
        await pilot.press("T")
        await pilot.pause()
        assert page_id(app) == "terminals"
        assert page.deck.pane.has_focus, "back in the terminal at once"


async def test_after_the_last_shell_one_is_where_it_was_asked_for(tmp_path: Path) -> None:
    async with opened(tmp_path, program=script(tmp_path, "exit 0")) as (app, manager, pilot):
        await start(app, manager, "api")
        await until(lambda: manager.terminals[0].state == "ended", "its end")
        assert page_id(app) == "terminals"
        await pilot.press("enter")
        await until(lambda: page_id(app) == "settings", "the page before")


async def test_escape_leads_out_of_a_terminal_that_has_ended(tmp_path: Path) -> None:
    async with opened(tmp_path, program=script(tmp_path, "exit 0")) as (app, manager, pilot):
        await start(app, manager, "api")
        await until(lambda: manager.terminals[0].state == "ended", "its end")
        await pilot.press("escape", "escape")
        page: TerminalsPage = app._current  # type: ignore[assignment]
        await until(lambda: page.table.has_focus, "the list")


async def test_on_a_tall_screen_a_shell_opens_below_the_list(tmp_path: Path) -> None:
    async with opened(tmp_path, size=TALL) as (app, manager, pilot):
        await start(app, manager, "api")
        drawer = drawer_of(app)
        assert drawer is not None
        await until(lambda: drawer.deck.pane.has_focus, "the keys")
        assert page_id(app) == "settings"
        assert app._current is not None
        assert app._current.region.bottom <= drawer.region.y, "the page keeps what is above"
        assert drawer.region.height == TALL[1] * 0.4
        await pilot.press(LEAVE, "z")
        await pilot.pause()
        assert drawer.region.height == TALL[1] - 3, "all but header and footer"
        await pilot.press(LEAVE, "escape")
        await pilot.pause()
        assert drawer.region.height == TALL[1] * 0.4


async def test_backtick_shows_gives_the_keys_and_hides(tmp_path: Path) -> None:
    async with opened(tmp_path, size=TALL) as (app, manager, pilot):
        await pilot.press("grave_accent")
        assert drawer_of(app) is None, "there is nothing to show"
        await start(app, manager, "api")
        drawer = drawer_of(app)
        assert drawer is not None
        await until(lambda: drawer.deck.pane.has_focus, "the keys")
        await pilot.press("grave_accent")
        await until(lambda: "`" in _text(manager), "the program's backtick")
        await pilot.press(LEAVE, "escape")
        assert drawer.is_open
        assert not drawer.deck.pane.has_focus
        await pilot.press("grave_accent")
        await until(lambda: drawer.deck.pane.has_focus, "the keys again")
        await pilot.press(LEAVE, "grave_accent")
        await pilot.pause()
        assert not drawer.is_open
        assert manager.running == 1


async def test_a_burst_behind_the_backtick_is_typed_to_the_program(tmp_path: Path) -> None:
    async with opened(tmp_path, size=TALL) as (app, manager, pilot):
        await start(app, manager, "api")
        drawer = drawer_of(app)
        assert drawer is not None
        await until(lambda: drawer.deck.pane.has_focus, "the keys")
        await pilot.press(LEAVE, "escape")
        _burst(app, "`gc 1X")
        await until(lambda: "gc 1X" in _text(manager), "all of it")
        assert page_id(app) == "settings", "none of it was a command"


def bind_shell(app: KomodoApp) -> None:
    """``s`` opens a shell, as it does on the pages that have rows."""

    class Bound(type(app)):  # type: ignore[misc]
        def action_shell(self) -> None:
            open_container_shell(self.current_page, "web-1", "api", "api")

    app.__class__ = Bound
    app._bindings.key_to_bindings["s"] = [Binding("s", "shell", id="container.shell")]


async def test_a_burst_behind_s_is_typed_to_the_new_shell(tmp_path: Path) -> None:
    async with opened(tmp_path, size=TALL) as (app, manager, _):
        bind_shell(app)
        _burst(app, "sgc 1X")
        await until(lambda: manager.terminals and "gc 1X" in _text(manager), "all of it")
        assert page_id(app) == "settings", "none of it was a command"


async def test_however_long_the_shell_takes_to_appear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typeahead, "PATIENCE_SHELL", 0.2)
    appears = asyncio.Event()
    bring_up = terminal_open._bring_up

    async def late(page: Any, terminal: Any) -> None:
        await appears.wait()
        await bring_up(page, terminal)

    monkeypatch.setattr(terminal_open, "_bring_up", late)
    async with opened(tmp_path, size=TALL) as (app, manager, pilot):
        bind_shell(app)
        _burst(app, "sgc 1X")
        await until(lambda: manager.terminals, "the terminal")
        for _ in range(15):  # in all longer than the patience
            await pilot.pause(0.02)
        appears.set()
        await until(lambda: "gc 1X" in _text(manager), "all of it")
        assert page_id(app) == "settings", "none of it was a command"


async def test_a_key_for_a_shell_that_nobody_opens_does_not_take_the_next_ones_for_long(tmp_path: Path) -> None:
    async with opened(tmp_path, size=TALL) as (app, _, pilot):
        app._bindings.key_to_bindings["s"] = [Binding("s", "nothing", id="container.shell")]
        await pilot.press("s")
        await until(lambda: app._ahead._held is None, "the keys to go their way")
        await pilot.press("T")
        await until(lambda: page_id(app) == "terminals", "the page")


async def test_what_was_meant_for_a_refused_shell_is_no_command(tmp_path: Path) -> None:
    async with opened(tmp_path, size=TALL, settings=Settings(read_only=True)) as (app, _, pilot):
        bind_shell(app)
        _burst(app, "s9")
        await until(lambda: isinstance(app.screen, ErrorDialog), "the refusal")
        await pilot.press("escape")
        await until(lambda: len(app.screen_stack) == 1 and app._ahead._held is None, "the page")
        await pilot.pause()
        assert page_id(app) == "settings", "the 9 was for the shell"


def _burst(app: KomodoApp, typed: str) -> None:
    names = {"`": "grave_accent", " ": "space"}
    for key in typed:
        app.post_message(events.Key(names.get(key, key), key))


async def test_the_page_takes_the_terminal_from_the_drawer(tmp_path: Path) -> None:
    async with opened(tmp_path, size=TALL) as (app, manager, pilot):
        await start(app, manager, "api")
        drawer = drawer_of(app)
        assert drawer is not None
        await until(lambda: drawer.deck.pane.has_focus, "the keys")
        await pilot.press(LEAVE, "T")
        await until(lambda: not drawer.is_open and page_id(app) == "terminals", "the page")
        await until(lambda: manager.terminals[0].size[1] > TALL[1] / 2, "all the room for it")
        await pilot.press(LEAVE, "escape", "grave_accent")
        await pilot.pause()
        assert not drawer.is_open
        page: TerminalsPage = app._current  # type: ignore[assignment]
        assert page.deck.pane.has_focus


async def test_a_container_without_a_shell_says_so_and_can_be_closed(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, manager, pilot):
        await start(app, manager, "api", "bare")
        await pilot.pause()
        text = "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
        assert "bare has no shell: neither bash, ash nor sh can be started in it" in text
        assert "its logs help" in text
        await pilot.press("enter")
        await until(lambda: len(manager.terminals) == 1, "its end")
        page: TerminalsPage = app._current  # type: ignore[assignment]
        await pilot.press("y", "q")
        await pilot.pause()
        assert page.deck.pane.modes.mode == "PANE", "no key goes to a terminal that came in place of another"


async def test_the_shell_is_chosen_by_the_agent_and_told_the_terminal(tmp_path: Path) -> None:
    async with opened(tmp_path, size=TALL) as (app, manager, _):
        await start(app, manager, "api")
        (request,) = app.runtime.fleet.agent.requests  # type: ignore[attr-defined]
        assert request.command == ()
        assert request.environment["TERM"] == "xterm-256color"
        assert (request.cols, request.rows) == manager.terminals[0].size


async def test_read_only_opens_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, settings=Settings(read_only=True)) as (app, manager, _):
        assert app._current is not None
        open_server_shell(app._current, "web-1")
        await until(lambda: isinstance(app.screen, ErrorDialog), "the refusal")
        assert manager.terminals == []


async def test_quitting_asks_while_a_shell_runs(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, manager, pilot):
        await start(app, manager, "api")
        await pilot.press(LEAVE, "ctrl+q")
        await until(lambda: isinstance(app.screen, QuitDialog), "the question")
        await pilot.press("n")
        await until(lambda: len(app.screen_stack) == 1, "the answer")
        assert app.is_running
        assert manager.running == 1
        await pilot.press("ctrl+q")
        await until(lambda: isinstance(app.screen, QuitDialog), "the question")
        await pilot.press("y")
        await until(lambda: not app.is_running, "the end")
    assert manager.terminals == [], "nothing is left running"


async def test_quitting_asks_nothing_without_shells_and_acts(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, _, pilot):
        await pilot.press("ctrl+q")
        await until(lambda: not app.is_running, "the end")


async def test_an_ended_shell_is_no_reason_to_ask(tmp_path: Path) -> None:
    async with opened(tmp_path, program=script(tmp_path, "exit 3")) as (app, manager, pilot):
        assert app._current is not None
        open_server_shell(app._current, "web-1")
        await until(lambda: manager.terminals and manager.terminals[0].state == "ended", "the end of the program")
        await pilot.press(LEAVE, "ctrl+q")
        await until(lambda: not app.is_running, "the end")


def _text(manager: TerminalManager) -> str:
    terminal = manager.terminals[0]
    rows = terminal.picture._rows
    return "\n".join("".join(text for text, _, _ in rows.get(y, [])) for y in range(terminal.picture.rows))


@pytest.fixture(autouse=True)
def _short_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LANG", "C.UTF-8")


async def test_opening_and_closing_are_noted_and_what_is_typed_is_not(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, manager, pilot):
        await start(app, manager, "api")
        await pilot.press("s", "e", "c", "r", "e", "t")
        notes: list[str] = app.runtime.executor.notes  # type: ignore[attr-defined]
        assert notes == ["Open a terminal in api@web-1: shell"]
        await pilot.press(LEAVE, "x", "y")
        await until(lambda: len(notes) > 1, "the second note")
        assert notes[1:] == ["Close a terminal in api@web-1: shell"]


async def test_without_a_terminal_the_keys_are_the_programs_own(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, _manager, pilot):
        await pilot.press("T")
        await until(lambda: page_id(app) == "terminals", "the page")
        await pilot.pause()
        await pilot.press("minus")
        await until(lambda: page_id(app) == "settings", "the page before")
