"""The program on the screen: one screen, its pages, the frame tick. What it offers to pages is :mod:`.shell`."""

from __future__ import annotations

import gc
import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Static

from komodo_tui.ui.alerts.header import alert_spans, watch_alerts
from komodo_tui.ui.builds.going_on import go_on_with_builds
from komodo_tui.ui.chords import Chord, Chords, WhichKey
from komodo_tui.ui.commands import terminals_of
from komodo_tui.ui.pages import PAGES, load_ahead
from komodo_tui.ui.paging import PagingApp
from komodo_tui.ui.private import GatedScreen, settle_garbage
from komodo_tui.ui.render.summary import count, fleet_line
from komodo_tui.ui.theme import stylesheet
from komodo_tui.ui.ticker import POLL, Ticker
from komodo_tui.ui.typeahead import edit_of
from komodo_tui.ui.watching import keep_watching, watch_spans
from komodo_tui.ui.widgets.footer import HintFooter
from komodo_tui.ui.widgets.header import FleetLine, TabLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.screen import Screen

    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.runtime import Runtime

SMALLEST = (40, 10)
"""Columns and rows below which nothing useful fits."""
_SWITCH = 0.0005
"""Seconds after which a thread that works (a search of a log, say) lets the loop go on. Python's own 5 ms are paid
each time the loop comes back from a system call, some of them in each paint."""


