"""A form: fields one below another, each checked while it is filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rich.text import Text
from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.suggester import SuggestFromList
from textual.widgets import Button, Checkbox, Input, Select, Static, TextArea

from komodo_tui.ui.modals.base import Dialog, button

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.widget import Widget

Values = dict[str, Any]
"""By field id: ``str``, or ``bool`` of a yes/no field."""


@dataclass(frozen=True)
class Field:
    """One field."""

    id: str
    label: str
    kind: Literal["text", "secret", "choice", "bool", "lines"] = "text"
    """``lines`` takes several lines; its value is one string."""
    value: str | bool = ""
    help: str = ""
    """Shown below while the field is right."""
    choices: tuple[tuple[str, str], ...] = ()
    """(value, label) of a choice."""
    suggestions: tuple[str, ...] = ()
    """Offered while typing; → takes the one shown."""
    check: Callable[[str], str] | None = None
    """Returns what is wrong with the value, or an empty string."""
    read_only: bool = False


class YesNo(Checkbox):
    """A checkbox that says in a word what it is: its colours alone tell too little."""

    def __init__(self, value: bool, *, id: str | None = None) -> None:
        super().__init__("", value, id=id, compact=True)
        self._say()

    def watch_value(self) -> None:
        """Say it anew."""
        self._say()
        super().watch_value()

    def _say(self) -> None:
        self.BUTTON_INNER = "X" if self.value else " "
        self.label = "yes" if self.value else "no"


class FormDialog(Dialog[Values]):
    """Its result is the values of all fields, once each of them is right.

    What was typed into several fields is not thrown away by one Esc: that only tells of it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+enter,f2", "save", "save", id="form.save", priority=True)
    ]
    DEFAULT_CSS = """
    FormDialog > .dialog { width: 84; }
    FormDialog VerticalScroll { max-height: 70vh; height: auto; }
    FormDialog .field { height: auto; }
    FormDialog .label { width: 16; height: 1; color: $foreground 70%; }
    FormDialog .field Input, FormDialog .field Select, FormDialog .field TextArea { width: 1fr; }
    FormDialog .field Input { height: 1; border: none; background: $panel; padding: 0 1; }
    FormDialog .field Input:focus { background: $boost; }
    FormDialog .field Checkbox { border: none; padding: 0; background: $surface; }
    FormDialog TextArea { height: 5; border: none; background: $panel; }
    FormDialog .help { height: 1; padding: 0 0 0 16; color: $foreground 50%;
        text-wrap: nowrap; text-overflow: ellipsis; }
    FormDialog .help.-whole { height: auto; text-wrap: wrap; }
    FormDialog .help.-wrong { color: $error; }
    FormDialog #form-note { height: auto; display: none; }
    """

    def __init__(self, title: str, fields: Sequence[Field], *, verb: str = "save", intro: str = "",
                 check: Callable[[Values], dict[str, str]] | None = None) -> None:  # fmt: skip
        """``check`` looks at all values together and returns what is wrong by field id."""
        super().__init__(title)
        self.fields = tuple(fields)
        self.verb, self.intro = verb, intro
        self._check = check
        self._by_id = {field.id: field for field in self.fields}
        self._refused: dict[str, str] = {}
        """By field id: the text that could not be saved. What is told of it stands until the text is another."""
        self._warned: Values | None = None
        """What was about to be thrown away at the first Esc."""

    def body(self) -> ComposeResult:
        """Label, widget and help of each field."""
        if self.intro:
            yield self.text(self.intro, "dim")
        with VerticalScroll(can_focus=False):
            for field in self.fields:
                with Horizontal(classes="field"):
                    yield Static(Text(field.label), classes="label")
                    yield self._widget(field)
                yield Static(Text(field.help), classes="help", id=f"help-{field.id}")
        yield Static(id="form-note")

    def _widget(self, field: Field) -> Widget:
        name = f"field-{field.id}"
        if field.kind == "bool":
            return YesNo(bool(field.value), id=name)
        if field.kind == "choice":
            options = [(Text(label), value) for value, label in field.choices]
            return Select(options, value=str(field.value), allow_blank=False, id=name, compact=True)
        if field.kind == "lines":
            return TextArea(str(field.value), id=name, tab_behavior="focus", compact=True)
        suggester = SuggestFromList(field.suggestions, case_sensitive=False) if field.suggestions else None
        return Input(
            str(field.value), password=field.kind == "secret", suggester=suggester, id=name, compact=True,
            disabled=field.read_only,
        )  # fmt: skip

    def buttons(self) -> list[Button]:
        """Cancel and save."""
        return [button("cancel", "no"), button(f"{self.verb} (^S)", "save", "primary")]

    def values(self) -> Values:
        """What stands in the fields now."""
        found: Values = {}
        for field in self.fields:
            widget = self.query_one(f"#field-{field.id}")
            if isinstance(widget, TextArea):
                found[field.id] = widget.text
            elif isinstance(widget, Input):
                found[field.id] = widget.value if field.kind == "secret" else widget.value.strip()
            elif isinstance(widget, Checkbox | Select):
                found[field.id] = widget.value
        return found

    def _wrong(self, values: Values) -> dict[str, str]:
        wrong = {f.id: f.check(str(values[f.id])) for f in self.fields if f.check is not None}
        wrong = {name: text for name, text in wrong.items() if text}
        if not wrong and self._check is not None:
            wrong = {name: text for name, text in self._check(values).items() if text}
        return wrong

    def _tell(self, field: Field, wrong: str) -> None:
        line = self.query_one(f"#help-{field.id}", Static)
        line.set_class(bool(wrong), "-wrong")
        line.update(Text(f"{self.look_now.glyphs.fail} {wrong}" if wrong else field.help))

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _edited(self, event: Input.Changed | TextArea.Changed) -> None:
        field = self._by_id.get(str(event.control.id).removeprefix("field-"))
        if field is None:
            return
        text = event.input.value if isinstance(event, Input.Changed) else event.text_area.text  # as it is by now
        if self._refused.get(field.id) == text.strip():
            return
        wrong = field.check(text.strip()) if field.check is not None and text.strip() else ""
        self._tell(field, wrong)

    @on(events.DescendantFocus)
    def _read_whole(self, event: events.DescendantFocus) -> None:
        """The help of the field in use is wrapped; that of the others is cut where the line ends."""
        field = (event.widget.id or "").removeprefix("field-")
        for line in self.query(".help"):
            line.set_class(line.id == f"help-{field}", "-whole")

    @property
    def enter_goes_on(self) -> bool:
        """Whether Enter goes to another field now; what is typed behind it is meant for that one."""
        return isinstance(self.focused, Input) and not self._at_last

    @property
    def _at_last(self) -> bool:
        return self.focused is self.query(Input).last() or len(self.fields) == 1

    @on(Input.Submitted)
    def _next(self) -> None:
        if self._at_last:
            self.action_save()
        else:
            self.focus_next()

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Check all and leave with the values, or go to the first field that is wrong."""
        self.after_typing(self._save)

    def _save(self) -> None:
        values = self.values()
        wrong = self._wrong(values)
        for field in self.fields:
            self._tell(field, wrong.get(field.id, ""))
        self._refused = {name: str(values[name]).strip() for name in wrong}
        if wrong:
            first = next((field.id for field in self.fields if field.id in wrong), self.fields[0].id)
            self.query_one(f"#field-{first}").focus()
            return
        self.dismiss(values)

    @on(Button.Pressed, "#no")
    def action_leave(self) -> None:
        """Leave; what was typed is thrown away at the second time of asking."""
        self.after_typing(self._leave)

    def _leave(self) -> None:
        values = self.values()
        if not self._filled_in(values) or values == self._warned:
            self.dismiss(None)
            return
        self._warned = values
        glyph, style = self.look_now.glyphs.warn, self.look_now.palette.style("warn")
        note = self.query_one("#form-note", Static)
        note.update(Text(f"{glyph} Esc again throws this away; ^S: {self.verb}", style))
        note.display = True

    def _filled_in(self, values: Values) -> bool:
        """Whether there is more in it than can be typed again in a moment."""
        first = {f.id: f.value if f.kind == "bool" else str(f.value) for f in self.fields}
        first |= {f.id: str(f.value).strip() for f in self.fields if f.kind == "text"}
        many = len(self.fields) > 1 or self.fields[0].kind == "lines"
        return many and values != first
