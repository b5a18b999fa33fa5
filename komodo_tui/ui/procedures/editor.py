"""The editor of a procedure: its YAML, checked while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Button, Static, TextArea

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.procedures.check import check
from komodo_tui.domain.units import count_text
from komodo_tui.store.fleet_files import FleetFile
from komodo_tui.store.yaml_files import parse_yaml
from komodo_tui.ui.external import edit_outside
from komodo_tui.ui.modals.base import Dialog, button

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.timer import Timer

    from komodo_tui.domain.procedures.model import ProcedureDefinition

_QUIET = 0.3
"""Seconds without a key after which the text is checked."""


class ProcedureEditor(Dialog["ProcedureDefinition"]):
    """Its result is the definition, once it could run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,f2", "save", "save", key_display="^S", id="editor.save", priority=True),
        Binding("escape", "leave", "cancel", show=False, id="editor.leave", priority=True),
        Binding("ctrl+e", "outside", "$EDITOR", key_display="^E", id="editor.outside", priority=True),
    ]
    DEFAULT_CSS = """
    ProcedureEditor > .dialog { width: 96%; height: 94%; }
    ProcedureEditor TextArea, ProcedureEditor TextArea:focus { height: 1fr; border: none; background: $panel; }
    ProcedureEditor #editor-problem { height: auto; max-height: 3; }
    """

    def __init__(self, title: str, text: str, find: Callable[[str], ProcedureDefinition | None]) -> None:
        """``find`` gives other procedures by name."""
        super().__init__(title)
        self._text = text
        self._find = find
        self._timer: Timer | None = None
        self._warned = ""

    def body(self) -> ComposeResult:
        """The text, and what is wrong with it."""
        yield TextArea(self._text, show_line_numbers=True, tab_behavior="indent", id="editor-text")
        yield Static(id="editor-problem")

    def buttons(self) -> list[Button]:
        """Cancel and save."""
        return [button("cancel", "no"), button("$EDITOR (^E)", "outside"), button("save (^S)", "save", "primary")]

    def on_mount(self) -> None:
        """Type at once; two columns for a level."""
        area = self.query_one(TextArea)
        area.indent_width = 2
        area.focus()
        self._tell()

    def read(self) -> ProcedureDefinition:
        """The definition as it is typed now. Raises UsageError."""
        found = parse_yaml(self.query_one(TextArea).text.encode(), FleetFile, name="text").procedures
        if len(found) != 1:
            raise UsageError(f"there are {len(found)} procedures", hint="one: procedures: [{name: …, stages: …}]")
        check(found[0], lambda name: found[0] if name == found[0].name else self._find(name))
        return found[0]

    @on(TextArea.Changed)
    def _typed(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_QUIET, self._tell)

    def _tell(self) -> None:
        style, glyphs = self.look_now.palette.style, self.look_now.glyphs
        try:
            definition = self.read()
        except UsageError as error:
            text = Text(f"{glyphs.fail} {error}", style("bad"))
        else:
            steps = sum(len(stage.steps) for stage in definition.stages)
            text = Text(f"{glyphs.done} {definition.name} could run: {count_text(steps, 'step')}", style("ok"))
        self.query_one("#editor-problem", Static).update(text)

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Leave with the definition, if it could run."""
        try:
            definition = self.read()
        except UsageError:
            self._tell()
            return
        self.dismiss(definition)

    @on(Button.Pressed, "#outside")
    def action_outside(self) -> None:
        """Go on in the person's own editor."""
        area = self.query_one(TextArea)
        area.text = edit_outside(self.app, area.text, suffix=".yaml")
        self._tell()

    @on(Button.Pressed, "#no")
    def action_leave(self) -> None:
        """Leave; what was changed is thrown away at the second time of asking."""
        text = self.query_one(TextArea).text
        if text in (self._text, self._warned):
            self.dismiss(None)
            return
        self._warned = text
        style, glyphs = self.look_now.palette.style, self.look_now.glyphs
        warning = Text(f"{glyphs.warn} not saved: ^S saves, Esc again throws it away", style("warn"))
        self.query_one("#editor-problem", Static).update(warning)
