"""The merged log of some containers with all around it: headline, opened line, status."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual import on
from textual.containers import Container, Vertical

from komodo_tui.domain.errors import UsageError
from komodo_tui.operations.log_batch import LogTarget
from komodo_tui.ui.logs import record
from komodo_tui.ui.logs.bar import Bar
from komodo_tui.ui.logs.detail import LineDetail
from komodo_tui.ui.logs.finding import Finding
from komodo_tui.ui.logs.follower import Follower
from komodo_tui.ui.logs.gutter import source_marks
from komodo_tui.ui.logs.headline import LogFacts, StatusFacts, headline, status_line
from komodo_tui.ui.logs.ring import LogRing
from komodo_tui.ui.logs.span import LogSpan
from komodo_tui.ui.logs.states import SourceStates
from komodo_tui.ui.logs.view import LogView
from komodo_tui.ui.widgets.filter_bar import FilterBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.timer import Timer
    from textual.worker import Worker

    from komodo_agent.wire.models import Container as EngineContainer
    from komodo_tui.domain.operations import Target
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

FRAME = 0.1
"""Seconds between two paints of a log that grows."""
_MANY = 200
"""Lines in a frame from which it is a flood."""


class LogPane(Vertical):
    """Follows containers and shows their log. It reads nothing while it is asleep."""

    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    LogPane { height: 1fr; width: 1fr; }
    LogPane #log-body { height: 1fr; layout: vertical; }
    .-wide LogPane #log-body { layout: horizontal; }
    .-wide LogPane LineDetail { height: 1fr; width: 50%; }
    LogPane.-zoomed LogView { display: none; }
    LogPane.-zoomed LineDetail { height: 1fr; width: 1fr; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(id=id)
        settings = runtime.settings.logs
        self.runtime = runtime
        self.shell = shell
        self.ring = LogRing(settings.lines, settings.megabytes << 20)
        self.follower = Follower(lambda name: runtime.fleet.link(name).client(), self.ring, shell.now)
        self.span = LogSpan(since=settings.since)
        self._usual: LogSpan | None = None
        """The span to go back to after one around a time."""
        self.view = LogView(self.ring, shell.now, id="log")
        self.view.times = settings.timestamps
        self.view.wrap = settings.wrap
        self.detail = LineDetail(id="log-line")
        self.finding = Finding(self.view, lambda search: self.run_worker(search, group="search"), self._stale)
        self.states = SourceStates()
        self.targets: tuple[Target, ...] = ()
        self._head = Bar(self._headline, id="log-head")
        self._foot = Bar(self._status, id="log-foot")
        self._frames: Timer | None = None
        self._worker: Worker[None] | None = None
        self._seen = (0, 0)
        self._paused_at: int | None = None
        self._behind = 0.0

    def compose(self) -> ComposeResult:
        """Headline, log and the line opened, status, what is looked for."""
        yield self._head
        yield Container(self.view, self.detail, id="log-body")
        yield self._foot
        yield FilterBar("a regular expression, or plain text")

    # -- following ----------------------------------------------------------------------------------------------

    @property
    def following(self) -> bool:
        """Whether containers are followed, be it asleep."""
        return self._worker is not None

    @property
    def bound(self) -> bool:
        """Whether the span was given with the containers: it is not for the next ones."""
        return self._usual is not None

    def follow(self, targets: Sequence[Target], around: tuple[float, float] | None = None) -> None:
        """Show the logs of these instead: the usual span, or so many seconds around a Unix time."""
        self.targets = tuple(targets)
        if self._usual is not None:
            self.span, self._usual = self._usual, None
        if around is not None:
            self._usual, self.span = self.span, LogSpan.around(*around)
        self.begin()

    def begin(self) -> None:
        """Read the part of the logs that is wanted, from its beginning."""
        self.stop()
        if not self.targets:
            return
        targets = [LogTarget(server=t.server, container=t.id or t.name, name=t.name) for t in self.targets]
        try:
            merged = self.follower.prepare(targets, self.span.options(self.shell.now(), self.ring.capacity))
        except UsageError as error:
            self.shell.show_error(error)
            return
        self.view.marks = source_marks(merged.targets)
        self.view.one_server = len({target.server for target in targets}) == 1
        self.states.clear()
        self.states.look(merged.targets, self.runtime.fleet.state.servers)
        self.view.selection = None
        self.view.viewport.to_end()
        self._paused_at = None
        self.detail.hide()
        self._worker = self.run_worker(partial(self.follower.run, merged), group="follow", exclusive=True)
        self.redraw()
        self.refresh_bindings()

    def stop(self) -> None:
        """Follow no more; what was read stays to be seen."""
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None

    def wake(self) -> None:
        """It is on screen: read, and draw what comes."""
        self.follower.go_on()
        if self._frames is None:
            self._frames = self.set_interval(FRAME, self._frame)
        self._frames.resume()
        self.redraw()

    def sleep(self) -> None:
        """It is off screen: what comes waits at the servers."""
        self.follower.hold()
        if self._frames is not None:
            self._frames.pause()

    def look_at_containers(self) -> None:
        """The fleet changed: say what stopped and started, go on with logs that had ended of containers that run."""
        for at, message in self.states.look(self.follower.targets, self.runtime.fleet.state.servers):
            self.follower.tell(message, at)
        if not self.span.until:
            for tag in (self.follower.ended & self.states.running) - self.follower.gone:
                self.follower.reopen(tag)
            for tag, container in self.states.successors.items():
                self._succeed(self.follower.targets[tag], tag, container)
        self.sync_bars()

    def _succeed(self, old: LogTarget, tag: bytes, container: EngineContainer) -> None:
        """Go on with the container that took the place of another, under its name and colour."""
        new = self.follower.add(LogTarget(server=old.server, container=container.id, name=old.name))
        if new is not None:
            self.view.marks = {**self.view.marks, new: self.view.marks[tag]}
        self.targets = tuple(
            replace(target, id=container.id) if target.server == old.server and target.id == old.container else target
            for target in self.targets
        )

    # -- drawing ------------------------------------------------------------------------------------------------

    def _stale(self) -> None:
        """Something was found: the next frame tells."""
        self._seen = (-1, -1)

    def _frame(self) -> None:
        now = (self.ring.end, self.follower.version)
        if now != self._seen:
            if self._seen[0] >= 0:
                self._behind = self._measure(now[0] - self._seen[0])
            self._seen = now
            self.view.grown()
            self.finding.grown()
            self.sync_bars()
        self.view.tick()

    def _measure(self, came: int) -> float:
        """Seconds the newest line is old, while more come than anybody reads: a backlog is being caught up with."""
        if came < _MANY:
            return 0.0
        time = record.unix(record.parse(self.ring.line(self.ring.end - 1)).time)
        return max(0.0, self.shell.now() - time) if time is not None else 0.0

    def redraw(self) -> None:
        """Everything: a setting or the theme changed."""
        self.view.restyle()
        self.sync_bars()

    def sync_bars(self) -> None:
        """What the lines above and below say."""
        self._head.sync()
        self._foot.sync()

    def _headline(self, width: int) -> tuple[Span, ...]:
        flags = (("wrap", self.view.wrap), ("json", self.view.fold_json))
        facts = LogFacts(
            sources=tuple(dict.fromkeys(self.view.marks.values())), span=self.span.text, state=self._state(),
            flags=tuple(name for name, on in flags if on), kept=len(self.ring), capacity=self.ring.capacity,
            dropped=self.ring.dropped, away=tuple(self.follower.away), behind=self._behind,
            lost_lines=self.follower.lost_lines, lost_bytes=self.follower.lost_bytes,
            stopped=frozenset(self.view.marks[tag].name for tag in self.states.stopped),
        )  # fmt: skip
        return headline(facts, width, self.shell.look.glyphs)

    def _state(self) -> str:
        if not self.targets:
            return "IDLE"
        if self.follower.over:
            return "ENDED"
        if not self.view.viewport.follow:
            return "PAUSED"
        return "FOLLOW" if self.follower.caught_up or len(self.ring) else "CONNECTING"

    def _status(self, width: int) -> tuple[Span, ...]:
        pattern, matches = self.finding.pattern, self.finding.matches
        facts = StatusFacts(
            paused=self._paused_at is not None, missed=self.ring.end - (self._paused_at or 0),
            selected=self.view.selected_count(), pattern=pattern.source if pattern is not None else "",
            position=self.finding.position(), matches=len(matches) if matches is not None else 0,
            complete=matches is None or matches.complete, hiding=self.finding.hiding, note=self._note(),
        )  # fmt: skip
        return status_line(facts, width, self.shell.look.glyphs)

    def _note(self) -> str:
        if not self.targets:
            return "no container chosen: press l on one in Containers, or L on marked ones"
        if not len(self.ring) and self.follower.caught_up:
            return f"nothing yet ({self.span.text}): }} begins earlier, r asks for more"
        return self.finding.pattern.reason if self.finding.pattern is not None else ""

    # -- the line opened ----------------------------------------------------------------------------------------

    @on(LogView.Moved)
    def _moved(self) -> None:
        if self.view.viewport.follow:
            self._paused_at = None
        elif self._paused_at is None:
            self._paused_at = self.ring.end
        if self.detail.open:
            self._show_detail()
        self.sync_bars()

    @on(LogView.Opened)
    def _opened(self) -> None:
        if self.detail.open:
            self.detail.focus_body()
        else:
            self._show_detail()

    def _show_detail(self) -> None:
        number = self.view.cursor
        if number is None or not self.ring.first <= number < self.ring.end:
            return
        line = self.ring.line(number)
        mark = self.view.marks.get(line[:2])
        self.detail.show(line, mark.name if mark is not None else "")

    def close_detail(self) -> None:
        """Shut the opened line."""
        self.remove_class("-zoomed")
        self.detail.hide()
        self.view.focus()

    def zoom(self) -> bool:
        """Give the opened line the whole page, or take it back. Returns whether one is open."""
        if not self.detail.open:
            return False
        self.toggle_class("-zoomed")
        if self.has_class("-zoomed"):
            self.detail.focus_body()
        else:
            self.view.focus()
        return True
