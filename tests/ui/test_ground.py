"""Whatever a widget draws stands on the theme's ground, not on the terminal's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.color import Color
from textual.strip import Strip

from komodo_tui.domain.settings import Settings
from komodo_tui.store.theme_files import shipped_themes, theme_names
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.ascii import plain
from komodo_tui.ui.ground import Ground
from komodo_tui.ui.pages import PAGES
from tests.ui.still import still_runtime
from tests.ui.terminal.lab import until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

BUILT = [spec.id for spec in PAGES if spec.id in ("servers", "containers", "terminals", "builds")]


def bare(pilot: Pilot[int]) -> set[str]:
    """Pieces of text on the screen that have no colour or no ground of their own."""
    found = set()
    for strip in pilot.app.screen._compositor.render_strips():
        for segment in strip:
            style = segment.style
            if not segment.control and (style is None or style.bgcolor is None or style.color is None):
                found.add(segment.text.strip())
    return found


@pytest.mark.parametrize("tab", BUILT)
async def test_nothing_is_left_to_the_terminal(tab: str, tmp_path: Path) -> None:
    async with KomodoApp(still_runtime(tmp_path), tab=tab).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert bare(pilot) - {""} == set()


async def test_another_theme_has_another_ground(tmp_path: Path) -> None:
    async with KomodoApp(still_runtime(tmp_path), tab="builds").run_test() as pilot:
        before = _grounds(pilot.app)
        pilot.app.use_theme("komodo-light")  # type: ignore[attr-defined]
        await pilot.pause()
        assert bare(pilot) - {""} == set()
        assert before.isdisjoint(_grounds(pilot.app))


async def test_the_ansi_theme_leaves_the_ground_to_the_terminal(tmp_path: Path) -> None:
    async with KomodoApp(still_runtime(tmp_path, Settings(theme="ansi")), tab="builds").run_test() as pilot:
        await pilot.pause()
        assert "komodo" in "".join(strip.text for strip in pilot.app.screen._compositor.render_strips())
        assert {name for name in _grounds(pilot.app) if name and name.startswith("#")} == set()


@pytest.mark.parametrize("theme", theme_names(shipped_themes()))
async def test_every_theme_that_is_shipped_opens(theme: str, tmp_path: Path) -> None:
    async with KomodoApp(still_runtime(tmp_path, Settings(theme=theme))).run_test() as pilot:
        await pilot.press("question_mark")
        await until(lambda: len(pilot.app.screen_stack) == 2, "the dialog")


async def test_without_colours_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = KomodoApp(still_runtime(tmp_path), tab="builds")
    assert not any(isinstance(line_filter, Ground) for line_filter in app.get_line_filters())


def test_what_has_colours_keeps_them() -> None:
    ground = Ground(Color.parse("#ffffff"))
    strip = Strip.blank(3).apply_filter(ground, Color.parse("#101010"))
    (segment,) = strip
    assert segment.style is not None
    assert segment.style.bgcolor is not None
    assert segment.style.bgcolor.name == "#101010"
    again = strip.apply_filter(ground, Color.parse("#202020"))
    assert [piece.style for piece in again] == [segment.style]


def _grounds(app: object) -> set[str | None]:
    """The grounds of the tab line."""
    strip = app.screen._compositor.render_strips()[0]  # type: ignore[attr-defined]
    return {s.style.bgcolor.name if s.style is not None and s.style.bgcolor is not None else None for s in strip}


@pytest.mark.parametrize("tab", BUILT)
async def test_ascii_is_ascii_alone(tab: str, tmp_path: Path) -> None:
    async with KomodoApp(still_runtime(tmp_path, Settings(ascii=True)), tab=tab).run_test(size=(120, 40)) as pilot:
        for keys in ((), ("question_mark",), ("escape", "0")):
            await pilot.press(*keys)
            await pilot.pause()
            text = "".join(strip.text for strip in pilot.app.screen._compositor.render_strips())
            assert {sign for sign in text if not sign.isascii()} == set()


def test_graphs_frames_and_arrows_keep_their_width_in_ascii() -> None:
    assert plain("⣿⣀ ▁█ ╭─╮│ → … ⏎ é日") == "#. _# +-+| > ~ / é日"
