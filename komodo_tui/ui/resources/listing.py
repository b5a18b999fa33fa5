"""Images, volumes and networks of all servers in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Vertical

from komodo_tui.domain.resource_filter import parse_resources
from komodo_tui.ui.resources.columns import Row, natural_order, resource_columns, row_tone
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.style import Style
    from textual.app import ComposeResult

    from komodo_tui.fleet.live import FleetState
    from komodo_tui.ui.look import Look
    from komodo_tui.ui.resources.book import Book
    from komodo_tui.ui.resources.columns import Key
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

HELP = "words, !not, ~fuzzy, /regex/, kind: server: tag: used:no dangling:yes label:"


class ResourceList(Vertical):
    """Shows what the book has."""

    DEFAULT_CSS = "ResourceList { height: 1fr; width: 1fr; }"

    def __init__(self, runtime: Runtime, shell: Shell, book: Book, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._state: FleetState = runtime.fleet.state
        self._book = book
        self._look: Callable[[], Look] = lambda: shell.look
        self.table: VirtualTable[Row] = VirtualTable(
            resource_columns(shell.look.glyphs, shell.now), order=natural_order, row_tone=row_tone,
            id="resources-table",
        )  # fmt: skip
        self.pane: ListPane[Row] = ListPane(
            "Resources", self.table, parse=_parser, empty=self._teach, help=HELP, natural="kind, name",
            id="resources-list",
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """The list."""
        yield self.pane

    def refresh_rows(self) -> None:
        """Take over what the book has of the servers there are."""
        rows: dict[Key, Row] = {}
        for live in self._state.servers.values():
            listing = self._book.listing(live.name)
            spaces = {(i.kind, i.id): i for i in listing.usage.items} if listing.usage else {}
            for resource in listing.resources:
                row = Row(live, resource, spaces.get((resource.kind, resource.id)))
                rows[row.key] = row
        self.table.set_rows(rows)
        self.pane.told()

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


def _parser(text: str) -> Callable[[Row], bool]:
    test = parse_resources(text)
    return lambda row: test(row.live.name, row.resource)
