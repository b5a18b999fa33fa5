"""One stack from near: how it stands on each server, what a deploy would change, revisions, services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.stack_drift import four_way
from komodo_tui.ui.containers.document import DocumentPane
from komodo_tui.ui.definitions.detail import RowDetail
from komodo_tui.ui.deployments.services import service_pane, service_rows
from komodo_tui.ui.resources.files import FilesPane
from komodo_tui.ui.stacks.columns import revision_columns, state_cell
from komodo_tui.ui.stacks.editing import stack_text
from komodo_tui.ui.stacks.facts import overview
from komodo_tui.ui.stacks.files import ask_folder, edit_file, folder_of
from komodo_tui.ui.stacks.planning import PlanScroll, preview_text
from komodo_tui.ui.stacks.previews import Previews
from komodo_tui.ui.updates import UpdateMarks
from komodo_tui.ui.widgets.facts import FactsPane
from komodo_tui.ui.widgets.lines import Line, Lines
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from textual.app import ComposeResult
    from textual.widget import Widget

    from komodo_agent.wire.compose import RevisionSummary
    from komodo_agent.wire.volumes import VolumeFile
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.stacks.book import Place, StackBook, StackRow

TABS = {
    "overview": "Overview", "diff": "Diff", "revisions": "Revisions", "services": "Services", "files": "Files",
    "text": "Definition",
}  # fmt: skip
RevisionRow = tuple[str, "RevisionSummary"]
"""Server, and a revision there."""


class DiffPane(PlanScroll):
    """Text that is written anew only when it is another one."""

    DEFAULT_CSS = "DiffPane { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text = Text()

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static()

    def show(self, text: Text) -> None:
        """Show this."""
        if text != self.text or text.spans != self.text.spans:
            self.text = text
            self.query_one(Static).update(text)


class StackDetail(RowDetail["StackRow"]):
    """Shows the stack named last by :meth:`open`; what agents have to be asked for comes in behind."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket,comma", "tab(-1)", "[ ] sub-tab", key_display="[ ]", show=False,
                id="stack.tab_left"),
        Binding("n", "other_server", "next server", id="stack.other_server"),
        Binding("right_square_bracket,full_stop", "tab(1)", "sub-tab", key_display="[ ]", id="stack.tab_right"),
    ]  # fmt: skip
    DEFAULT_CSS = "StackDetail #stack-body { height: 1fr; }"

    def __init__(self, runtime: Runtime, shell: Shell, book: StackBook, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shell = shell
        self._marks = UpdateMarks(runtime.updates, shell.look)
        self._book = book
        self._runtime = runtime
        self.tab = "overview"
        self._server = 0
        """Which of its servers the files are shown of."""
        self.previews = Previews(runtime, shell, self.show_rows)

    def compose(self) -> ComposeResult:
        """Headline, sub-tabs, body."""
        yield Lines(fixed=True, id="stack-head")
        yield Vertical(id="stack-body")

    # -- what is shown ------------------------------------------------------------------------------------------

    def open(self, key: Hashable, row: StackRow, view: str = "") -> None:
        """Show this stack, on the named sub-tab or the one shown last."""
        self.key_shown, self.row = key, row
        self._show_tab(view or self.tab)

    def focus_inside(self) -> None:
        """The sub-tab takes keys."""
        self._show_tab(self.tab)

    def _show_tab(self, tab: str) -> None:
        self.tab = tab
        body = self.query_one("#stack-body")
        for child in body.children:
            child.display = child.id == f"stack-{tab}"
        if self._pane() is None:
            body.mount(self._build(tab))
            self.call_after_refresh(self._ready)
        else:
            self._ready()
        self.refresh_bindings()

    def _build(self, tab: str) -> Widget:
        glyphs, now = self._shell.look.glyphs, self._shell.now
        if tab == "diff":
            return DiffPane(id="stack-diff")
        if tab == "services":
            empty = lambda: Text("Nothing of it is there: D deploys it")  # noqa: E731
            return service_pane(glyphs, now, empty, self._marks, servers=True, id="stack-services")
        if tab == "files":
            return FilesPane(self._runtime, self._shell, ask=ask_folder, chosen=self._file, id="stack-files")
        if tab == "text":
            return DocumentPane(id="stack-text")
        if tab == "revisions":
            table: VirtualTable[RevisionRow] = VirtualTable(
                revision_columns(glyphs, now), order=lambda r: -r[1].started, id="stack-revisions-table"
            )
            return ListPane("Revisions", table, parse=_parser, help="words, !not, ~fuzzy, /regex/",
                            empty=lambda: Text("No revision yet: the first deploy makes one"),
                            natural="newest first", id="stack-revisions")  # fmt: skip
        return FactsPane(id="stack-overview")

    def _ready(self) -> None:
        pane = self._pane()
        if isinstance(pane, ListPane):
            pane.table.focus()
        elif isinstance(pane, FilesPane):
            self._open_files(pane)
        elif pane is not None:
            pane.focus()
        self.show_rows()

    def _pane(self) -> Widget | None:
        return next(iter(self.query(f"#stack-body > #stack-{self.tab}")), None)

    @property
    def revisions(self) -> list[RevisionRow]:
        """The marked revisions, or the one under the cursor; of no other sub-tab."""
        pane = self._pane()
        return pane.table.selection() if self.tab == "revisions" and isinstance(pane, ListPane) else []

    def show_row(self, row: StackRow) -> None:
        """Take in what is known now."""
        super().show_row(row)
        self.show_rows()

    def show_rows(self) -> None:
        """Bring what is shown in line with what is known, and ask for what is not."""
        row, pane = self.row, self._pane()
        if row is None or pane is None or not self.is_mounted or not self.display:
            return
        look = self._shell.look
        self.query_one("#stack-head", Lines).show(self._head(row))
        if isinstance(pane, FactsPane):
            pane.show(overview(row, self._shell.now(), look.glyphs, self._book.problems), look)
        elif isinstance(pane, DiffPane):
            self.previews.want(row.definition, row.places)
            pane.show(self._differences(row))
        elif isinstance(pane, DocumentPane):
            pane.show(stack_text(row.definition))
        elif isinstance(pane, ListPane):
            rows: dict[Any, Any] = dict(service_rows(row.places)) if self.tab == "services" else _revisions(row)
            fresh = not pane.table.model.view
            pane.table.set_rows(rows)
            pane.table.refigure()
            pane.table.recheck()
            pane.told()
            if fresh and self.tab == "revisions" and (earlier := _one_before(row)) is not None:
                pane.table.choose(earlier)

    @property
    def _place(self) -> Place | None:
        places = self.row.places if self.row is not None else ()
        return places[self._server % len(places)] if places else None

    def _open_files(self, pane: FilesPane) -> None:
        place = self._place
        if not pane.is_mounted:  # what is asked of it before is lost
            self.call_after_refresh(self._open_files, pane)
        elif self.row is not None and place is not None:
            pane.open(place.deployment.server, folder_of(self.row, place))
            pane.look()

    def _file(self, file: VolumeFile) -> None:
        if self.row is not None and self._place is not None:
            self._shell.work(edit_file(self._runtime, self._shell, self.row, self._place, file))

    def action_other_server(self) -> None:
        """The files on the next of its servers."""
        pane = self._pane()
        if isinstance(pane, FilesPane) and self._place is not None:
            self._server += 1
            self._open_files(pane)
            self._shell.flash(f"files on {self._place.deployment.server}")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Another server only where files are shown, and there is one."""
        if action == "other_server":
            return self.tab == "files" and self.row is not None and len(self.row.places) > 1
        return super().check_action(action, parameters)

    def _differences(self, row: StackRow) -> Text:
        """What runs, what is deployed, the definition and git against each other, for each server."""
        look, previews = self._shell.look, self.previews
        style = look.palette.style
        text = Text()
        for place in row.places:
            server = place.deployment.server
            text.append("\n" if text.plain else "")
            preview, problem = previews.answers.get(server), previews.problems.get(server, "")
            if problem:
                text.append(f"{server}  ", style("accent bold"))
                text.append(f"{look.glyphs.fail} {problem}\n", style("bad"))
            elif preview is None:
                text.append(f"{server}  ", style("accent bold"))
                text.append("asking\n", style("dim"))
            else:
                text.append_text(preview_text(server, preview, look, sides=four_way(place.project, preview)))
        return text if text.plain else Text(row.problem or "it runs on no server")

    def _head(self, row: StackRow) -> list[Line]:
        state = state_cell(row, self._shell.look.glyphs)
        top: Line = (
            (f" {row.definition.name} ", "title bold"), *(state if isinstance(state, tuple) else ((state, ""),)),
            (f"  {row.definition.description}", "dim"),
        )  # fmt: skip
        tabs: list[Span] = [(" ", "")]
        for tab, title in TABS.items():
            here = tab == self.tab
            tabs.append((f"[{title}]" if here else f" {title} ", "accent bold" if here else "dim"))
        self.query_one("#stack-head").styles.height = 2
        return [top, tuple(tabs)]

    def action_tab(self, by: int) -> None:
        """The sub-tab at the left or the right."""
        names = list(TABS)
        self._show_tab(names[(names.index(self.tab) + by) % len(names)])

    def back(self) -> bool:
        """Leave a filter or marks of the sub-tab's list."""
        pane = self._pane()
        return isinstance(pane, ListPane | FilesPane) and pane.back()

    def restyle(self) -> None:
        """Draw again in new colours."""
        for pane in self.query(ListPane):
            pane.table.restyle()
        self.show_rows()


def _revisions(row: StackRow) -> dict[tuple[str, int], RevisionRow]:
    return {
        (place.deployment.server, revision.number): (place.deployment.server, revision)
        for place in row.places
        if place.project is not None
        for revision in place.project.revisions
    }


def _one_before(row: StackRow) -> tuple[str, int] | None:
    """The newest good revision beside what was deployed well last: the one that a return most often means."""
    for place in row.places:
        revisions = place.project.revisions if place.project is not None else ()
        good = [revision for revision in revisions if revision.outcome == "success"]
        if len(good) > 1:
            return place.deployment.server, good[1].number
    return None


def _parser(line: str) -> Callable[[RevisionRow], bool]:
    test = parse_text(line)
    return lambda r: test(f"{r[0]}\n{r[1].number}\n{r[1].outcome}\n{r[1].actor}\n{r[1].error}".lower())
