"""One deployment from near: its services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from komodo_tui.domain.units import duration_text
from komodo_tui.ui.definitions.detail import RowDetail
from komodo_tui.ui.deployments.columns import services_text
from komodo_tui.ui.deployments.services import service_pane, service_rows
from komodo_tui.ui.stacks.columns import state_sign
from komodo_tui.ui.widgets.lines import Line, Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.app import ComposeResult

    from komodo_tui.ui.deployments.services import ServiceRow
    from komodo_tui.ui.look import Look
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.stacks.book import Place
    from komodo_tui.ui.updates import UpdateMarks


class DeploymentDetail(RowDetail["Place"]):
    """Shows the deployment named last by :meth:`open`."""

    def __init__(
        self, shell: Shell, marks: UpdateMarks, single: Callable[[str], bool], *, id: str | None = None
    ) -> None:
        """``single`` tells whether a definition is one of a single container."""
        super().__init__(id=id)
        self._shell = shell
        self._single = single
        self.pane = service_pane(
            shell.look.glyphs, shell.now, self._teach, marks, servers=False, id="deployment-services"
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """Headline, services."""
        yield Lines(id="deployment-head")
        yield self.pane

    def focus_inside(self) -> None:
        """The services take keys."""
        self.pane.table.focus()

    def show_row(self, row: Place) -> None:
        """As it is now."""
        super().show_row(row)
        self.query_one("#deployment-head", Lines).show(self._head(row))
        table = self.pane.table
        table.set_rows(service_rows([row]))
        table.refigure()
        table.recheck()
        self.pane.told()

    def chosen(self) -> list[ServiceRow]:
        """The marked services, or the one under the cursor."""
        return self.pane.table.selection()

    def back(self) -> bool:
        """Leave marks or the filter of the services."""
        return self.pane.back()

    def _head(self, place: Place) -> list[Line]:
        deployment, glyphs = place.deployment, self._shell.look.glyphs
        glyph, tone = state_sign(deployment.state, glyphs)
        facts = [f"{services_text(place)} services"] if deployment.services else []
        revision = place.revision
        if revision is not None:
            ago = duration_text(self._shell.now() - revision.started)
            facts.append(f"revision {revision.number} {revision.outcome.replace('_', ' ')} {ago} ago")
        kind = "single container" if self._single(deployment.stack) else f"stack {deployment.stack}"
        facts.append(kind if deployment.stack else "discovered: A adopts it")
        top: Line = (
            (f" {deployment.project}", "title bold"), (f"@{deployment.server} ", "dim"),
            (f"{glyph} {deployment.state}  ", tone), ("  ".join(facts), "dim"),
        )  # fmt: skip
        lines: list[Line] = [top]
        if deployment.why:
            lines.append(((f" {glyphs.warn} {deployment.why}", "warn"),))
        if revision is not None and revision.error:
            lines.append(((f" {glyphs.fail} {revision.step}: {revision.error}", "bad"),))
        lines += [((f" {glyphs.drift} {name}: {words}", "warn"),) for name, words in place.drift.items()]
        return lines

    def _teach(self) -> Text:
        return Text("Nothing of it is there: D deploys it")

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.pane.table.restyle()


def teach(look: Look, problems: Mapping[str, str]) -> Text:
    """What belongs on the page while nothing is there; ``problems`` by server."""
    style = look.palette.style
    lines = [(f"{server}: {problem}\n", style("dim")) for server, problem in problems.items() if problem]
    return Text.assemble(
        ("No deployments\n\n", style("title bold")), *lines[:5],
        "Compose projects that run anywhere appear here by themselves.\n",
        ("4", style("accent bold")), "  Stacks: define one and deploy it",
    )  # fmt: skip
