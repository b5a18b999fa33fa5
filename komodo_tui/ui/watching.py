"""Whether somebody watches, as the screens show it; and this program's own watching, while it is told to."""

from __future__ import annotations

import asyncio
import importlib
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import msgspec

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.text import clean
from komodo_tui.watch.follow import ServerFollower, SettingsFollower
from komodo_tui.watch.host import WatchHost
from komodo_tui.watch.turn import WatchTurn

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.services import ServiceApp
    from komodo_tui.watch.ahead import Ahead

_AGAIN = 10.0
"""Seconds between two looks at what would run by itself."""
_KEPT = 200
SETTING = "watch_here"


class Watching:
    """One of an app. ``listeners`` are told when something of it is other than before."""

    def __init__(self, runtime: Runtime, now: Callable[[], float], flash: Callable[[str, str], None]) -> None:
        """``flash`` shows something short."""
        self._runtime = runtime
        self._now = now
        self._flash = flash
        self._wake = asyncio.Event()
        host_runtime: Any = runtime  # with alerts: nothing is run where there are none, see :func:`keep_watching`
        turn = WatchTurn(runtime.state_dir.root, "tui", runtime.actor.name)
        self.host = WatchHost(host_runtime, turn, self._said, self._changed)
        self.ahead: Ahead | None = None
        """What would run by itself; None while that is not known."""
        self.said: deque[tuple[float, str]] = deque(maxlen=_KEPT)
        """What this program's own watching said, with Unix times."""
        self.listeners: list[Callable[[], None]] = []

    @property
    def missed(self) -> bool:
        """Whether nobody watches though something would have to run."""
        return self.host.read and self.host.holder is None and self.ahead is not None and self.ahead.anything

    @property
    def pushes(self) -> int:
        """How many pushes this program acts on now."""
        return self.ahead.acting if self.host.ours and self.ahead is not None else 0

    async def run(self) -> None:
        """Until cancelled."""
        follower = SettingsFollower(self._runtime.state_dir.settings, self._runtime, self._told)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.host.run(), name="watch host")
            tasks.create_task(follower.run(), name="settings")
            tasks.create_task(ServerFollower(self._runtime).run(), name="servers")
            while True:
                await self._read()
                self._wake.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_AGAIN):
                        await self._wake.wait()

    async def switch(self, on: bool) -> None:
        """Run it here from now on, or no more; kept in the settings file. Raises StoreError, UsageError."""
        from komodo_tui.store.settings_file import set_line  # late: it loads the YAML parser

        await asyncio.to_thread(set_line, self._runtime.state_dir.settings, SETTING, "true" if on else "false")
        self._runtime.use_settings(msgspec.structs.replace(self._runtime.settings, watch_here=on))
        self.host.look()

    def look(self) -> None:
        """Read again now what would run by itself."""
        self._wake.set()

    async def _read(self) -> None:
        module = await asyncio.to_thread(importlib.import_module, "komodo_tui.watch.ahead")  # late: not at the start
        before = self.ahead
        with suppress(KomodoError):  # who reads the definitions for more than this tells of it
            self.ahead = await asyncio.to_thread(module.ahead, self._runtime, self._now())
        if before != self.ahead:
            self._tell()

    def _changed(self) -> None:
        self._wake.set()
        self._tell()

    def _tell(self) -> None:
        for listener in list(self.listeners):
            listener()

    def _said(self, text: str) -> None:
        self.said.append((self._now(), clean(text)))
        self._tell()

    def _told(self, text: str) -> None:
        self._flash(clean(text), "info")
        self._changed()


_OF: WeakKeyDictionary[App[int], Watching] = WeakKeyDictionary()


def watching_of(app: ServiceApp) -> Watching | None:
    """The one of an app, made at the first call; None where no alerts are kept, and nothing runs by itself."""
    watching = _OF.get(app)
    if watching is None and app.runtime.alerts is not None:
        watching = _OF[app] = Watching(app.runtime, app.now, app.flash)
    return watching


async def keep_watching(app: ServiceApp, changed: Callable[[], None]) -> None:
    """Look, and run it where that is this program's turn, until cancelled; ``changed``: it is other than before."""
    watching = watching_of(app)
    if watching is not None:
        watching.listeners.append(changed)
        await watching.run()


def watch_spans(app: ServiceApp, glyphs: Glyphs) -> tuple[Span, ...]:
    """``▲ nobody watches`` where something would be missed, ``● watching`` where it is this program that runs it;
    ``▲ the watch hangs``."""
    watching = _OF.get(app)
    if watching is None:
        return ()
    holder = watching.host.holder
    if holder is not None and holder.stalled(app.now()):
        return ((f"{glyphs.warn} the watch hangs  ", "warn"),)
    if watching.host.ours:
        return ((f"{glyphs.ok} watching  ", "ok"),)
    if watching.host.trouble or watching.missed:
        return ((f"{glyphs.warn} nobody watches  ", "warn"),)
    return ()


async def run_here(app: ServiceApp) -> None:
    """Run it in this program from now on, after a question that says what begins. Raises StoreError."""
    watching, settings = watching_of(app), app.runtime.settings
    if watching is None or settings.read_only:
        app.flash("nothing runs by itself in read-only mode", "warn")
        return
    if settings.watch_here:
        app.flash("it is switched on already: see Schedules for who watches", "info")
        return
    from komodo_tui.ui.modals.watch_here import WatchHereDialog  # late: asked once, if ever
    from komodo_tui.watch.ahead import ahead

    now = app.now()
    found = await asyncio.to_thread(ahead, app.runtime, now)
    if await app.ask(WatchHereDialog(found, settings.webhooks, now)):
        await watching.switch(on=True)


async def stop_here(app: ServiceApp) -> None:
    """Run it in this program no more. Raises StoreError."""
    watching = watching_of(app)
    if watching is not None:
        await watching.switch(on=False)
        app.flash("this program runs nothing by itself any more", "info")
