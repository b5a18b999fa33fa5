"""All containers of all servers in one table, and a look at the one under the cursor beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Horizontal, Vertical

from komodo_tui.domain.filters import parse
from komodo_tui.ui.containers.columns import Row, container_columns, natural_order, row_tone
from komodo_tui.ui.containers.preview import Preview
from komodo_tui.ui.updates import UpdateMarks
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.style import Style
    from textual.app import ComposeResult

    from komodo_tui.fleet.live import Changes, FleetState
    from komodo_tui.ui.containers.columns import Key
    from komodo_tui.ui.containers.past import ContainerPast
    from komodo_tui.ui.look import Look
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

HELP = "words, !not, ~fuzzy, /regex/, server: state: stack: label: image: health:"


class ContainerList(Vertical):
    """Feeds itself from the fleet's state when told to."""

    SCOPED_CSS = False  # the size classes stand on the screen, outside
    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    ContainerList { height: 1fr; width: 1fr; }
    ContainerList #containers-main { height: 1fr; }
    ContainerList Preview { display: none; width: 35%; border-left: vkey $panel; }
    .-mid ContainerList Preview, .-wide ContainerList Preview { display: block; }
    ContainerList.-zoomed Preview { display: none; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, past: ContainerPast, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._state: FleetState = runtime.fleet.state
        self._look: Callable[[], Look] = lambda: shell.look
        self._marks = UpdateMarks(runtime.updates, shell.look)
        self.table: VirtualTable[Row] = VirtualTable(
            container_columns(shell.look.glyphs, shell.now, self._marks), order=natural_order, row_tone=row_tone,
            id="containers-table",
        )  # fmt: skip
        self.pane: ListPane[Row] = ListPane(
            "Containers", self.table, parse=_parser, empty=self._teach, help=HELP, natural="running first",
            id="containers-list",
        )  # fmt: skip
        self.preview = Preview(runtime, shell, past, id="containers-preview")

    def compose(self) -> ComposeResult:
        """Table and preview."""
        with Horizontal(id="containers-main"):
            yield self.pane
            yield self.preview

    def refresh_rows(self) -> None:
        """Read all containers anew."""
        rows = {
            (live.name, container.id): Row(live, container)
            for live in self._state.servers.values()
            for container in live.containers.values()
        }
        self.table.set_rows(rows)
        self.pane.told()
        self.show_selected()

    def tick(self, changes: Changes) -> None:
        """Take in what changed."""
        if changes.containers or changes.removed:
            self.table.update_rows(self._rows(changes), changes.removed)
        if changes.figures:
            self.table.refigure()
        if self._marks.tick():
            self.table.restyle()
        self.table.recheck()
        self.pane.told()
        self.show_selected()

    def _rows(self, changes: Changes) -> dict[Key, Row]:
        servers, found = self._state.servers, {}
        for key in changes.containers:
            live = servers.get(key[0])
            container = live.containers.get(key[1]) if live is not None else None
            if live is not None and container is not None:
                found[key] = Row(live, container)
        return found

    def show_selected(self) -> None:
        """The preview follows the cursor."""
        if self.display and self.preview.display and self.preview.size:
            self.preview.show(self.table.current)

    def _teach(self) -> Text:
        """What belongs here, or why nothing is here."""
        style = self._look().palette.style
        waiting = [live for live in self._state.servers.values() if not live.engine_live]
        lines: list[tuple[str, Style]] = []
        for live in waiting[:5]:
            engine = live.engine
            if live.error is not None:
                text = live.error.message + (f"; {live.error.hint}" if live.error.hint else "")
            elif engine is not None and engine.status != "up":
                text = engine.message or f"its engine is {engine.status}"
            else:
                text = "connecting"
            lines += [(f"{live.name}: ", style("dim")), (f"{text}\n", style(""))]
        return Text.assemble(
            ("No containers yet\n\n", style("title bold")), *lines, "\n" if lines else "",
            ("N", style("accent bold")), "  creates one on a server of your choice",
        )  # fmt: skip

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self.preview.restyle()
        self.pane.told()


def _parser(text: str) -> Callable[[Row], bool]:
    test = parse(text)
    return lambda row: test((row.live.name, row.container))
