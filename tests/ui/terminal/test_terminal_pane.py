"""The pane in an app, driven by keys and mouse, with a real program in it."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual import events

from komodo_tui.domain.errors import HostUnreachableError
from komodo_tui.fleet.pty_shell import PtyShell
from komodo_tui.ui.terminal.terminal import Terminal
from tests.ui.terminal.lab import Lab, local_core, pane_text, running, screen_text, script, until

if TYPE_CHECKING:
    from komodo_tui.fleet.sessions import ByteSession

BASH = Path("/bin/bash")
LEAVE = "ctrl+right_square_bracket"


@pytest.fixture(autouse=True)
def _plain_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell with a short prompt, in an empty home."""
    (tmp_path / ".bashrc").write_text("PS1='$ '\nbind 'set enable-bracketed-paste on'\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LANG", "C.UTF-8")


def mode(app: Lab) -> str:
    """Where the keys go now."""
    return app.pane.modes.mode


async def prompt(app: Lab) -> None:
    """Wait for the shell."""
    await until(lambda: pane_text(app.pane).rstrip().endswith("$"), "the prompt")


async def test_what_is_typed_reaches_the_shell_and_its_answer_the_screen() -> None:
    async with running(BASH) as (app, pilot):
        await prompt(app)
        await pilot.press(*"echo $((6*7))", "enter")
        await until(lambda: "\n42" in pane_text(app.pane), "the answer")
        await pilot.pause()
        assert "42" in screen_text(app)
        assert app.terminal.size == (80, 21)


async def test_every_key_is_the_programs_in_terminal_mode(tmp_path: Path) -> None:
    async with running(script(tmp_path, "stty raw -echo; printf ready; exec cat -v")) as (app, pilot):
        await until(lambda: "ready" in pane_text(app.pane), "the program")
        await pilot.press("ctrl+c", "ctrl+p", "q", "tab", "escape", "f1", "shift+tab", "ctrl+d", "up")
        await until(lambda: "^C^Pq" in pane_text(app.pane), "the keys")
        await until(lambda: "^C^Pq\t^[^[OP^[[Z^D^[[A".replace("\t", "    ") in pane_text(app.pane) or
                    "^[^[OP^[[Z^D^[[A" in pane_text(app.pane), "all of them")  # fmt: skip
        assert app.notes == []
        assert app.focused is app.pane


async def test_the_prefix_leads_to_pane_mode_and_back(tmp_path: Path) -> None:
    async with running(script(tmp_path, "stty raw -echo; printf ready; exec cat -v")) as (app, pilot):
        await until(lambda: "ready" in pane_text(app.pane), "the program")
        assert "TERMINAL" in screen_text(app)[1]
        await pilot.press(LEAVE)
        assert mode(app) == "PANE"
        assert " PANE " in screen_text(app)[1]
        await pilot.press("q", "ctrl+p")
        assert app.notes == ["q", "^P"], "the app has its keys again"
        await pilot.press("i", "a", LEAVE, "enter", "b", "f12", "i", "c")
        await until(lambda: "readyabc" in pane_text(app.pane), "what was typed between")
        await pilot.press(LEAVE, LEAVE)
        await until(lambda: "^]" in pane_text(app.pane), "the prefix itself")
        assert mode(app) == "TERMINAL"


async def test_leaving_zooming_and_stepping_are_for_what_holds_the_pane() -> None:
    async with running(BASH) as (app, pilot):
        await prompt(app)
        await pilot.press(LEAVE, "left_square_bracket", "right_square_bracket", "escape", "z")
        await pilot.pause()
        assert app.wants == ["previous", "next", "leave", "zoom"]
        assert app.terminal.state == "running"


async def test_closing_asks_while_a_program_runs() -> None:
    async with running(BASH) as (app, pilot):
        await prompt(app)
        await pilot.press(LEAVE, "x")
        assert "y closes" in screen_text(app)[-1]
        await pilot.press("z", "n")
        assert (app.pane.modes.mode, app.wants) == ("PANE", [])
        await pilot.press("x", "y")
        await pilot.pause()
        assert app.wants == ["close"]


async def test_the_end_shows_its_status_and_waits() -> None:
    async with running(BASH) as (app, pilot):
        await prompt(app)
        await pilot.press(*"exit 3", "enter")
        await until(lambda: app.terminal.state == "ended", "the end")
        await pilot.pause()
        assert "ended with status 3" in screen_text(app)[-1]
        await pilot.press("a")
        assert app.wants == []
        await pilot.press("r")
        await until(lambda: app.terminal.state == "running", "the shell again")
        await prompt(app)
        await pilot.press(*"exit", "enter")
        await until(lambda: app.terminal.state == "ended", "the end")
        await pilot.press("enter")
        await pilot.pause()
        assert app.wants == ["close"]