class KomodoApp(PagingApp):
    """Also the :class:`~komodo_tui.ui.shell.Shell` of its pages."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "komodo-tui"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-mid"), (160, "-wide")]  # noqa: RUF012  declared so by Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    CSS = stylesheet()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "help", key_display="?", id="app.help"),
        Binding("colon,ctrl+p", "palette", "go", key_display=":", id="app.palette"),
        Binding("escape,q", "back", "back", key_display="Esc", show=False, id="app.back"),
        Binding("minus", "last_page", "last view", show=False, key_display="-", id="app.last"),
        Binding("z,plus,underscore", "zoom", "zoom the pane", show=False, id="app.zoom"),
        Binding("ctrl+r", "reconnect", "reconnect", show=False, key_display="^R", id="app.reconnect"),
        Binding("ctrl+q", "quit", "quit", show=False, priority=True, id="app.quit"),
        Binding("w", "what_happened", "what happened", show=False, id="app.happened"),
        Binding("T", "go('terminals')", "terminals", show=False, id="app.terminals"),
        Binding("grave_accent", "drawer", "terminal drawer", show=False, key_display="`", id="app.drawer"),
        Binding("0", "more", "more tabs", show=False, id="tab.more"),
        *(
            Binding(spec.key, f"go('{spec.id}')", spec.title, show=False, id=f"tab.{spec.id}")
            for spec in PAGES
            if spec.key
        ),
    ]

    def __init__(
        self, runtime: Runtime, *, tab: str = "servers", now: Callable[[], float] = time.time,
        driver_class: Any = None,
    ) -> None:  # fmt: skip
        """``tab`` is the id of the page to begin with; ``now`` gives Unix time."""
        super().__init__(runtime, now=now, driver_class=driver_class)
        self._first = tab
        self._ticker: Ticker | None = None
        self.loads_ahead = False
        """Whether the pages that nobody asked for yet are imported in idle time."""

    # -- screen -------------------------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[None]:
        """The one screen."""
        return GatedScreen(id="_default")

    def compose(self) -> ComposeResult:
        """Tabs, fleet, page, footer."""
        yield TabLine(id="tabs")
        yield FleetLine(id="fleet")
        yield Container(id="pages")
        yield WhichKey(id="which-key")
        yield HintFooter(id="footer")
        yield Static(f"komodo-tui needs {SMALLEST[0]} columns and {SMALLEST[1]} rows.", id="too-small", markup=False)

    def on_mount(self) -> None:
        """Show the first page; connect after it has been painted."""
        self._chords = Chords(self.query_one(WhichKey), self.chords())
        self.go(self._first)
        self.call_after_refresh(self._begin)

    def on_resize(self, event: events.Resize) -> None:
        """Say so where nothing useful fits."""
        tiny = event.size.width < SMALLEST[0] or event.size.height < SMALLEST[1]
        self.screen_stack[0].set_class(tiny, "-tiny")

    def _begin(self) -> None:
        settle_garbage()
        self._ticker = Ticker(self.runtime.fleet.state.subscribe(), self._commit, self.runtime.settings.refresh)
        self.set_interval(POLL, self._poll)
        self.work(self.begin())
        self.work(go_on_with_builds(self.runtime, self))
        self.work(watch_alerts(self, self.runtime, self.now, self.show_fleet))
        self.work(keep_watching(self, self.show_fleet))
        if self.loads_ahead:
            self.work(load_ahead())
        if self.runtime.settings.keymap:
            self.work(self.use_keymap(self.runtime.settings.keymap))
        if self._theme_error is not None:
            self.show_error(self._theme_error)

    def _poll(self) -> None:
        if self._ticker is not None and self.is_running and self.screen_stack[0].is_attached:
            self._ticker.poll(time.monotonic())

    async def on_unmount(self) -> None:
        """End what was begun."""
        if self._ticker is not None:
            self._ticker.close()
        if "komodo_tui.ui.terminal.manager" in sys.modules:
            await terminals_of(self).close_all()
        await self.runtime.close()

    def _commit(self, changes: Changes) -> None:
        self.show_fleet()
        if self._current is not None:  # also under a dialog: what is taken now is not told again
            self._current.tick(changes)

    def show_fleet(self) -> None:
        """Servers and containers at the left, what is wrong and what runs at the right."""
        left = fleet_line(count(self.runtime.fleet.state.servers.values()), self._glyphs)
        right: list[Span] = [*alert_spans(self, self.runtime, self.now, self._glyphs)]
        right += watch_spans(self, self._glyphs)
        if self.acts.under_way:
            right.append((f"{self._glyphs.busy} {self.acts.under_way} running  ", "busy"))
        if self.runtime.settings.read_only:
            right.append(("READ-ONLY ", "warn bold"))
        self.query_one(FleetLine).show(left, tuple(right))

    async def on_event(self, event: events.Event) -> None:
        """Look for chords before a key goes its way; keys wait for a field that is about to open."""
        plain = getattr(event, "plain", ())
        if plain and not getattr(self.focused, "takes_exact_keys", False):
            for key in plain:  # typed while a terminal took the keys, which it does no more
                await self.on_event(key)
            return
        if isinstance(event, events.Key) and not event.is_forwarded:
            if self._ahead.take(event) or self._is_chord(event):
                return
            self._ahead.sent(event)
            page = self._goes_to(event)
            if page:
                self._ahead.wait_for_page(lambda: self._shows(page))
            field, edit = self.focused, edit_of(self.focused, event.key)
            if field is not None and edit:
                if not await self._check_bindings(event.key, priority=True):
                    field.call_later(self.run_action, edit, field)  # behind the letters that are on their way to it
                return
        await super().on_event(event)
        if isinstance(event, events.Key) and event.is_forwarded:
            self._ahead.came_round(event)

    def _goes_to(self, event: events.Key) -> str:
        """The page that the key shows, where it is another one: what is typed behind it is meant for that."""
        if len(self.screen_stack) > 1 or self._current is None or self._takes(event):
            return ""
        active = self.screen.active_bindings.get(event.key)
        action = active.binding.action if active is not None and active.enabled else ""
        page = action.removeprefix("go('").removesuffix("')") if action.startswith("go('") else ""
        return page if page != self._page_id(self._current) else ""

    def _is_chord(self, event: events.Key) -> bool:
        return (
            len(self.screen_stack) == 1
            and self._current is not None
            and not self._takes(event)
            and self._chords.take(event.character or event.key)
        )

    def _takes(self, event: events.Key) -> bool:
        """Whether the focused widget wants the key as text."""
        focused = self.focused
        if focused is None:
            return False
        return bool(getattr(focused, "captures_keys", False)) or focused.check_consume_key(event.key, event.character)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No key of ours works while a widget (a terminal pane) captures all of them."""
        return not getattr(self.focused, "captures_keys", False)

    def chords(self) -> dict[str, dict[str, Chord]]:
        """The two-key commands, by their first key."""
        return {"g": self._go_chords()}

    def _go_chords(self) -> dict[str, Chord]:
        chords = {"g": Chord("first row", lambda: self._table_first())}
        for spec in PAGES:
            chords[spec.letter] = Chord(spec.title, lambda page=spec.id: self.go(page))  # type: ignore[misc]
        return chords

    def _table_first(self) -> None:
        first = getattr(self.focused, "action_first", None)
        if first is not None:
            first()

    # -- keys ---------------------------------------------------------------------------------------------------

    async def action_back(self) -> None:
        """One level back; at the top, say how to quit."""
        if self._current is not None and not self._current.back():
            self.flash("^Q quits", "dim")

    def action_zoom(self) -> None:
        """Give the focused pane all the room, or take it back."""
        if self._current is not None:
            self._current.zoom()


def run(runtime: Runtime, *, tab: str = "servers") -> int:
    """Run the program until the person quits; returns its exit code."""
    gc.disable()  # until the first paint
    sys.setswitchinterval(_SWITCH)
    app = KomodoApp(runtime, tab=tab)
    app.loads_ahead = True
    app.run(mouse=runtime.settings.mouse)
    return app.return_code or 0
