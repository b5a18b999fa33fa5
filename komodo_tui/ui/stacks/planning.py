"""The plan of a deploy or a rollback on the screen, with the differences of files, and the yes it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button, Input, Static

from komodo_tui.operations.stack_plans import details, file_diff, summary
from komodo_tui.ui.modals.confirm import ConfirmDialog, plan_text
from komodo_tui.ui.stacks.sides import sides_text
from komodo_tui.ui.widgets.scrolling import SCROLL_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from komodo_agent.wire.compose import ComposePreview
    from komodo_tui.domain.operations import Plan
    from komodo_tui.domain.stack_drift import FourWay
    from komodo_tui.domain.stacks import StackOperation
    from komodo_tui.ui.look import Look

_TONES = {"+": "ok", "-": "bad", "@": "accent"}


class PlanScroll(VerticalScroll, can_focus=True):
    """Scrolled by the usual keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLL_KEYS]

    def action_first(self) -> None:
        """To the top (gg)."""
        self.scroll_home(animate=False)


class DeployDialog(ConfirmDialog):
    """Shows all that is going to happen. Without ``possible`` it can only be left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("u", "diffs", "files", id="plan.diffs")]
    DEFAULT_CSS = """
    DeployDialog > .dialog { width: 96%; }
    DeployDialog PlanScroll { max-height: 70vh; height: auto; scrollbar-size-vertical: 1; }
    """

    def __init__(self, plan: Plan, operation: StackOperation, *, possible: bool = True) -> None:
        super().__init__(plan)
        self._operation = operation
        self._possible = possible
        self._diffs = True

    def body(self) -> ComposeResult:
        """The plan, and the line to type where one is asked for."""
        with PlanScroll():
            yield Static(self._text(), id="plan-text")
        if self._possible and self.plan.confirm == "type":
            yield self.text(f"\nType  {self.plan.phrase}  to go on.", "warn", id="ask")
            yield Input(id="phrase", compact=True)

    def buttons(self) -> list[Button]:
        """Nothing to say yes to where it cannot be."""
        return super().buttons()[: 2 if self._possible else 1]

    def on_mount(self) -> None:
        """The plan has the keys, so that it can be scrolled; a phrase is typed at once."""
        if self._possible and self.plan.confirm == "type":
            self.query_one(Input).focus()
        else:
            self.query_one(PlanScroll).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No yes to what cannot be."""
        if action == "yes" and not self._possible:
            return False
        if action == "diffs":
            return any(target.preview is not None and target.preview.files for target in self._operation.targets)
        return super().check_action(action, parameters)

    def action_diffs(self) -> None:
        """With the differences of files, or without."""
        self._diffs = not self._diffs
        self.query_one("#plan-text", Static).update(self._text())

    def _text(self) -> Text:
        look = self.look_now
        text = Text()
        if not self._possible:
            for target in self._operation.targets:
                if target.preview is not None:
                    text.append_text(preview_text(target.server, target.preview, look, diffs=False))
            return text
        text.append_text(plan_text(self.plan, look))
        if self._diffs:
            text.append("\n")
            for target in self._operation.targets:
                if target.preview is not None:
                    text.append_text(diff_text(target.preview, look, target.server))
        return text


def preview_text(
    server: str, preview: ComposePreview, look: Look, *, diffs: bool = True, sides: Sequence[FourWay] = ()
) -> Text:
    """What a deploy would do on a server, how it stands (``sides``), what is in its way, and differences of files."""
    style, glyphs = look.palette.style, look.glyphs
    what = summary(preview)
    text = Text.assemble((f"{server}  ", style("accent bold")), (f"{what}\n", style("bold")))
    if sides:
        text.append_text(sides_text(sides, look))
    for words in preview.conflicts:
        text.append(f"  {glyphs.fail} {words}\n", style("bad"))
    for words in preview.warnings:
        text.append(f"  {glyphs.warn} {words}\n", style("warn"))
    for line in details(preview):
        text.append(f"  {line}\n")
    if diffs:
        text.append_text(diff_text(preview, look))
    return text


def diff_text(preview: ComposePreview, look: Look, server: str = "") -> Text:
    """The differences of all files, unified."""
    text = Text()
    for change in preview.files:
        text.append(f"\n{change.path}", look.palette.style("accent bold"))
        text.append(f"  {change.change}{f' on {server}' if server else ''}\n", look.palette.style("dim"))
        text.append_text(unified_text(file_diff(change), look))
    return text


def unified_text(diff: str, look: Look) -> Text:
    """A unified diff in colours."""
    text = Text()
    for line in diff.splitlines():
        tone = "dim" if line.startswith(("---", "+++")) else _TONES.get(line[:1], "")
        text.append(f"{line}\n", look.palette.style(tone))
    return text