async def test_a_session_that_cannot_be_opened_says_why() -> None:
    async def refuse(cols: int, rows: int) -> ByteSession:
        raise HostUnreachableError("no answer from 10.0.0.1", hint="is it on?", server="web-1")

    terminal = Terminal(refuse, "web-1", open_core=local_core)
    async with Lab(terminal).run_test(size=(100, 24)) as pilot:
        await until(lambda: terminal.state == "failed", "the failure")
        await pilot.pause()
        text = screen_text(pilot.app)
        assert "not opened. Enter closes, r tries again" in text[-1]
        assert [line.split() for line in text[3:5]] == [
            ["✖", *["no", "answer", "from", "10.0.0.1"]],
            ["is", "it", "on?"],
        ]
    await terminal.close()


# -- history --------------------------------------------------------------------------------------------------------


async def lines_of_output(app: Lab, pilot: object) -> None:
    """A hundred numbered lines."""
    await prompt(app)
    app.terminal.send_bytes(b"for i in $(seq 100); do echo line-$i; done\n")
    await until(lambda: "line-100\n$" in pane_text(app.pane), "the lines")


async def test_scrollback_by_keyboard_selects_and_copies() -> None:
    async with running(BASH) as (app, pilot):
        await lines_of_output(app, pilot)
        await pilot.press(LEAVE, "v")
        assert "SCROLLBACK" in screen_text(app)[1]
        await pilot.press("k", "0", "V", "k", "y")
        await until(lambda: app.copied, "the copy")
        assert app.copied == ["line-99\nline-100"]
        assert app.pane.modes.mode == "TERMINAL"
        await pilot.press(LEAVE, "v", "k", "0", "w", "v", "e", "enter")
        await until(lambda: len(app.copied) == 2, "the second copy")
        assert app.copied[1] in ("line-100", "-100", "-")


async def test_what_was_copied_is_pasted_by_a_key() -> None:
    async with running(BASH) as (app, pilot):
        await prompt(app)
        await pilot.press(LEAVE, "p")
        await until(lambda: "nothing was copied here yet" in screen_text(app)[-1], "why nothing comes")
        await pilot.press(*"echo pasted", LEAVE, "v", "0", "w", "v", "dollar_sign", "y")
        await until(lambda: app.copied == ["echo pasted"], "the copy")
        await pilot.press("ctrl+u", LEAVE, "p", "enter")
        await until(lambda: "\npasted\n" in pane_text(app.pane), "what the pasted command says")


async def test_scrollback_goes_up_and_comes_back_to_the_output() -> None:
    async with running(BASH) as (app, pilot):
        await lines_of_output(app, pilot)
        await pilot.press(LEAVE, "v", "g")
        await until(lambda: "for i in" in pane_text(app.pane).split("\n")[0], "the first row")
        await pilot.press("q")
        await until(lambda: "line-100" in pane_text(app.pane), "the last row")
        assert app.pane.modes.mode == "PANE"
        await pilot.press("i", "shift+pageup")
        await until(lambda: "line-100" not in pane_text(app.pane), "the page before")
        await until(lambda: "scrollback 20" in screen_text(app)[-1], "how far back it is")
        await pilot.press("x")
        await until(lambda: "$ x" in pane_text(app.pane), "typing follows the output again")


async def test_search_in_the_history() -> None:
    async with running(BASH) as (app, pilot):
        await lines_of_output(app, pilot)
        await pilot.press(LEAVE, "slash", *"line-4", "backspace", *"42")
        assert "/line-42_" in screen_text(app)[-1]
        await pilot.press("enter")
        await until(lambda: "1 of 1" in screen_text(app)[-1], "the match")
        assert any(line.startswith("line-42") for line in screen_text(app))
        await pilot.press("slash", *"line-5", "enter")
        await until(lambda: "of 11" in screen_text(app)[-1], "eleven matches")
        await pilot.press("n")
        await until(lambda: "of 11" in screen_text(app)[-1], "the next one")
        await pilot.press("slash", *"nowhere", "enter")
        await until(lambda: "nothing found for nowhere" in screen_text(app)[-1], "the news")


