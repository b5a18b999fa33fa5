"""The Logs page: the logs of one or several containers as one, followed live."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from komodo_tui.domain.errors import UsageError
from komodo_tui.operations.log_batch import LogTarget
from komodo_tui.ui.logs.follower import Follower
from komodo_tui.ui.logs.gutter import SOURCES, TIMES, source_marks
from komodo_tui.ui.logs.headline import LogFacts, StatusFacts, headline, status_line
from komodo_tui.ui.logs.open import take_wanted
from komodo_tui.ui.logs.ring import LogRing
from komodo_tui.ui.logs.span import LogSpan
from komodo_tui.ui.logs.view import LogView
from komodo_tui.ui.page import Page
from komodo_tui.ui.widgets.header import strip_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.strip import Strip
    from textual.timer import Timer
    from textual.worker import Worker

    from komodo_tui.domain.operations import Target
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

FRAME = 0.1
"""Seconds between two paints of a log that grows."""


class _Bar(Widget):
    """One line whose text depends on its width."""

    DEFAULT_CSS = "_Bar { height: 1; } _Bar.-none { display: none; }"

    def __init__(self, spans: Callable[[int], tuple[Span, ...]], *, id: str) -> None:
        super().__init__(id=id)
        self._spans = spans
        self._shown: tuple[Span, ...] = ()

    def sync(self) -> None:
        """Draw it if it says something else now; take no room for nothing."""
        spans = self._spans(self.size.width or self.app.size.width)
        self.set_class(not spans, "-none")
        if spans != self._shown:
            self._shown = spans
            self.refresh()

    def on_resize(self) -> None:
        """Fit it anew."""
        self.sync()

    def render_line(self, y: int) -> Strip:
        """The line."""
        return strip_of(self._shown, self.size.width, self)


class LogsPage(Page):
    """Shows what :func:`~komodo_tui.ui.logs.open.open_logs` asked for."""

    TITLE = "Logs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "follow", id="logs.follow"),
        Binding("w", "wrap", "wrap", id="logs.wrap"),
        Binding("t", "times", "time", id="logs.times"),
        Binding("right_curly_bracket,right_parenthesis", "since(1)", "since", key_display="{ }", id="logs.longer"),
        Binding("left_curly_bracket,left_parenthesis", "since(-1)", show=False, id="logs.shorter"),
        Binding("vertical_line", "sources", "source", key_display="|", id="logs.sources"),
    ]

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        settings = runtime.settings.logs
        self.ring = LogRing(settings.lines, settings.megabytes << 20)
        self.follower = Follower(lambda name: runtime.fleet.link(name).client(), self.ring, shell.now)
        self.span = LogSpan(since=settings.since)
        self.view = LogView(self.ring, shell.now, id="log")
        self.view.times = settings.timestamps
        self.view.wrap = settings.wrap
        self._targets: tuple[Target, ...] = ()
        self._head = _Bar(self._headline, id="log-head")
        self._foot = _Bar(self._status, id="log-foot")
        self._frames: Timer | None = None
        self._worker: Worker[None] | None = None
        self._on_screen = False
        self._seen = (0, 0)
        self._paused_at = 0

    def compose(self) -> ComposeResult:
        """Headline, log, status."""
        yield self._head
        yield self.view
        yield self._foot

    # -- coming and going ---------------------------------------------------------------------------------------

    def reveal(self, target: Target) -> None:
        """Follow this container, or those that were asked for with it; what is followed already goes on."""
        targets = take_wanted(self.app) or (target,)
        if targets == self._targets and self._worker is not None:
            return
        self._targets = targets
        self._stop()
        if self._on_screen:
            self._begin()

    def on_page_show(self) -> None:
        """Follow, and give the log all the room of a short screen."""
        self._on_screen = True
        self._chrome()
        self.view.focus()
        self.follower.go_on()
        if self._targets and self._worker is None:
            self._begin()
        if self._frames is None:
            self._frames = self.set_interval(FRAME, self._frame)
        self._frames.resume()
        self._sync()

    def on_page_hide(self) -> None:
        """Read no more; what comes waits at the servers until the page is back."""
        self._on_screen = False
        self._chrome()
        self.follower.hold()
        if self._frames is not None:
            self._frames.pause()

    def on_resize(self) -> None:
        """A short screen has no room for tabs."""
        if self._on_screen:
            self._chrome()

    def _chrome(self) -> None:
        hidden = self._on_screen and self.screen.has_class("-short")
        self.screen.query("#tabs, #fleet").set(display=not hidden)

    def back(self) -> bool:
        """Selection, then the page before; there the log is followed no more."""
        if self.view.clear_selection():
            return True
        self._stop()
        self.call_later(self.app.run_action, "app.last_page")
        return True

    def _begin(self) -> None:
        targets = [LogTarget(server=t.server, container=t.id or t.name, name=t.name) for t in self._targets]
        try:
            options = self.span.options(self.shell.now(), self.ring.capacity)
            merged = self.follower.prepare(targets, options)
        except UsageError as error:
            self.shell.show_error(error)
            return
        self.view.marks = source_marks(merged.targets, servers=True)
        self.view.viewport.to_end()
        self.view.restyle()
        self._worker = self.run_worker(self.follower.run(merged), group="follow", exclusive=True)

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None

    def tick(self, changes: Changes) -> None:
        """Take up containers that were started again."""
        if not self.follower.ended or self.span.until:
            return
        servers = self.runtime.fleet.state.servers
        for tag in self.follower.ended:
            target = self.follower.targets[tag]
            live = servers.get(target.server)
            container = live.containers.get(target.container) if live is not None else None
            if live is not None and live.engine_live and container is not None and container.state == "running":
                self.follower.reopen(tag)

    # -- frames -------------------------------------------------------------------------------------------------

    def _frame(self) -> None:
        now = (self.ring.end, self.follower.version)
        if now != self._seen:
            self._seen = now
            self.view.grown()
            self._bars()
        self.view.tick()

    def _sync(self) -> None:
        self.view.sync()
        self._bars()

    def _bars(self) -> None:
        self._head.sync()
        self._foot.sync()

    def _headline(self, width: int) -> tuple[Span, ...]:
        flags = [("wrap", self.view.wrap), ("json", self.view.fold_json)]
        facts = LogFacts(
            sources=tuple(source_marks(self.follower.targets, servers=True).values()), span=self.span.text,
            state=self._state(), flags=tuple(name for name, on in flags if on), kept=len(self.ring),
            capacity=self.ring.capacity, dropped=self.ring.dropped, away=tuple(self.follower.away),
        )  # fmt: skip
        return headline(facts, width, self.shell.look.glyphs)

    def _state(self) -> str:
        if self.follower.over:
            return "ENDED"
        if not self.view.viewport.follow:
            return "PAUSED"
        return "FOLLOW" if self.follower.caught_up or len(self.ring) else "CONNECTING"

    def _status(self, width: int) -> tuple[Span, ...]:
        paused = not self.view.viewport.follow
        facts = StatusFacts(paused=paused, missed=self.ring.end - self._paused_at if paused else 0)
        return status_line(facts, width, self.shell.look.glyphs)

    @on(LogView.Moved)
    def _moved(self) -> None:
        if self.view.viewport.follow:
            self._paused_at = 0
        elif not self._paused_at:
            self._paused_at = self.ring.end
        self._bars()

    # -- keys ---------------------------------------------------------------------------------------------------

    def action_follow(self) -> None:
        """Follow, or stop following."""
        self.view.action_follow()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.view.wrap = not self.view.wrap
        self._restyled()

    def action_times(self) -> None:
        """No times, relative ones, absolute ones."""
        self.view.times = TIMES[(TIMES.index(self.view.times) + 1) % len(TIMES)]
        self._restyled()

    def action_sources(self) -> None:
        """No source column, a sign, a name."""
        if len(self.view.marks) < 2:
            self.shell.flash("one container alone needs no source column", "dim")
        self.view.sources = SOURCES[(SOURCES.index(self.view.sources) + 1) % len(SOURCES)]
        self._restyled()

    def _restyled(self) -> None:
        self.view.restyle()
        self._bars()

    def action_since(self, sign: int) -> None:
        """Begin earlier or later."""
        span = self.span.stepped(sign)
        if span != self.span:
            self.span = span
            self._begin()
            self._sync()

    def restyle(self) -> None:
        """New colours."""
        self.view.restyle()
        self._bars()
