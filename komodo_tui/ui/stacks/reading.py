"""A long text in colours, over the page: files of a revision, differences between two."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Button, Static

from komodo_agent.wire.compose_changes import FileChange
from komodo_agent.wire.compose_values import shown
from komodo_tui.domain.masking import mask_env
from komodo_tui.operations.stack_plans import file_diff
from komodo_tui.ui.modals.base import Dialog, button
from komodo_tui.ui.stacks.planning import PlanScroll, unified_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from komodo_agent.wire.compose import Revision
    from komodo_tui.ui.look import Look


class TextDialog(Dialog[None]):
    """Shows it; ``c`` copies it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "copy", id="text.copy"),
        Binding("q,enter", "leave", "close", show=False, id="text.close"),
    ]
    DEFAULT_CSS = """
    TextDialog > .dialog { width: 96%; }
    TextDialog PlanScroll { max-height: 70vh; height: auto; scrollbar-size-vertical: 1; }
    """

    def __init__(self, title: str, text: Text, copy: Callable[[str, str], None]) -> None:
        """``copy`` is the app's (text, what)."""
        super().__init__(title)
        self.text_shown = text
        self._copy = copy

    def body(self) -> ComposeResult:
        """The text."""
        with PlanScroll():
            yield Static(self.text_shown)

    def buttons(self) -> list[Button]:
        """Copy, close."""
        return [button("copy (c)", "copy"), button("close", "close", "primary")]

    def on_mount(self) -> None:
        """It can be scrolled at once."""
        self.query_one(PlanScroll).focus()

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        """Copy it."""
        self._copy(self.text_shown.plain, self.dialog_title)

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)


def revision_text(revision: Revision, look: Look) -> Text:
    """Outcome, images, environment as it was defined, files."""
    style, summary = look.palette.style, revision.summary
    text = Text()
    words = [summary.outcome.replace("_", " "), f"by {summary.actor}" if summary.actor else ""]
    text.append("  ".join(word for word in words if word), style("bold"))
    text.append(f"\n{summary.step}: {summary.error}" if summary.error else "", style("bad"))
    for service, image in sorted(summary.images.items()):
        name = revision.references.get(service, "")
        pinned = revision.repo_digests.get(service, "") or image.removeprefix("sha256:")[:12]
        text.append(f"\n{service}  {name}  ", style(""))
        text.append(pinned, style("dim"))
    if revision.templates:
        text.append("\n\nenvironment", style("accent bold"))
        for key in sorted(revision.templates):
            name = shown(key).removeprefix("environment: ")
            text.append(f"\n{name}={_shown(key, revision.templates[key])}")
    if revision.folder:
        text.append(f"\n\nfiles below {revision.folder}", style("dim"))
    for file in revision.files:
        text.append(f"\n\n{file.path}\n", style("accent bold"))
        text.append(file.content.rstrip("\n"))
    return text


def _shown(key: str, template: str) -> str:
    """Values that look like secrets stay hidden; ``[[NAME]]`` is no value yet."""
    return template if "[[" in template else mask_env(key, template)


def between_text(old: Revision, new: Revision, look: Look) -> Text:
    """What differs from one revision to another: images, environment, files."""
    style = look.palette.style
    text = Text()
    services = sorted({*old.summary.images, *new.summary.images})
    for service in services:
        before, after = old.summary.images.get(service, ""), new.summary.images.get(service, "")
        if before != after:
            text.append(f"{service}  image {_image(old, service)} → {_image(new, service)}\n", style("warn"))
    for key in sorted({*old.prints, *new.prints}):
        if old.prints.get(key) != new.prints.get(key):
            change = "added" if key not in old.prints else "removed" if key not in new.prints else "changed"
            text.append(f"{shown(key)} {change}\n", style("warn"))
    for change_text in _file_diffs(old, new):
        text.append("\n" if text.plain else "")
        text.append_text(unified_text(change_text, look))
    if not text.plain:
        text.append("no difference", style("dim"))
    return text


def _image(revision: Revision, service: str) -> str:
    image = revision.summary.images.get(service, "")
    if not image:
        return "none"
    return f"{revision.references.get(service, '')} {image.removeprefix('sha256:')[:12]}".strip()


def _file_diffs(old: Revision, new: Revision) -> list[str]:
    before = {file.path: file.content for file in old.files}
    after = {file.path: file.content for file in new.files}
    found = []
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            kind = "added" if path not in before else "removed" if path not in after else "changed"
            change = FileChange(path=path, change=kind, before=before.get(path, ""), after=after.get(path, ""))  # type: ignore[arg-type]
            found.append(file_diff(change).replace("--- deployed/", f"--- {old.summary.number}/", 1)
                         .replace("+++ stack/", f"+++ {new.summary.number}/", 1))  # fmt: skip
    return found