async def test_the_wheel_scrolls_history_and_full_screen_programs(tmp_path: Path) -> None:
    async with running(BASH) as (app, pilot):
        await lines_of_output(app, pilot)
        app.pane.post_message(events.MouseScrollUp(app.pane, 5, 5, 0, 0, 0, False, False, False))
        await until(lambda: app.terminal.frame is not None and app.terminal.frame.scrollbar.below == 3, "three rows")
        app.pane.post_message(events.MouseScrollDown(app.pane, 5, 5, 0, 0, 0, False, False, False))
        await until(lambda: app.terminal.frame is not None and app.terminal.frame.scrollbar.below == 0, "back")
        app.terminal.send_bytes(b"printf '\\033[?1049h\\033[?1hfull'; stty raw -echo; cat -v\n")
        await until(lambda: "\nfull" in pane_text(app.pane), "the program")
        app.pane.post_message(events.MouseScrollUp(app.pane, 5, 5, 0, 0, 0, False, False, False))
        await until(lambda: "^[OA^[OA^[OA" in pane_text(app.pane), "arrow keys")


# -- mouse ----------------------------------------------------------------------------------------------------------


async def test_dragging_selects_and_copies() -> None:
    async with running(BASH) as (app, pilot):
        await lines_of_output(app, pilot)
        rows = screen_text(app)
        y = rows.index("line-99")
        await pilot.mouse_down(app.pane, offset=(5, y - 1))
        await pilot.hover(app.pane, offset=(6, y - 1))
        await pilot.mouse_up(app.pane, offset=(6, y - 1))
        await until(lambda: app.copied, "the copy")
        assert app.copied == ["99"]


async def test_the_mouse_is_the_programs_where_it_asks(tmp_path: Path) -> None:
    program = script(tmp_path, r"stty raw -echo; printf '\033[?1000;1006hready\r\n'; exec cat -v")
    async with running(program) as (app, pilot):
        await until(lambda: "ready" in pane_text(app.pane), "the program")
        await pilot.mouse_down(app.pane, offset=(10, 5))
        await pilot.mouse_up(app.pane, offset=(10, 5))
        await until(lambda: "^[[<0;11;5M^[[<0;11;5m" in pane_text(app.pane), "press and release")
        app.pane.post_message(events.MouseScrollUp(app.pane, 3, 3, 0, 0, 0, False, False, False))
        await until(lambda: "^[[<64;4;3M" in pane_text(app.pane), "the wheel")
        await pilot.mouse_down(app.pane, offset=(0, 1), shift=True)
        await pilot.hover(app.pane, offset=(4, 1))
        await pilot.mouse_up(app.pane, offset=(4, 1))
        await until(lambda: app.copied, "shift selects all the same")
        assert app.copied == ["ready"]


# -- paste, clipboard, titles ---------------------------------------------------------------------------------------


async def test_a_bracketed_paste_is_not_run() -> None:
    async with running(BASH) as (app, _pilot):
        await prompt(app)
        await until(lambda: app.terminal.frame is not None and 2004 in app.terminal.frame.modes, "bracketed paste")
        app.pane.post_message(events.Paste("echo one\necho two\n"))
        await until(lambda: "echo two" in pane_text(app.pane), "the text")
        assert "\none" not in pane_text(app.pane)


async def test_many_lines_are_asked_about_where_each_would_be_run(tmp_path: Path) -> None:
    async with running(script(tmp_path, "printf ready; exec cat")) as (app, pilot):
        await until(lambda: "ready" in pane_text(app.pane), "the program")
        app.pane.post_message(events.Paste("one\ntwo\n"))
        await until(lambda: "paste 2 lines?" in screen_text(app)[-1], "the question")
        await pilot.press("n")
        assert app.pane.modes.mode == "TERMINAL"
        app.pane.post_message(events.Paste("three\nfour"))
        await until(lambda: "paste 2 lines?" in screen_text(app)[-1], "the question")
        await pilot.press("y")
        await until(lambda: pane_text(app.pane).count("three") == 2, "the lines")
        assert "one" not in pane_text(app.pane)
        app.pane.post_message(events.Paste("single"))
        await until(lambda: "single" in pane_text(app.pane), "one line needs no question")


