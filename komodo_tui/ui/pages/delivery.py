"""The Delivery page: each commit's way from its build through its image to the containers that run it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from komodo_tui.domain.delivery import STATE_WORDS, parse_deliveries
from komodo_tui.domain.operations import Target
from komodo_tui.domain.units import duration_text, long_duration_text, time_text
from komodo_tui.operations.delivery import images_on, joined, read_built
from komodo_tui.ui.definitions.asking import Reading
from komodo_tui.ui.page import Page
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.widgets.facts import FactsPane
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from komodo_tui.domain.delivery import Built, Delivery
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.widgets.facts import Facts

_AGAIN = 15.0
"""Seconds between two looks at the history and at who has which image, while the page is on screen."""
_TONES = {"live": "ok", "building": "busy", "failed": "bad", "older": "warn", "nowhere": "dim"}
HELP = "words of build, version, commit, stack, server; live older nowhere failed; !not, ~fuzzy, /regex/"


class DeliveryPage(Page):
    """Builds are read in a thread; what runs is the live state, joined anew when containers change."""

    TITLE = "Delivery"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "container", "its container", id="delivery.container"),
        Binding("c", "copy", "copy commit", show=False, id="delivery.copy"),
        Binding("ctrl+r", "again", "refresh", show=False, key_display="^R", id="delivery.again"),
    ]
    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    DeliveryPage #delivery-main { height: 1fr; }
    DeliveryPage #delivery-facts { display: none; width: 40%; background: transparent; border-left: vkey $panel; }
    .-mid DeliveryPage #delivery-facts, .-wide DeliveryPage #delivery-facts { display: block; }
    DeliveryPage.-zoomed #delivery-facts { display: none; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self._reading: Reading[tuple[Built, ...]] = Reading(shell, lambda: read_built(runtime.history), self._take)
        self._built: tuple[Built, ...] = ()
        self._images: dict[str, tuple[str, ...]] = {}
        self._asking = self._read = False
        self._looked = 0.0
        self.table: VirtualTable[Delivery] = VirtualTable(
            self._columns(), order=lambda one: (one.name, -(one.built.at if one.built else 0.0)), id="delivery-table"
        )
        self.pane: ListPane[Delivery] = ListPane(
            "Delivery", self.table, parse=parse_deliveries, empty=self._teach, help=HELP, natural="build, newest first",
            id="delivery-list",
        )  # fmt: skip
        self.facts = FactsPane(id="delivery-facts")
        self.facts.can_focus = False

    def _columns(self) -> tuple[Column[Delivery], ...]:
        return (
            Column("state", "STATE", 16, self._state, key=lambda one: one.state, grow=1, most=24),
            Column("build", "BUILD", 10, lambda one: one.name, key=lambda one: one.name, grow=1, most=30),
            Column("version", "VERSION", 9, lambda one: one.version or "-", key=lambda one: one.version),
            Column("commit", "COMMIT", 10, lambda one: one.commit[:10] or "-", key=lambda one: one.commit, priority=1),
            Column("built", "BUILT", 9, self._age, key=lambda one: one.built.at if one.built else 0.0, right=True,
                   priority=3),
            Column("where", "RUNS ON", 16, lambda one: one.where or "-", key=lambda one: one.where, grow=3),
            Column("image", "IMAGE ON", 12, lambda one: ((", ".join(one.on) or "-", "dim"),), priority=2, grow=1),
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """The list, and what the cursor is on beside it where there is room."""
        with Horizontal(id="delivery-main"):
            yield self.pane
            yield self.facts

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Look anew and take the focus."""
        self.table.focus()
        self._look()

    def tick(self, changes: Changes) -> None:
        """What runs moves; builds and lists of images are looked at now and then."""
        if self.shell.now() - self._looked >= _AGAIN:
            self._look()
        if changes.structure or changes.containers or changes.removed:
            self._join()
        self.table.recheck()
        self._show_facts()

    def back(self) -> bool:
        """Marks and the filter."""
        return self.pane.back()

    def zoom(self) -> None:
        """The list over the whole width, or with the facts again."""
        self.toggle_class("-zoomed")

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self._show_facts()

    # -- what is known ------------------------------------------------------------------------------------------

    def _look(self) -> None:
        self._looked = self.shell.now()
        self._reading.look()
        if not self._asking:
            self._asking = True
            self.shell.work(self._ask())

    def _take(self, built: tuple[Built, ...]) -> None:
        self._built, self._read = built, True
        self._join()

    async def _ask(self) -> None:
        try:
            self._images = await images_on(self.runtime.fleet)
        finally:
            self._asking = False
        self._join()

    def _join(self) -> None:
        if not self.is_mounted:
            return
        rows = {one.key: one for one in joined(self._built, self.runtime.fleet.state, self._images)}
        if rows != self.table.model.rows:
            self.table.set_rows(rows)
        self.pane.told()
        self._show_facts()

    # -- what is shown ------------------------------------------------------------------------------------------

    def _state(self, one: Delivery) -> Cell:
        glyphs = self.shell.look.glyphs
        signs = {"live": glyphs.ok, "building": glyphs.busy, "failed": glyphs.fail, "older": glyphs.warn,
                 "nowhere": glyphs.stopped}  # fmt: skip
        return ((f"{signs[one.state]} {STATE_WORDS[one.state]}", _TONES[one.state]),)

    def _age(self, one: Delivery) -> str:
        return duration_text(self.shell.now() - one.built.at) if one.built is not None else "elsewhere"

    def _show_facts(self) -> None:
        if self.facts.display and self.facts.size:
            one = self.table.current
            self.facts.show(_facts(one) if one is not None else [], self.shell.look)

    def _teach(self) -> Text:
        style = self.shell.look.palette.style
        if not self._read:
            return Text("reading")
        return Text.assemble(
            ("Nothing was built yet\n\n", style("title bold")),
            "A build on the Builds tab (", ("6", style("accent")), ") stands here with the commit it is of,\n",
            "and with every container that runs its image.",
        )  # fmt: skip

    # -- moving on ----------------------------------------------------------------------------------------------

    @on(VirtualTable.Highlighted, "#delivery-table")
    def _moved(self) -> None:
        self._show_facts()

    @on(VirtualTable.Selected, "#delivery-table")
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        one = self.table.current
        if one is not None and one.built is not None:
            self.shell.go("builds", Target(server="", name=one.name))
        else:
            self.action_container()

    def action_container(self) -> None:
        """Go to the first container of it."""
        one = self.table.current
        if one is None or not one.places:
            self.shell.flash("nothing runs of it", "warn")
            return
        place = one.places[0]
        self.shell.go("containers", Target(server=place.server, name=place.container, id=place.id))

    def action_copy(self) -> None:
        """Copy the commit."""
        one = self.table.current
        if one is not None and one.commit:
            self.shell.copy(one.commit, "commit")

    def action_again(self) -> None:
        """Look at everything anew."""
        self._look()


def _facts(one: Delivery) -> Facts:
    built = one.built
    first = [("commit", one.commit or "not known", "")]
    if built is not None:
        first += [
            ("built", f"{time_text(built.at)} on {built.server}, in {long_duration_text(built.seconds)}", ""),
            ("outcome", built.outcome or "under way", "bad" if built.outcome not in ("success", "") else ""),
        ]
    image = [("image", one.image.removeprefix("sha256:")[:24] or "none", "")]
    image += [("called", name, "") for name in (built.references if built is not None else ())]
    image += [("on", ", ".join(one.on) or "no server that answers", "")]
    runs = [
        (f"{place.container}@{place.server}", f"{place.state}{f', of {place.stack}' if place.stack else ''}", "")
        for place in one.places
    ]
    return [(f"{one.name} {one.version}".strip(), first), ("Image", image), ("Runs", runs or [("", "nowhere", "dim")])]
