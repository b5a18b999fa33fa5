"""The core in a process of its own: the same behaviour, and what happens when that process dies."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest

from komodo_tui.ui.terminal import host as host_module
from komodo_tui.ui.terminal import standby as standby_module
from komodo_tui.ui.terminal.core import CoreLostError, KeyInput, Mods, MouseInput, PaneCore
from komodo_tui.ui.terminal.cores import best_core
from komodo_tui.ui.terminal.host import WorkerHost
from tests.unit.terminal import fuzz, hostile
from tests.unit.terminal.screens import Picture
from tests.unit.terminal.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LETHAL = (
    b"\x1b]8;;http://a/\x1b\\" + b"".join(b"line %d y\x1b[179b\r\n" % number for number in range(250)) + b"\x1b[H\x1b[M"
)
"""Many cells with a hyperlink, then a line deleted: kills the native core at 200x50."""

native = pytest.mark.skipif(best_core() != "ghostty", reason="pyghostty has no wheel here")


@pytest.fixture
async def host() -> AsyncIterator[WorkerHost]:
    """A host whose workers end with the test."""
    made = WorkerHost()
    yield made
    await made.close()


@pytest.fixture
async def unguarded() -> AsyncIterator[WorkerHost]:
    """One that lets through what kills."""
    made = WorkerHost(guarded=False)
    yield made
    await made.close()


async def lines(core: PaneCore) -> list[str]:
    """The text on the screen, taken whole."""
    bar = await core.scrollbar()
    text = await core.text(bar.offset, 0, bar.total - 1, 999)
    return text.split("\n")


async def test_every_stream_gives_the_same_screen(host: WorkerHost) -> None:
    for stream in STREAMS:
        core = await host.open(20, 6)
        await core.feed(stream.output.encode("utf-8", "surrogateescape"))
        assert Picture().take(await core.take_frame()).lines == stream.lines, stream.name
        await core.close()


async def test_everything_else_crosses_too(host: WorkerHost) -> None:
    core = await host.open(20, 6)
    assert await core.feed(b"\x1b[6n") == b"\x1b[1;1R"
    await core.feed(b"\x1b[?1003;1006;1004;2004h\x1b]0;t\x07" + b"x\r\n" * 30)
    assert await core.encode_key(KeyInput("c", Mods.CTRL)) == b"\x03"
    assert await core.encode_mouse(MouseInput("press", 1, 0, 0)) == b"\x1b[<0;1;1M"
    assert await core.encode_paste("a") == b"\x1b[200~a\x1b[201~"
    assert await core.encode_focus(True) == b"\x1b[I"
    assert (await core.scroll(-3)).below == 3
    assert (await core.scroll_to(0)).offset == 0
    assert (await core.scroll_bottom()).below == 0
    assert len(await core.search("x")) == 30
    assert await core.resize(30, 10) == b""
    frame = await core.take_frame()
    assert (frame.cols, frame.title) == (30, "t")


async def test_nothing_runs_before_the_first_terminal_and_all_ends_with_the_host() -> None:
    host = WorkerHost()
    assert host.pid is None
    await host.open(80, 24)
    pid = host.pid
    assert pid is not None
    os.kill(pid, 0)
    await host.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_panes_share_one_process(host: WorkerHost) -> None:
    first = await host.open(20, 6)
    pid = host.pid
    second = await host.open(30, 6)
    assert host.pid == pid
    await first.feed(b"one")
    await second.feed(b"two")
    assert await lines(first) == ["one"]
    assert await lines(second) == ["two"]


@native
async def test_deadly_output_only_restarts_the_process(unguarded: WorkerHost) -> None:
    victim = await unguarded.open(200, 50)
    other = await unguarded.open(80, 24)
    await victim.feed(b"before\r\n")
    await other.feed(b"\x1b[31mother\r\n")
    await victim.take_frame()
    await other.take_frame()
    pid = unguarded.pid
    await victim.feed(LETHAL)
    picture = Picture().take(await victim.take_frame())
    assert unguarded.restarts == 1
    assert unguarded.pid != pid
    assert picture.lines[0] == "before"
    assert "bytes of output are not shown" in victim.take_notice()
    assert victim.take_notice() == "", "told once"
    assert Picture().take(await other.take_frame()).lines == ["other"]
    assert "restarted" in other.take_notice()
    await victim.feed(b"after")
    assert "after" in (await lines(victim))[1]


async def test_the_guard_keeps_the_process_alive(host: WorkerHost) -> None:
    core = await host.open(200, 50)
    pid = host.pid
    for _ in range(4):
        await core.feed(LETHAL)
    assert (host.restarts, host.pid) == (0, pid)


@native
async def test_who_keeps_killing_it_gets_the_safe_core(unguarded: WorkerHost) -> None:
    core = await unguarded.open(200, 50)
    for _ in range(3):
        await core.feed(LETHAL)
    assert unguarded.restarts == 3
    assert "safer emulator" in core.take_notice()
    await core.feed(LETHAL)
    assert unguarded.restarts == 3, "nothing can kill this one"
    await core.feed(b"\x1b[2J\x1b[Halive")
    assert (await lines(core))[0] == "alive"


async def test_a_killed_process_loses_no_output(host: WorkerHost) -> None:
    core = await host.open(40, 6)
    await core.feed(b"\x1b[?1049h\x1b[?1h\x1b[2;3Hfull screen")
    before = Picture().take(await core.take_frame())
    assert host.pid is not None
    os.kill(host.pid, signal.SIGKILL)
    after = Picture().take(await core.take_frame())
    assert after.lines == before.lines
    assert after.frame is not None
    assert before.frame is not None
    assert after.frame.modes == before.frame.modes
    assert after.frame.alternate
    assert (after.frame.cursor.x, after.frame.cursor.y) == (13, 1)
    assert await core.encode_key(KeyInput("up")) == b"\x1bOA"


async def test_a_long_session_comes_back_with_its_last_picture(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = await host.open(40, 6)
    monkeypatch.setattr(core._tail, "_limit", 200)
    await core.feed(b"\x1b[?1049h\x1b[?2004h\x1b[31;44mtop \xe6\xbc\xa2\x1b[0m\x1b[6;1H\x1b[4mbottom")
    await core.feed(b"\x1b[3;3H" + b"".join(b"\x1b[3;3H%03d" % number for number in range(100)))
    before = Picture().take(await core.take_frame())
    assert host.pid is not None
    os.kill(host.pid, signal.SIGKILL)
    after = Picture().take(await core.take_frame())
    assert after.lines == before.lines
    assert [after.style(x, 0) for x in range(8)] == [before.style(x, 0) for x in range(8)]
    assert after.frame is not None
    assert before.frame is not None
    assert after.frame.cursor == before.frame.cursor
    assert after.frame.modes == before.frame.modes


async def test_a_hung_process_is_replaced(host: WorkerHost, monkeypatch: pytest.MonkeyPatch) -> None:
    core = await host.open(40, 6)
    await core.feed(b"hello")
    monkeypatch.setattr("komodo_tui.ui.terminal.process.REPLY_LIMIT", 1.5)
    pid = host.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    assert Picture().take(await core.take_frame()).lines == ["hello"]
    assert host.restarts == 1
    assert host.pid != pid


@pytest.mark.parametrize("warm", [True, False])
async def test_the_standby_takes_over_also_one_on_its_way(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch, *, warm: bool
) -> None:
    monkeypatch.setattr(standby_module, "DELAY", 0.0 if warm else 1000.0)
    core = await host.open(40, 6)
    waiting = host._standby._task
    assert waiting is not None
    if not warm:
        assert host.pid is not None
        os.kill(host.pid, signal.SIGKILL)
        await core.take_frame()
        assert host.pid == (await waiting).pid
        return
    standby = await waiting
    assert host.is_warm
    assert host.pid is not None
    os.kill(host.pid, signal.SIGKILL)
    await core.take_frame()
    assert host.pid == standby.pid


async def test_input_under_way_survives_a_restart(host: WorkerHost) -> None:
    core = await host.open(40, 6)
    await core.feed(b"x")
    assert host.pid is not None
    os.kill(host.pid, signal.SIGKILL)
    keys = [core.encode_key(KeyInput(key, Mods.CTRL)) for key in "abc"]
    assert await asyncio.gather(*keys) == [b"\x01", b"\x02", b"\x03"]


async def test_without_any_process_it_says_so(host: WorkerHost, monkeypatch: pytest.MonkeyPatch) -> None:
    core = await host.open(40, 6)
    monkeypatch.setattr("komodo_tui.ui.terminal.process.sys.executable", "/nonexistent/python")
    assert host.pid is not None
    os.kill(host.pid, signal.SIGKILL)
    with pytest.raises(CoreLostError, match="cannot be started"):
        await core.take_frame()
    with pytest.raises(CoreLostError):
        await host.open(40, 6)


async def test_processes_end_some_time_after_the_last_terminal(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_module, "LINGER", 0.0)
    core = await host.open(40, 6)
    pid = host.pid
    await core.close()
    while host.pid is not None:
        await asyncio.sleep(0.01)
    while host._stopping:
        await asyncio.sleep(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(pid or 0, 0)
    again = await host.open(40, 6)
    await again.feed(b"again")
    assert await lines(again) == ["again"]


async def test_mutated_recordings_do_not_kill_it() -> None:
    pytest.importorskip("komodo_tui.ui.terminal.ghostty", reason="pyghostty has no wheel here")
    assert (await fuzz.run(rounds=200, seed=5)).restarts == 0


@pytest.mark.parametrize("name", hostile.STREAMS, ids=lambda name: name.replace(" ", "-"))
async def test_output_made_to_hang_or_fill_it_does_neither(name: str) -> None:
    found = await hostile.run(hostile.STREAMS[name]())
    assert found.restarts == 0
    assert found.grown < 24 * hostile.MIB
