"""An act under way: each step's state and the output, live. Leaving it leaves the act alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from komodo_tui.ui.begun import begin
from komodo_tui.ui.modals.base import Dialog, button

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.app import ComposeResult

    from komodo_tui.domain.operations import ActionRecord, Plan
    from komodo_tui.operations.progress import StepProgress
    from komodo_tui.ui.look import Look

_KEPT = 400
"""Lines of output kept here; the Actions tab has them all."""


class ProgressDialog(Dialog[None]):
    """Fed by :meth:`report`, ended by :meth:`finish`; both may come while it is not on screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "hide, it goes on", id="progress.hide"),
        Binding("X", "stop", "stop it", id="progress.stop"),
    ]
    DEFAULT_CSS = """
    ProgressDialog > .dialog { width: 100; }
    ProgressDialog #steps { height: auto; }
    ProgressDialog VerticalScroll { height: 14; max-height: 50vh; background: $background; margin: 1 0 0 0; }
    """

    def __init__(self, plan: Plan, cancel: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        super().__init__(plan.title)
        self._cancel = cancel
        self._act = ""
        self._ended = False
        self._steps: dict[int, StepProgress] = {}
        self._targets = [str(step.target) for step in plan.steps]
        self._several = len({step.target.server for step in plan.steps}) > 1
        self._lines: list[str] = []

    def body(self) -> ComposeResult:
        """A line for each step, then the output."""
        yield Static(id="steps")
        with VerticalScroll(can_focus=True):
            yield Static(id="output")

    def buttons(self) -> list[Button]:
        """Two ways out."""
        return [button("stop it (X)", "stop"), button("hide (Esc)", "hide", "primary")]

    def on_mount(self) -> None:
        """Show what came before it was on screen."""
        self.query_one("#hide").focus()
        self.query_one("#stop").display = not self._ended
        self._draw()

    def report(self, step: StepProgress) -> None:
        """One step moved."""
        self._act = step.act
        self._steps[step.index] = step
        whose = f"{step.target.server} {self.look_now.glyphs.vertical} " if self._several else ""
        if step.output:
            self._lines.extend(f"{whose}{line}" for line in step.output.splitlines())
            del self._lines[:-_KEPT]
        elif step.text and (not self._lines or self._lines[-1] != f"{whose}{step.text}"):
            self._lines.append(f"{whose}{step.text}")
        self._draw()

    def finish(self, record: ActionRecord) -> None:
        """The act ended."""
        self._ended = True
        for step in record.steps:
            if not step.ok:
                said = bool(self._lines) and self._lines[-1].endswith(step.error)
                self._lines += [] if said else [f"{step.target}: {step.error}"]
                self._lines += [step.hint] if step.hint else []
        outcome = str(record.outcome).replace("_", " ")
        said = any(record.summary in line for line in self._lines[-3:])
        self._lines.append(outcome if said else f"{outcome}: {record.summary}")
        self._draw()
        if self._is_there:
            self.query_one("#hide", Button).label = Text("close")
            self.query_one("#stop", Button).display = False
            self.query_one(".dialog").border_subtitle = Text(f" {outcome} ")
            self.set_class(record.outcome != "success", "-bad")
            self.refresh_bindings()

    def close(self) -> None:
        """It was refused: another dialog says why."""
        self._ended = True
        if self.is_mounted and self.is_current:
            self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What has ended cannot be stopped."""
        return not (action == "stop" and self._ended)

    @on(Button.Pressed, "#stop")
    def action_stop(self) -> None:
        """Ask the act to stop; its outcome still comes."""
        begin(self, self._cancel(self._act), group="stop")

    @on(Button.Pressed, "#hide")
    def _hide(self) -> None:
        self.dismiss(None)

    @property
    def _is_there(self) -> bool:
        """Whether it can be written on; ``is_mounted`` stays true of a dialog that was left."""
        return self.is_mounted and bool(self.query("#steps")) and bool(self.query("#output"))

    def _draw(self) -> None:
        if not self._is_there:
            return
        self.query_one("#steps", Static).update(steps_text(self._targets, self._steps, self.look_now))
        self.query_one("#output", Static).update(Text("\n".join(self._lines)))
        self.query_one(VerticalScroll).scroll_end(animate=False)


def steps_text(targets: list[str], steps: dict[int, StepProgress], look: Look) -> Text:
    """A line for each step: sign, target, what it does, how far it is."""
    glyphs, style = look.glyphs, look.palette.style
    signs = {
        "waiting": (glyphs.dot, "dim"), "running": (glyphs.busy, "busy"), "reconnecting": (glyphs.unknown, "warn"),
        "done": (glyphs.done, "ok"), "failed": (glyphs.fail, "bad"), "cancelled": (glyphs.stopped, "dim"),
    }  # fmt: skip
    text = Text(no_wrap=True, overflow="ellipsis")
    width = max(map(len, targets), default=0)
    for index, target in enumerate(targets):
        step = steps.get(index)
        sign, tone = signs[step.status if step else "waiting"]
        share = f" {step.done:4.0%}" if step is not None and step.done is not None else ""
        text.append(f"{sign} ", style(tone))
        text.append(target.ljust(width + 1), style("bold"))
        text.append(f"{share} {step.text if step else ''}\n", style("dim"))
    text.rstrip()
    return text
