"""One act in full: who, when, how it ended, and for each target the exact commands and the end of their output."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

from komodo_tui.domain.text import clean
from komodo_tui.domain.units import count_text, long_duration_text, time_text
from komodo_tui.ui.actions.rows import result_look
from komodo_tui.ui.look import look_of
from komodo_tui.ui.widgets.scrolling import SCROLL_KEYS

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from komodo_tui.domain.operations import ActionRecord, StepResult
    from komodo_tui.ui.look import Look

TAIL = 200
"""Lines of a step's output that are shown; the export has them all."""


def detail_text(record: ActionRecord, word: str, now: float, look: Look) -> Text:
    """The whole detail. ``word`` is the result as the list shows it, ``now`` Unix time."""
    style, glyphs = look.palette.style, look.glyphs
    sign, tone = result_look(record, word, glyphs)
    text = Text()
    text.append(f"{sign} ", style(tone))
    text.append(f"{clean(record.title or record.act)}\n", style("bold"))
    for name, value, value_tone in _pairs(record, word, tone, now):
        text.append(f"\n{name:9}", style("dim"))
        text.append(_block(value, 9), style(value_tone))
    for step in record.steps:
        text.append("\n")
        _append_step(text, step, look)
    if not record.steps:
        text.append("\n\n")
        planned = [str(target) for target in record.targets]
        text.append(f"no step has ended yet: {clean(', '.join(planned))}" if planned else "it has no targets",
                    style("dim"))  # fmt: skip
    return text


def _pairs(record: ActionRecord, word: str, tone: str, now: float) -> list[tuple[str, str, str]]:
    took = (record.ended if record.ended is not None else now) - record.started
    result = f"{word}, {long_duration_text(took)}" if word != "unknown" else (
        "unknown: the program that began it is gone; it is settled when the server answers"
    )  # fmt: skip
    pairs = [
        ("act", f"{record.act}, {count_text(len(record.targets), 'target')}", ""),
        ("who", f"{record.actor}, by {record.actor.via}", ""),
        ("started", time_text(record.started), ""),
        ("ended", time_text(record.ended or 0), ""),
        ("result", result, tone),
        ("why", record.summary, ""),
        ("before", record.before, "dim"),
        ("after", record.after, "dim"),
        ("id", record.id, "dim"),
    ]
    return [pair for pair in pairs if pair[1]]


def _append_step(text: Text, step: StepResult, look: Look) -> None:
    style, glyphs = look.palette.style, look.glyphs
    sign, tone = (glyphs.done, "ok") if step.ok else (glyphs.fail, "bad")
    if step.end == "cancelled":
        sign, tone = glyphs.stopped, "dim"
    elif step.end == "interrupted":
        sign, tone = glyphs.warn, "warn"
    text.append(f"\n{sign} ", style(tone))
    text.append(clean(str(step.target)), style("bold"))
    text.append(f"  {step.end}, {long_duration_text(step.seconds)}", style("dim"))
    for command in step.commands:
        text.append("\n  $ ", style("accent"))
        text.append(_block(command, 4))
    if step.error:
        text.append("\n  ")
        text.append(_block(step.error, 2), style("bad" if not step.ok else "warn"))
    if step.hint:
        text.append("\n  ")
        text.append(_block(step.hint, 2), style("accent"))
    said = {f"$ {command}" for command in step.commands}
    lines = [line for line in step.output.splitlines() if line not in said]
    if len(lines) > TAIL:
        text.append(f"\n  {glyphs.ellipsis} {count_text(len(lines) - TAIL, 'earlier line')}; W exports all",
                    style("dim"))  # fmt: skip
    for line in lines[-TAIL:]:
        text.append(f"\n  {glyphs.vertical} ", style("border"))
        text.append(clean(line))


def _block(value: str, indent: int) -> str:
    """Cleaned text, its further lines set in."""
    return clean(value, keep_newlines=True).rstrip("\n").replace("\n", "\n" + " " * indent)


class DetailPane(VerticalScroll, can_focus=True):
    """Shows one act; scrolls by the usual keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLL_KEYS]
    DEFAULT_CSS = """
    DetailPane { width: 1fr; height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    DetailPane Static { height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.record: ActionRecord | None = None

    def compose(self) -> ComposeResult:
        """The text."""
        yield Static()

    def show(self, record: ActionRecord | None, word: str, now: float) -> None:
        """Show this act; None shows nothing."""
        same = record is not None and self.record is not None and record.id == self.record.id
        self.record = record
        look = look_of(self)
        nothing = Text("No act is selected.", look.palette.style("dim"))
        text = detail_text(record, word, now, look) if record is not None else nothing
        self.query_one(Static).update(text)
        if not same:
            self.scroll_home(animate=False)
