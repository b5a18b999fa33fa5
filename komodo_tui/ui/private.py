"""Everything of Textual 8.2.8 that is not public and we use all the same. Each has a test that fails when it moves.

* the leak of ``StylesCache`` (Textual #6665): an ``lru_cache`` on a method keeps closed screens alive;
* frames that pile up before a slow terminal: the writer's queue blocks the event loop;
* the size of what a table scrolls over: setting it lays out and repaints the whole screen;
* the garbage collector's pauses: frozen after the first paint, rarer afterwards;
* the clipboard inside of the program, which can be set only together with the terminal's;
* the crash report: Textual's own prints the locals, which may hold secrets.
"""

from __future__ import annotations

import gc
import os
import time
import traceback
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from textual._styles_cache import StylesCache
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App
    from textual.color import Color
    from textual.filter import LineFilter
    from textual.geometry import Size
    from textual.scroll_view import ScrollView


@lru_cache(1024)
def _inner_outer(base_background: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base_background + background), Style(background=base_background)


def _get_inner_outer(_: StylesCache, base_background: Color, background: Color) -> tuple[Style, Style]:
    return _inner_outer(base_background, background)


def patch_styles_cache() -> None:
    """Key the cache by the two colours alone, not by the cache object that asks."""
    StylesCache.get_inner_outer = _get_inner_outer  # type: ignore[method-assign, assignment]


def queued_writes(app: App[Any]) -> int:
    """Writes that wait for the terminal; 0 where the driver has no queue (tests)."""
    thread = getattr(app._driver, "_writer_thread", None)
    return 0 if thread is None else int(thread._queue.qsize())


class GatedScreen(Screen[None]):
    """The one screen of the app: paints no frame while the last one still waits for the terminal.

    What is dirty stays dirty, so when the terminal has caught up it gets the newest state, not the history.
    """

    def _on_timer_update(self) -> None:
        if queued_writes(self.app):
            return  # the timer stays on and asks again
        super()._on_timer_update()


def resize_content(view: ScrollView, size: Size) -> None:
    """Set ``virtual_size``. The screen is laid out again only if that shows or hides a scroll bar."""
    view.set_reactive(Widget.virtual_size, size)
    view._scroll_update(size)


def settle_garbage() -> None:
    """After the first paint: what lives now lives on; collect the rest rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


def use_attributes_only(app: App[Any]) -> None:
    """NO_COLOR as people mean it: no colour at all. Textual would turn colours to grey."""
    from textual.filter import Monochrome, NoColor

    kept: list[LineFilter] = [filter for filter in app._filters if not isinstance(filter, Monochrome | NoColor)]
    app._filters = [*kept, NoColor()]


def keep_copied(app: App[Any], text: str) -> None:
    """Have it for what pastes in this program. The public way writes it to the terminal too, in its own manner."""
    app._clipboard = text


def write_crash(error: BaseException, folder: Path) -> Path | None:
    """The traceback, without any values, in a file only its owner may read. None when it cannot be written."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    text = "".join(traceback.format_exception(error))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        return None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path
