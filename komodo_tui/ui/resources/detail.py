"""One image, volume or network from near: what it is and the engine's own document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.units import duration_text
from komodo_tui.ui.containers.document import DocumentPane
from komodo_tui.ui.containers.facts import inspect_text
from komodo_tui.ui.resources.columns import sign, word
from komodo_tui.ui.resources.facts import overview
from komodo_tui.ui.resources.files import FilesPane
from komodo_tui.ui.widgets.facts import FactsPane
from komodo_tui.ui.widgets.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.widget import Widget

    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.resources.columns import Key, Row
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_PATIENCE = 5.0
TABS = {"overview": "Overview", "files": "Files", "inspect": "Inspect"}


class ResourceDetail(Vertical):
    """Shows the resource named last by :meth:`open`; its document comes in behind."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket,comma", "tab(-1)", "sub-tab", key_display="[ ]", show=False,
                id="resource.tab_left"),
        Binding("right_square_bracket,full_stop", "tab(1)", "sub-tab", key_display="[ ]", id="resource.tab_right"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    ResourceDetail { height: 1fr; width: 1fr; }
    ResourceDetail #resource-head { height: 2; }
    ResourceDetail #resource-body { height: 1fr; }
    """

    def __init__(
        self, runtime: Runtime, shell: Shell, look_up: Callable[[Key], Row | None], *, id: str | None = None
    ) -> None:
        """``look_up`` finds the row of a key, while there is one."""
        super().__init__(id=id)
        self._runtime = runtime
        self._shell = shell
        self._look_up = look_up
        self._key: Key | None = None
        self._tab = "overview"
        self._document: dict[str, Any] | None = None
        self._problem = ""
        self.files = FilesPane(runtime, shell, id="resource-files")

    def compose(self) -> ComposeResult:
        """Headline, sub-tabs, body."""
        yield Lines(fixed=True, id="resource-head")
        with Vertical(id="resource-body"):
            yield FactsPane(id="resource-overview")
            yield self.files
            yield DocumentPane(id="resource-inspect")

    @property
    def row(self) -> Row | None:
        """The resource shown, while it exists."""
        return None if self._key is None else self._look_up(self._key)

    @property
    def settled(self) -> bool:
        """Whether the document has come in, or why it did not."""
        return self._document is not None or bool(self._problem)

    def open(self, key: Key, tab: str = "") -> None:
        """Show this one, on the named sub-tab or the one shown last."""
        if key != self._key:
            self._key, self._document, self._problem = key, None, ""
            self._shell.work(self._ask(key))
        self.files.open(key[0], key[2] if key[1] == "volume" else "")
        self._show_tab(tab or self._tab)

    def close(self) -> None:
        """Leave."""
        self._key = None

    async def _ask(self, key: Key) -> None:
        document, problem = None, ""
        try:
            client = await self._runtime.fleet.link(key[0]).client(_PATIENCE)
            document = (await client.resource(key[1], key[2])).inspect
        except KomodoError as error:
            problem = error.message + (f"; {error.hint}" if error.hint else "")
        if key == self._key:
            self._document, self._problem = document, problem
            self.tick()

    def _panes(self) -> dict[str, Widget]:
        return {tab: self.query_one(f"#resource-{tab}") for tab in TABS}

    @property
    def tabs(self) -> list[str]:
        """Sub-tabs there are for what is shown: files belong to volumes."""
        files = self._key is not None and self._key[1] == "volume"
        return [tab for tab in TABS if tab != "files" or files]

    @property
    def tab(self) -> str:
        """The sub-tab shown."""
        return self._tab

    def _show_tab(self, tab: str) -> None:
        self._tab = tab if tab in self.tabs else self.tabs[0]
        for name, pane in self._panes().items():
            pane.display = name == self._tab
        shown = self._panes()[self._tab]
        if isinstance(shown, FilesPane):
            shown.look()
        else:
            shown.focus()
        self.tick()

    def tick(self) -> None:
        """Bring what is shown in line with what is known."""
        row = self.row
        if row is None or not self.display:
            return
        self.query_one("#resource-head", Lines).show([self._headline(row), self._tabs()])
        if self._tab == "overview":
            self.query_one(FactsPane).show(overview(row, self._shell.now()), self._shell.look)
        elif self._tab == "inspect":
            self.query_one(DocumentPane).show(self._text())

    def _text(self) -> str:
        if self._document is None:
            return self._problem or "asking the engine"
        return inspect_text(self._document, show_secrets=False)

    def _headline(self, row: Row) -> tuple[Span, ...]:
        glyph, tone = sign(row, self._shell.look.glyphs)
        stale = "" if row.live.engine_live else f"  as of {duration_text(self._shell.now() - row.live.seen)} ago"
        return (
            (f" {row.label}", "title bold"), (f"@{row.live.name} ", "dim"), (f"{glyph} {word(row)}  ", tone),
            (row.resource.kind + stale, "dim"),
        )  # fmt: skip

    def _tabs(self) -> tuple[Span, ...]:
        here = self._tab
        return ((" ", ""), *((f"[{title}]" if tab == here else f" {title} ", "accent bold" if tab == here else "dim")
                             for tab, title in TABS.items() if tab in self.tabs))  # fmt: skip

    def action_tab(self, by: int) -> None:
        """The sub-tab at the left or the right."""
        names = self.tabs
        self._show_tab(names[(names.index(self._tab) + by) % len(names)])

    def back(self) -> bool:
        """Up from a folder, or out of a filter."""
        return self._tab == "files" and self.files.back()
