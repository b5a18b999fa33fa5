"""What an act would do, and the yes (or the typed name) it asks for."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button, Input, Static

from komodo_tui.ui.modals.base import Dialog, button

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from komodo_tui.domain.operations import Plan
    from komodo_tui.ui.look import Look


def plan_text(plan: Plan, look: Look) -> Text:
    """The steps, grouped by server, in their order: what happens, the command, warnings."""
    style, glyphs = look.palette.style, look.glyphs
    text = Text(no_wrap=False)
    order = list(dict.fromkeys(step.target.server for step in plan.steps))
    steps = sorted(plan.steps, key=lambda step: order.index(step.target.server))
    for server, group in groupby(steps, key=lambda step: step.target.server):
        members = list(group)
        count = f"  {len(members)}" if len(members) > 1 else ""
        if server:
            text.append(f"{server}{count}\n", style("accent bold"))
        for step in members:
            text.append(f"  {glyphs.dot} {step.text}\n")
            if step.command:
                text.append(f"    {step.command}\n", style("dim"))
            for detail in step.details:
                text.append(f"    {detail}\n")
            if step.warning:
                text.append(f"    {glyphs.warn} {step.warning}\n", style("warn"))
    if plan.undo:
        text.append(f"\nundo  {plan.undo}", style("dim"))
    text.rstrip()
    return text


class ConfirmDialog(Dialog[bool | str]):
    """Shows a plan. Results: True for yes, the phrase where it has to be typed, None for no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "yes", id="confirm.yes"),
        Binding("n,q", "leave", "no", show=False, id="confirm.no"),
    ]
    DEFAULT_CSS = """
    ConfirmDialog > .dialog { width: 88; }
    ConfirmDialog VerticalScroll { max-height: 60vh; height: auto; }
    ConfirmDialog Input { margin: 0; }
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.title)
        self.plan = plan

    def body(self) -> ComposeResult:
        """The steps, and the line to type where one is asked for."""
        with VerticalScroll(can_focus=False):
            yield Static(plan_text(self.plan, self.look_now))
        if self.plan.confirm == "type":
            yield self.text(f"\nType  {self.plan.phrase}  to go on.", "warn", id="ask")
            yield Input(id="phrase", compact=True)

    def buttons(self) -> list[Button]:
        """No stands first and has the focus."""
        verb = self.plan.verb.removeprefix("server ")  # the title says of what
        yes = button(f"{verb} (y)" if self.plan.confirm != "type" else verb, "yes", "error")
        yes.disabled = self.plan.confirm == "type"
        return [button("cancel", "no"), yes]

    def on_mount(self) -> None:
        """The safe choice has the focus."""
        self.query_one("#phrase" if self.plan.confirm == "type" else "#no").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A phrase cannot be answered by one key."""
        return not (action == "yes" and self.plan.confirm == "type")

    @on(Input.Changed, "#phrase")
    def _typed(self, event: Input.Changed) -> None:
        self.query_one("#yes", Button).disabled = event.value.strip() != self.plan.phrase

    @on(Input.Submitted, "#phrase")
    def _submitted(self, event: Input.Submitted) -> None:
        if event.value.strip() == self.plan.phrase:
            self.dismiss(self.plan.phrase)

    @on(Button.Pressed, "#yes")
    def action_yes(self) -> None:
        """Go on."""
        self.dismiss(self.plan.phrase if self.plan.confirm == "type" else True)

    @on(Button.Pressed, "#no")
    def _no(self) -> None:
        self.dismiss(None)
