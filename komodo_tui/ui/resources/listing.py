"""Images, volumes and networks of all servers in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Horizontal, Vertical

from komodo_tui.domain.resource_filter import parse_resources
from komodo_tui.ui.resources.columns import Row, natural_order, resource_columns, row_tone
from komodo_tui.ui.resources.facts import overview
from komodo_tui.ui.updates import UpdateMarks
from komodo_tui.ui.widgets.facts import FactsPane
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.style import Style
    from textual.app import ComposeResult

    from komodo_tui.fleet.live import FleetState, ServerLive
    from komodo_tui.ui.look import Look
    from komodo_tui.ui.resources.book import Book
    from komodo_tui.ui.resources.columns import Key
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

HELP = "words, !not, ~fuzzy, /regex/, kind: server: tag: used:no dangling:yes label:"


class ResourceList(Vertical):
    """Shows what the book has."""

    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    ResourceList { height: 1fr; width: 1fr; }
    ResourceList #resources-main { height: 1fr; }
    ResourceList #resource-preview { display: none; width: 35%; background: transparent; border-left: vkey $panel; }
    .-mid ResourceList #resource-preview, .-wide ResourceList #resource-preview { display: block; }
    ResourceList.-zoomed #resource-preview { display: none; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, book: Book, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._state: FleetState = runtime.fleet.state
        self._book = book
        self._look: Callable[[], Look] = lambda: shell.look
        self._now = shell.now
        self._marks = UpdateMarks(runtime.updates, shell.look)
        self.preview = FactsPane(id="resource-preview")
        self.preview.can_focus = False
        self.table: VirtualTable[Row] = VirtualTable(
            resource_columns(shell.look.glyphs, shell.now, self._marks), order=natural_order, row_tone=row_tone,
            id="resources-table",
        )  # fmt: skip
        self.pane: ListPane[Row] = ListPane(
            "Resources", self.table, parse=_parser, empty=self._teach, help=HELP, natural="kind, name",
            id="resources-list",
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """The list, and what the cursor is on beside it where there is room."""
        with Horizontal(id="resources-main"):
            yield self.pane
            yield self.preview

    def look_for_updates(self) -> None:
        """Let registries be asked where it is time, and show what is new."""
        if self._marks.tick():
            self.table.restyle()

    def refresh_rows(self) -> None:
        """Take over what the book has of the servers there are."""
        rows: dict[Key, Row] = {}
        for live in self._state.servers.values():
            rows |= self._rows(live)
        self.table.set_rows(rows)
        self.pane.told()
        self.show_selected()

    def refresh_server(self, server: str) -> None:
        """Take over what the book has of one server."""
        live = self._state.servers.get(server)
        rows = self._rows(live) if live is not None else {}
        known = self.table.model.rows
        changed = {key: row for key, row in rows.items() if known.get(key) != row}
        removed = [key for key, row in known.items() if row.live.name == server and key not in rows]
        self.table.update_rows(changed, removed)
        self.pane.told()
        self.show_selected()

    def _rows(self, live: ServerLive) -> dict[Key, Row]:
        listing = self._book.listing(live.name)
        spaces = {(i.kind, i.id): i for i in listing.usage.items} if listing.usage else {}
        rows = (Row(live, found, spaces.get((found.kind, found.id))) for found in listing.resources)
        return {row.key: row for row in rows}

    def show_selected(self) -> None:
        """The preview follows the cursor."""
        if self.preview.display and self.preview.size:
            row = self.table.current
            facts = overview(row, self._now()) if row is not None else []
            if row is not None:
                facts[0] = (f"{row.resource.kind} on {row.live.name}", facts[0][1])
            self.preview.show(facts, self._look())

    def row(self, key: Key) -> Row | None:
        """The row of this key, while there is one."""
        return self.table.model.rows.get(key)

    def _teach(self) -> Text:
        """What belongs here, or why nothing is here."""
        style = self._look().palette.style
        lines: list[tuple[str, Style]] = []
        for live in list(self._state.servers.values())[:5]:
            listing = self._book.listing(live.name)
            words = "asking" if listing.asking else listing.problem
            if words:
                lines += [(f"{live.name}: ", style("dim")), (f"{words}\n", style(""))]
        return Text.assemble(
            ("No images, volumes or networks yet\n\n", style("title bold")), *lines, "\n" if lines else "",
            ("N", style("accent bold")), "  pulls an image, creates a volume or a network",
        )  # fmt: skip

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self.pane.told()
        self.show_selected()


def _parser(text: str) -> Callable[[Row], bool]:
    test = parse_resources(text)
    return lambda row: test(row.live.name, row.resource)
