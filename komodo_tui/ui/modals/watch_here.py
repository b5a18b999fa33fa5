"""Asked before the program on the screen begins to run what runs by itself: all that would begin stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Button, Static

from komodo_tui.domain.units import count_text
from komodo_tui.ui.modals.base import Dialog, button
from komodo_tui.watch.ahead import next_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult

    from komodo_tui.domain.settings import WebhookSettings
    from komodo_tui.watch.ahead import Ahead


class WatchHereDialog(Dialog[bool]):
    """Its result is True for yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "run it", id="watch_here.yes"),
        Binding("n,q", "leave", "no", show=False, id="watch_here.no"),
    ]

    def __init__(self, ahead: Ahead, webhooks: WebhookSettings, now: float) -> None:
        """``ahead``: what there is to run; ``now``: Unix time."""
        super().__init__("Run schedules, pushes and syncs here?")
        self._ahead, self._webhooks, self._now = ahead, webhooks, now

    def body(self) -> ComposeResult:
        """What begins, and until when."""
        style, glyphs = self.look_now.palette.style, self.look_now.glyphs
        text = Text("While this program is open and no komodo-tui watch runs, it does by itself:\n\n")
        for line, at_once in self._lines():
            mark, tone = (glyphs.warn, "warn") if at_once else (glyphs.dot, "")
            text.append(f"{mark} ", style(tone))
            text.append(f"{line}\n", style(tone))
        text.append(
            "\nIt is kept in config.yaml and holds for each start. A komodo-tui watch that is started takes over; "
            "read-only mode never runs anything.",
            style("dim"),
        )
        yield Static(text, classes="dialog-text")

    def _lines(self) -> Iterator[tuple[str, bool]]:
        """What is there, and whether it begins at once."""
        ahead = self._ahead
        following = next_text(ahead, self._now)
        if ahead.schedules:
            yield "; ".join(filter(None, (f"runs {count_text(ahead.schedules, 'schedule')}", following))), False
        if ahead.caught_up:
            yield f"runs now what was missed: {', '.join(ahead.caught_up)}", True
        if ahead.polled:
            yield f"looks at {count_text(ahead.polled, 'repo')} for pushes, and acts on them", False
        if ahead.hooks:
            yield f"takes webhooks of {count_text(ahead.hooks, 'repo')} on {self._webhooks.listen}", False
        if ahead.pushes:
            yield f"acts now on {count_text(ahead.pushes, 'push', 'pushes')} that wait", True
        if ahead.syncs:
            yield f"looks now at syncs and applies what differs: {', '.join(ahead.syncs)}", True
        if ahead.looked:
            yield f"looks at {count_text(ahead.looked, 'sync')}, and changes nothing", False
        if ahead.alerters:
            yield f"sends alerts to {count_text(ahead.alerters, 'alerter')}", False
        if not ahead.anything and not ahead.alerters:
            yield "nothing yet: what is defined later is run then", False

    def buttons(self) -> list[Button]:
        """No stands first and has the focus."""
        return [button("cancel", "no"), button("run it (y)", "yes", "error")]

    def on_mount(self) -> None:
        """Enter leaves."""
        self.query_one("#no").focus()

    @on(Button.Pressed, "#yes")
    def action_yes(self) -> None:
        """Run it."""
        self.dismiss(True)

    @on(Button.Pressed, "#no")
    def _no(self) -> None:
        self.dismiss(None)