@pytest.mark.parametrize("allowed", [False, True])
async def test_programs_write_the_clipboard_only_where_the_user_lets_them(tmp_path: Path, allowed: bool) -> None:
    text = base64.b64encode(b"from the program").decode()
    program = script(tmp_path, rf"printf '\033]52;c;{text}\007done'; exec cat")
    async with running(program, take_clipboard=allowed) as (app, pilot):
        await until(lambda: "done" in pane_text(app.pane), "the program")
        await pilot.pause()
        if allowed:
            assert app.copied == ["from the program"]
        else:
            assert app.copied == []
            assert "^] c copies 16 characters the program offers: from" in screen_text(app)[-1]
            await pilot.press(LEAVE, "c")
            assert app.copied == ["from the program"]
            assert mode(app) == "TERMINAL"
            await pilot.press(LEAVE, "c")
            assert len(app.copied) == 1, "once"


async def test_a_hostile_title_is_shown_without_its_sequences(tmp_path: Path) -> None:
    program = script(tmp_path, r"printf '\033]2;[red]b\302\233oom\342\200\256[/]\007done'; exec cat")
    async with running(program) as (app, pilot):
        await until(lambda: app.terminal.program_title, "the title")
        await pilot.pause()
        top = screen_text(app)[1]
        assert "[red]b" in top
        assert all(char.isprintable() for char in top)


async def test_focus_is_told_to_a_program_that_asks(tmp_path: Path) -> None:
    program = script(tmp_path, r"stty raw -echo; printf '\033[?1004hready'; exec cat -v")
    async with running(program) as (app, _pilot):
        await until(lambda: app.terminal.frame is not None and 1004 in app.terminal.frame.modes, "the request")
        app.query_one("#above").focus()
        await until(lambda: "^[[O" in pane_text(app.pane), "focus lost")
        app.pane.focus()
        await until(lambda: "^[[I" in pane_text(app.pane), "focus back")


# -- sizes and floods -----------------------------------------------------------------------------------------------


async def test_the_program_learns_a_size_that_lasts() -> None:
    async with running(BASH) as (app, pilot):
        await prompt(app)
        for width in range(60, 100, 3):
            await pilot.resize_terminal(width, 30)
        await pilot.resize_terminal(101, 33)
        await until(lambda: app.terminal.frame is not None and app.terminal.frame.cols == 101, "the size")
        await pilot.press(*"stty size", "enter")
        await until(lambda: "\n30 101" in pane_text(app.pane), "what the shell knows")


async def test_a_flood_is_held_back_and_ended_by_a_key() -> None:
    async with running(BASH) as (app, pilot):
        await prompt(app)
        app.terminal.send_bytes(b"yes flood\n")
        await until(lambda: pane_text(app.pane).count("flood") > 15, "the flood")
        await pilot.press("ctrl+c")
        await until(lambda: pane_text(app.pane).rstrip().endswith("$"), "the prompt", patience=5)
        await pilot.press(*"echo alive", "enter")
        await until(lambda: "\nalive" in pane_text(app.pane), "the shell")


async def test_a_hidden_pane_goes_on_and_shows_it_later() -> None:
    async with running(BASH) as (app, pilot):
        await prompt(app)
        app.pane.display = False
        await pilot.pause()
        app.terminal.send_bytes(b"echo while-away\n")
        await until(lambda: app.terminal.unseen, "the news of unseen output")
        app.pane.display = True
        await until(lambda: not app.terminal.unseen, "the picture")
        await until(lambda: "\nwhile-away" in pane_text(app.pane), "what was written meanwhile")


async def test_what_is_typed_while_it_opens_waits_for_the_program(tmp_path: Path) -> None:
    gate = asyncio.Event()
    program = script(tmp_path, "exec cat")

    async def late(cols: int, rows: int) -> ByteSession:
        await gate.wait()
        return await PtyShell.start("web-1", cols, rows, program)

    terminal = Terminal(late, "web-1", open_core=local_core)
    async with Lab(terminal).run_test(size=(80, 24)) as pilot:
        await until(lambda: terminal.state == "opening", "the wait")
        await pilot.press(*"early", "enter")
        gate.set()
        await until(lambda: pane_text(pilot.app.pane).count("early") == 2, "its echo and its answer")  # type: ignore[attr-defined]
    await terminal.close()


async def test_what_changed_is_drawn_at_once_not_at_the_next_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(BASH) as (app, pilot):
        await prompt(app)
        await pilot.pause()
        drawn: list[object] = []
        monkeypatch.setattr(app, "_display", lambda _screen, update: drawn.append(update))
        app.pane._drawn = float("inf")  # just now
        app.pane.refresh()
        app.pane.draw_now()
        assert drawn == [], "too soon after another: left to the tick"
        app.pane._drawn = 0.0
        app.pane.draw_now()
        assert drawn, "nothing was awaited"
