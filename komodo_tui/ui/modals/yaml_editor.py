"""An editor of one definition: its YAML, checked while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, NamedTuple, TypeVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Button, Static, TextArea

from komodo_tui.domain.errors import ActError, UsageError
from komodo_tui.ui.begun import begin
from komodo_tui.ui.external import edit_outside
from komodo_tui.ui.look import look_of
from komodo_tui.ui.modals.base import Dialog, button
from komodo_tui.ui.render.yaml_tones import yaml_tones

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.timer import Timer

T = TypeVar("T")

_QUIET = 0.3
"""Seconds without a key after which the text is checked."""


class Checked(NamedTuple, Generic[T]):
    """A text that can be saved."""

    value: T
    words: str
    """What it is, in a line: ``backup could run: 3 steps``."""
    warning: str = ""
    """What is odd about it, though it can be saved."""


class YamlArea(TextArea):
    """Text in the colours of the theme."""

    def get_line(self, line_index: int) -> Text:
        """The line, as it is drawn."""
        line = super().get_line(line_index)
        style = look_of(self).palette.style
        for start, end, tone in yaml_tones(line.plain):
            line.stylize(style(tone), start, end)
        return line


class YamlEditor(Dialog[T]):
    """Its result is what the text says, once it is well."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,f2", "save", "save", key_display="^S", id="editor.save", priority=True),
        Binding("escape", "leave", "cancel", show=False, id="editor.leave", priority=True),
        Binding("ctrl+e", "outside", "$EDITOR", key_display="^E", id="editor.outside", priority=True),
    ]
    DEFAULT_CSS = """
    YamlEditor > .dialog { width: 96%; height: 94%; }
    YamlEditor TextArea, YamlEditor TextArea:focus { height: 1fr; border: none; background: $panel; }
    YamlEditor #editor-problem { height: auto; max-height: 3; }
    """

    def __init__(self, title: str, text: str, check: Callable[[str], Checked[T]]) -> None:
        """``check`` reads the text and raises UsageError; it is called at each pause in typing."""
        super().__init__(title)
        self._text = text
        self._check = check
        self._timer: Timer | None = None
        self._warned = ""

    def body(self) -> ComposeResult:
        """The text, and what is wrong with it."""
        yield YamlArea(self._text, show_line_numbers=True, tab_behavior="indent", id="editor-text")
        yield Static(id="editor-problem")

    def buttons(self) -> list[Button]:
        """Cancel and save."""
        return [button("cancel", "no"), button("$EDITOR (^E)", "outside"), button("save (^S)", "save", "primary")]

    def on_mount(self) -> None:
        """Type at once; two columns for a level."""
        area = self.query_one(TextArea)
        area.indent_width = 2
        area.focus()
        self.tell()

    @property
    def text_now(self) -> str:
        """As it is typed now."""
        return self.query_one(TextArea).text

    @on(TextArea.Changed)
    def _typed(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_QUIET, self.tell)

    def checked(self) -> Checked[T]:
        """What the text says now. Raises UsageError."""
        return self._check(self.text_now)

    def tell(self) -> None:
        """Say what is wrong with the text, or what it is."""
        style, glyphs = self.look_now.palette.style, self.look_now.glyphs
        try:
            checked = self.checked()
        except UsageError as error:
            text = Text(f"{glyphs.fail} {error}", style("bad"))
        else:
            text = Text(f"{glyphs.done} {checked.words}", style("ok"))
            if checked.warning:
                text.append(f"\n{glyphs.warn} {checked.warning}", style("warn"))
        for line in self.query("#editor-problem").results(Static):  # it may be gone: others call this late
            line.update(text)

    def say(self, words: str, tone: str) -> None:
        """Something else for once, until the next key."""
        self.query_one("#editor-problem", Static).update(Text(words, self.look_now.palette.style(tone)))

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Leave with what it says, if it is well."""
        self.after_typing(self._save)

    def _save(self) -> None:
        try:
            checked = self.checked()
        except UsageError:
            self.tell()
            return
        self.dismiss(checked.value)

    @on(Button.Pressed, "#outside")
    def action_outside(self) -> None:
        """Go on in the person's own editor."""
        begin(self, self._outside(), group="outside", exclusive=True)

    async def _outside(self) -> None:
        area = self.query_one(TextArea)
        try:
            area.text = await edit_outside(self.app, area.text, suffix=".yaml")
        except ActError as error:
            self.say(str(error), "bad")
            return
        self.tell()

    @on(Button.Pressed, "#no")
    def action_leave(self) -> None:
        """Leave; what was changed is thrown away at the second time of asking."""
        text = self.text_now
        if text in (self._text, self._warned):
            self.dismiss(None)
            return
        self._warned = text
        self.say(f"{self.look_now.glyphs.warn} not saved: ^S saves, Esc again throws it away", "warn")
