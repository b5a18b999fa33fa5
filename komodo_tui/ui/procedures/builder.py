"""The editor of a procedure: an outline with a form for each line, and the YAML of the same thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args, get_origin

import msgspec
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Button, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.model import Parameter, ProcedureDefinition, Stage
from komodo_tui.domain.procedures.reference import kinds
from komodo_tui.domain.procedures.step_checks import check_step
from komodo_tui.ui.begun import begin
from komodo_tui.ui.finder import Entry, find
from komodo_tui.ui.modals.base import button
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.modals.pick import PickDialog
from komodo_tui.ui.modals.yaml_editor import Checked, YamlEditor
from komodo_tui.ui.procedures import outline
from komodo_tui.ui.procedures.step_forms import blamed, form_fields, from_form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult

    from komodo_tui.ui.procedures.outline import Key

_HINT = "Enter changes or adds · x removes · K J move · ^T the same as YAML"


class ProcedureBuilder(YamlEditor[ProcedureDefinition]):
    """Its result is the definition, once it could run. The YAML is what counts; the outline is made of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t,f3", "turn", "form / YAML", key_display="^T", id="builder.turn", priority=True),
        Binding("x,delete", "drop", "remove", id="builder.drop"),
        Binding("K,shift+up", "move(-1)", "up", id="builder.up"),
        Binding("J,shift+down", "move(1)", "down", id="builder.down"),
        Binding("j", "cursor(1)", "down", show=False, id="builder.cursor_down"),
        Binding("k", "cursor(-1)", "up", show=False, id="builder.cursor_up"),
    ]
    DEFAULT_CSS = """
    ProcedureBuilder OptionList { height: 1fr; padding: 0; border: none; background: $surface; text-wrap: nowrap;
        text-overflow: ellipsis; display: none; }
    ProcedureBuilder #builder-hint { height: 1; display: none; color: $foreground 50%; }
    ProcedureBuilder.-form OptionList, ProcedureBuilder.-form #builder-hint { display: block; }
    ProcedureBuilder.-form TextArea { display: none; }
    """

    def __init__(
        self,
        title: str,
        text: str,
        check: Callable[[str], Checked[ProcedureDefinition]],
        read: Callable[[str], ProcedureDefinition],
        write: Callable[[ProcedureDefinition], str],
        known: Callable[[], Mapping[str, Sequence[str]]],
    ) -> None:
        """``read`` gives a definition that need not be able to run, and ``write`` its text. ``known``: names that
        fields may want, by field."""
        super().__init__(title, text, check)
        self._read = read
        self._write = write
        self._known = known
        self._keys: list[Key] = []

    def body(self) -> ComposeResult:
        """The outline, the text, and what is wrong with them."""
        yield OptionList(compact=True, id="builder-lines")
        yield Static(_HINT, id="builder-hint")
        yield from super().body()

    def buttons(self) -> list[Button]:
        """Those of the text, and the way to the other side."""
        return [button("form / YAML (^T)", "turn"), *super().buttons()]

    def on_mount(self) -> None:
        """The outline first: it needs no knowledge of YAML. (Textual calls the one of the text after this one.)"""
        self.call_next(lambda: self._turn(form=True))

    # -- two sides of one thing ---------------------------------------------------------------------------------

    @on(Button.Pressed, "#turn")
    def action_turn(self) -> None:
        """From the form to the YAML, and back."""
        self._turn(form=not self.has_class("-form"))

    def _turn(self, *, form: bool) -> None:
        if form and self._definition() is None:
            self.tell()  # what cannot be read has no outline
            form = False
        self.set_class(form, "-form")
        if form:
            self._show_lines()
            self.query_one(OptionList).focus()
        else:
            self.query_one(TextArea).focus()

    def _definition(self) -> ProcedureDefinition | None:
        try:
            return self._read(self.text_now)
        except UsageError:
            return None

    def _show_lines(self, at: Key | None = None) -> None:
        definition = self._definition()
        if definition is None:
            return
        style, options = self.look_now.palette.style, self.query_one(OptionList)
        lines = outline.lines_of(definition)
        before = options.highlighted or 0
        self._keys = [line.key for line in lines]
        options.clear_options()
        for line in lines:
            tone = "accent" if line.key[0].startswith("add-") else "title bold" if line.depth == 0 else ""
            options.add_option(
                Option(Text.assemble(("  " * line.depth, ""), (line.what, style(tone)), "  ", (line.says, style("dim")),
                                     no_wrap=True, overflow="ellipsis"))
            )  # fmt: skip
        options.highlighted = self._keys.index(at) if at in self._keys else min(before, len(lines) - 1)

    def _change(self, definition: ProcedureDefinition | None, at: Key | None = None) -> None:
        """Write it down, show it, check it."""
        if definition is None:
            return
        self.query_one(TextArea).text = self._write(definition)
        self._show_lines(at)
        self.tell()

    # -- keys of the outline ------------------------------------------------------------------------------------

    @property
    def _key(self) -> Key | None:
        at = self.query_one(OptionList).highlighted
        return self._keys[at] if at is not None and at < len(self._keys) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of the outline belong to it."""
        return self.has_class("-form") if action in ("drop", "move", "cursor") else True

    def action_cursor(self, by: int) -> None:
        """The next line, or the one before."""
        options = self.query_one(OptionList)
        (options.action_cursor_down if by > 0 else options.action_cursor_up)()

    def action_drop(self) -> None:
        """Without this line."""
        definition, key = self._definition(), self._key
        if definition is not None and key is not None:
            self._change(outline.without(definition, key))

    def action_move(self, by: int) -> None:
        """This line further up or down."""
        definition, key = self._definition(), self._key
        moved = outline.moved(definition, key, by) if definition is not None and key is not None else None
        if moved is not None:
            self._change(*moved)

    @on(OptionList.OptionSelected, "#builder-lines")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        definition, key = self._definition(), self._key
        if definition is None or key is None:
            return
        what, first, second = key
        if what == "procedure":
            does = self._procedure(definition)
        elif what.endswith("parameter"):
            does = self._parameter(definition, first if what == "parameter" else None)
        elif what.endswith("stage"):
            does = self._stage(definition, first if what == "stage" else None)
        else:
            does = self._step(definition, first, second if what == "step" else None)
        begin(self, does, group="form", exclusive=True)

    # -- forms --------------------------------------------------------------------------------------------------

    async def _form(self, title: str, kind: type[Any], fields: Sequence[Field], where: str = "") -> Any:
        """The struct that a form gives; None where it was left."""

        def made(values: Mapping[str, Any]) -> Any:
            found = from_form(kind, values)
            if isinstance(found, steps.Step):
                check_step(found, where)
            return found

        def wrong(values: dict[str, Any]) -> dict[str, str]:
            try:
                made(values)
            except UsageError as error:
                told = str(error).removeprefix(f"{where}: ")
                return {blamed([f.id for f in fields], told): told}
            return {}

        values = await self.app.push_screen_wait(FormDialog(title, fields, verb="take it", check=wrong))
        return None if values is None else made(values)

    async def _procedure(self, definition: ProcedureDefinition) -> None:
        fields = form_fields(definition, {}, leave=("parameters",))
        given = await self._form("Procedure", ProcedureDefinition, fields)
        if given is not None:
            kept = msgspec.structs.replace(given, parameters=definition.parameters, stages=definition.stages)
            self._change(kept)

    async def _parameter(self, definition: ProcedureDefinition, at: int | None) -> None:
        name = list(definition.parameters)[at] if at is not None else ""
        now = definition.parameter(name) if name else Parameter(default="")
        fields = [
            Field("name", "name", value=name, help="fields use it as {name}, commands as $KOMODO_PARAM_NAME"),
            Field("needed", "has to be given", "bool", value=now.default is None),
            Field("default", "default", value=now.default or "", help="where a run does not give it"),
            Field("description", "description", value=now.description),
            Field("choices", "choices", value=" ".join(now.choices), help="nothing else is taken; empty = anything"),
        ]
        values = await self.app.push_screen_wait(FormDialog("Parameter", fields, verb="take it"))
        if values is None or not values["name"]:
            return
        given = Parameter(
            default=None if values["needed"] else values["default"], description=values["description"],
            choices=tuple(values["choices"].split()),
        )  # fmt: skip
        self._change(outline.with_parameter(definition, at, values["name"], given))

    async def _stage(self, definition: ProcedureDefinition, at: int | None) -> None:
        now = definition.stages[at] if at is not None else Stage()
        given = await self._form("Stage", Stage, form_fields(now, {}))
        if given is not None:
            place = at if at is not None else len(definition.stages)
            kept = msgspec.structs.replace(given, steps=now.steps)
            self._change(
                outline.with_stage(definition, at, kept), ("stage" if at is not None else "add-step", place, 0)
            )

    async def _step(self, definition: ProcedureDefinition, stage: int, at: int | None) -> None:
        found = definition.stages[stage].steps[at].found if at is not None else []
        kind = found[0][0] if found else await self._kind()
        if kind is None:
            return
        if kinds()[kind].dangerous and not definition.allow_dangerous:
            definition = await self._allowed(definition, kind)
        now = found[0][1] if found else _new(kind)
        title = f"{kind}: {kinds()[kind].help}"
        given = await self._form(title, kinds()[kind].type, form_fields(now, self._known()), kind)
        if given is not None:
            place = at if at is not None else len(definition.stages[stage].steps)
            entry = steps.StepEntry(**{kind: given})
            self._change(outline.with_step(definition, stage, at, entry), ("step", stage, place))

    async def _kind(self) -> str | None:
        entries = [Entry(kind.kind, help=kind.help) for kind in kinds().values()]
        dialog = PickDialog("Which kind of step?", lambda query, most: find(query, entries, most),
                            placeholder="type to find one: restart, exec, backup…")  # fmt: skip
        picked = await self.app.push_screen_wait(dialog)
        return picked.label if picked is not None else None

    async def _allowed(self, definition: ProcedureDefinition, kind: str) -> ProcedureDefinition:
        items = [
            MenuItem("yes", "allow such steps in this procedure", "y", "allow_dangerous: true"),
            MenuItem("no", "leave it for now", "n", "it cannot be saved so"),
        ]
        said = await self.app.push_screen_wait(MenuDialog(f"{kind} can do anything to a server", items))
        return msgspec.structs.replace(definition, allow_dangerous=True) if said == "yes" else definition


def _new(kind: str) -> steps.Step:
    """A step of this kind that has nothing in its fields yet."""
    needed: dict[str, Any] = {}
    for field in kinds()[kind].fields:
        if field.default is msgspec.NODEFAULT:
            needed[field.name] = _nothing(field.type)
    return kinds()[kind].type(**needed)


def _nothing(type_: Any) -> Any:
    if get_origin(type_) is Literal:
        return get_args(type_)[0]
    return {} if get_origin(type_) is dict else ""
