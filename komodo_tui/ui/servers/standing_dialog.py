"""The dialog that tells how a server stands, and offers what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from komodo_tui.ui.modals.base import Dialog, button

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult

    from komodo_tui.ui.look import Look
    from komodo_tui.ui.servers.trouble import Report


def report_text(report: Report, look: Look) -> Text:
    """Paragraphs, then labelled facts."""
    style = look.palette.style
    text = Text()
    for part, tone in report.parts:
        text.append(f"{part}\n\n", style(tone))
    width = max((len(label) for label, _, _ in report.facts), default=0) + 2
    for label, value, tone in report.facts:
        text.append(label.ljust(width), style("dim"))
        text.append(f"{value}\n", style(tone))
    text.rstrip()
    return text


class StandingDialog(Dialog[str]):
    """Its result is the id of the step chosen; None when it was only read. Nothing is chosen by Enter alone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "copy", id="standing.copy"),
        Binding("q", "leave", "close", show=False, id="standing.close"),
    ]
    DEFAULT_CSS = """
    StandingDialog > .dialog { width: 84; }
    StandingDialog VerticalScroll { max-height: 70vh; height: auto; scrollbar-size-vertical: 1; }
    """

    def __init__(self, report: Report, copy: Callable[[str, str], None], *, read_only: bool = False) -> None:
        """``copy`` is the app's (text, what it is); ``read_only`` offers nothing that changes."""
        super().__init__(report.title)
        self.report = report
        self._copy = copy
        self._steps = [step for step in report.steps if not read_only or step.id == "retry"]
        self.set_class(report.bad, "-bad")

    def body(self) -> ComposeResult:
        """All of the report."""
        with VerticalScroll():
            yield Static(report_text(self.report, self.look_now))

    def buttons(self) -> list[Button]:
        """Copy, close, and what helps; close has the focus."""
        steps = [button(f"{step.label} ({step.key})", step.id) for step in self._steps]
        return [button("copy (c)", "copy"), *steps, button("close", "close", "primary")]

    def on_mount(self) -> None:
        """The safe choice has the focus."""
        self.query_one("#close").focus()

    def on_key(self, event: events.Key) -> None:
        """The key of a step."""
        step = next((step for step in self._steps if step.key == event.character), None)
        if step is not None:
            event.stop()
            self.dismiss(step.id)

    def action_copy(self) -> None:
        """Copy the text."""
        self._copy(report_text(self.report, self.look_now).plain, "report")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.dismiss(None if event.button.id == "close" else event.button.id)
