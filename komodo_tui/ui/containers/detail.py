"""One container from near: what it is, graphs, environment, processes, the engine's own document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical

from komodo_tui.domain.units import duration_text
from komodo_tui.ui.containers import facts
from komodo_tui.ui.containers.columns import Row, sign, word
from komodo_tui.ui.containers.document import DocumentPane
from komodo_tui.ui.containers.graph_pane import ContainerGraphs
from komodo_tui.ui.containers.inspection import Inspection
from komodo_tui.ui.containers.processes import process_pane, process_rows
from komodo_tui.ui.render.series import WINDOWS
from komodo_tui.ui.widgets.facts import FactsPane
from komodo_tui.ui.widgets.holding import hold_focus, pass_focus
from komodo_tui.ui.widgets.lines import Line, Lines
from komodo_tui.ui.widgets.list_pane import ListPane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from komodo_tui.ui.containers.columns import Key
    from komodo_tui.ui.containers.past import ContainerPast
    from komodo_tui.ui.look import Look
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


@dataclass(frozen=True)
class Tab:
    """One sub-tab."""

    id: str
    title: str


TABS = (
    Tab("overview", "Overview"), Tab("graphs", "Graphs"), Tab("environment", "Env"), Tab("health", "Health"),
    Tab("processes", "Processes"), Tab("inspect", "Inspect"),
)  # fmt: skip
BY_ID = {tab.id: tab for tab in TABS}


class ContainerDetail(Vertical):
    """Shows the container named last by :meth:`open`; what the agent has to be asked for comes in behind."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket,comma", "tab(-1)", "[ ] sub-tab", key_display="[ ]", show=False,
                id="container.tab_left"),
        Binding("right_square_bracket,full_stop", "tab(1)", "sub-tab", key_display="[ ]", id="container.tab_right"),
        Binding("left_curly_bracket", "window(-1)", "shorter window", show=False, key_display="{",
                id="container.shorter"),
        Binding("right_curly_bracket", "window(1)", "window", key_display="{ }", id="container.longer"),
        Binding("u", "unmask", "show secrets", id="container.unmask"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    ContainerDetail { height: 1fr; width: 1fr; }
    ContainerDetail #container-body { height: 1fr; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, past: ContainerPast, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._runtime = runtime
        self._shell = shell
        self._past = past
        self._key: Key | None = None
        self._tab = TABS[0]
        self._unmasked = False
        self._inspection = Inspection(runtime, shell, self.tick)
        self.window = 1
        """Index into :data:`WINDOWS`."""

    def compose(self) -> ComposeResult:
        """Headline, sub-tabs, body."""
        yield Lines(fixed=True, id="container-head")
        yield Vertical(id="container-body")

    @property
    def row(self) -> Row | None:
        """The container shown, while it exists."""
        if self._key is None:
            return None
        live = self._runtime.fleet.state.servers.get(self._key[0])
        container = live.containers.get(self._key[1]) if live is not None else None
        return Row(live, container) if live is not None and container is not None else None

    @property
    def settled(self) -> bool:
        """Whether all that the shown sub-tab asks for has come in."""
        asked = self._inspection
        waits = asked.processes is None if self._tab.id == "processes" else asked.detail is None
        return self._pane() is not None and not waits and not self._past.asking

    def open(self, key: Key, tab: str = "") -> None:
        """Show this container, on the named sub-tab or the one shown last."""
        if key != self._key:
            self._key, self._unmasked = key, False
        self._show_tab(BY_ID.get(tab, self._tab))

    def close(self) -> None:
        """Leave: ask for nothing any more."""
        self._key = None
        self._inspection.clear()

    def _show_tab(self, tab: Tab) -> None:
        self._tab = tab
        hold_focus(self)
        body = self.query_one("#container-body")
        for child in body.children:
            child.display = child.id == f"pane-{tab.id}"
        if self._pane() is None:
            body.mount(self._build(tab))
            self.call_after_refresh(self._ready)
        else:
            self._ready()
        self.refresh_bindings()

    def _build(self, tab: Tab) -> Widget:
        if tab.id == "graphs":
            return ContainerGraphs(self._runtime.settings.graphs, id="pane-graphs")
        if tab.id == "processes":
            return process_pane("pane-processes")
        if tab.id == "inspect":
            return DocumentPane(id="pane-inspect")
        return FactsPane(id=f"pane-{tab.id}")

    def _ready(self) -> None:
        pane = self._pane()
        if isinstance(pane, ListPane):
            pass_focus(self, pane.table)
        elif pane is not None:
            pass_focus(self, pane)
        self.tick()

    def _pane(self) -> Widget | None:
        return next(iter(self.query(f"#container-body > #pane-{self._tab.id}")), None)

    def tick(self) -> None:
        """Bring what is shown in line with what is known, and ask for what is not."""
        row, pane = self.row, self._pane()
        if row is None or pane is None or not self.display:
            return
        look = self._shell.look
        self._inspection.want(row, processes=self._tab.id == "processes")
        self.query_one("#container-head", Lines).show(self._head(row, look))
        if isinstance(pane, ContainerGraphs):
            pane.show(row, self._past.look(row, WINDOWS[self.window]), WINDOWS[self.window], self._shell.now())
        elif isinstance(pane, ListPane):
            pane.table.set_rows(process_rows(self._inspection.processes))
            pane.told()
        elif isinstance(pane, DocumentPane):
            pane.show(self._document())
        elif isinstance(pane, FactsPane):
            pane.show(self._facts(), look)

    def _document(self) -> str:
        detail = self._inspection.detail
        if detail is None:
            return self._inspection.problem or "asking the engine"
        return facts.inspect_text(detail.inspect, show_secrets=self._unmasked)

    def _facts(self) -> Any:
        detail = self._inspection.detail
        if detail is None:
            return [("", [("", self._inspection.problem or "asking the engine", "dim")])]
        if self._tab.id == "environment":
            sections = [facts.environment(detail, show_secrets=self._unmasked), facts.labels(detail)]
        elif self._tab.id == "health":
            sections = [facts.health(detail)]
        else:
            sections = [
                facts.overview(detail, self._shell.now()), facts.ports(detail), facts.mounts(detail),
                facts.networks(detail),
            ]  # fmt: skip
        return facts.as_facts(sections)

    def _head(self, row: Row, look: Look) -> list[Line]:
        glyph, tone = sign(row, look.glyphs)
        container = row.container
        facts_now = [container.image]
        if container.started and container.state == "running":
            facts_now.insert(0, f"up {duration_text(self._shell.now() - container.started)}")
        if not row.live.engine_live:
            facts_now.insert(0, f"as of {duration_text(self._shell.now() - row.live.seen)} ago")
        top: Line = (
            (f" {container.name}", "title bold"), (f"@{row.live.name} ", "dim"), (f"{glyph} {word(row)}  ", tone),
            ("  ".join(facts_now), "dim"),
        )  # fmt: skip
        tabs: list[Span] = [(" ", "")]
        for tab in TABS:
            here = tab is self._tab
            tabs.append((f"[{tab.title}]" if here else f" {tab.title} ", "accent bold" if here else "dim"))
        if self._tab.id == "graphs":
            tabs.append((f"   last {duration_text(WINDOWS[self.window])}", "dim"))
        if self._unmasked:
            tabs.append(("   secrets shown", "warn"))
        self.query_one("#container-head").styles.height = 2
        return [top, tuple(tabs)]

    def action_tab(self, by: int) -> None:
        """The sub-tab at the left or the right."""
        self._show_tab(TABS[(TABS.index(self._tab) + by) % len(TABS)])

    def action_window(self, by: int) -> None:
        """Look back less or more."""
        self.window = min(len(WINDOWS) - 1, max(0, self.window + by))
        self.tick()

    def action_unmask(self) -> None:
        """Show values that look like secrets, or hide them again."""
        self._unmasked = not self._unmasked
        self.tick()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A window belongs to graphs, secrets to where there are any."""
        if action == "window":
            return self._tab.id == "graphs"
        return self._tab.id in ("environment", "inspect") if action == "unmask" else True

    def back(self) -> bool:
        """Leave a filter or marks of the sub-tab's list."""
        pane = self._pane()
        return isinstance(pane, ListPane) and pane.back()

    def restyle(self) -> None:
        """Draw again in new colours."""
        for pane in self.query("#container-body > *"):
            restyle: Any = getattr(pane, "restyle", None)
            if restyle is not None:
                restyle()
