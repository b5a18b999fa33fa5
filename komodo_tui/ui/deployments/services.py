"""The services of deployments in rows, with what they use now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.operations import Target
from komodo_tui.domain.units import bytes_text, duration_text
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.stacks.columns import rank, state_sign
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from rich.text import Text

    from komodo_agent.wire.models import Container, ContainerSample
    from komodo_tui.domain.deployments import Service
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.stacks.book import Place
    from komodo_tui.ui.updates import UpdateMarks

ServiceKey = tuple[str, str, str]
"""Server, project, service."""


class ServiceRow(NamedTuple):
    """A service of a deployment."""

    place: Place
    service: Service

    @property
    def key(self) -> ServiceKey:
        """What tells it from all others."""
        return (*self.place.key, self.service.name)

    @property
    def samples(self) -> list[ContainerSample]:
        """The last figures of its containers."""
        live = self.place.live
        if live is None:
            return []
        return [s for c in self.service.containers if (s := live.samples.get(c.id)) is not None]


def service_rows(places: Iterable[Place]) -> dict[ServiceKey, ServiceRow]:
    """All services of these, and those that were deployed but have no container."""
    rows = (ServiceRow(place, service) for place in places for service in place.deployment.services)
    return {row.key: row for row in rows}


def containers_of(places: Iterable[Place], services: Collection[str] = ()) -> list[tuple[str, Container]]:
    """Server and container of these deployments, or of these services of theirs."""
    return [
        (place.deployment.server, container)
        for place in places
        for service in place.deployment.services
        if not services or service.name in services
        for container in service.containers
    ]


def targets_of(containers: Iterable[Container], server: str) -> list[Target]:
    """For logs and shells."""
    return [Target(server=server, name=container.name, id=container.id) for container in containers]


def started(containers: Iterable[Container]) -> float | None:
    """When the one that runs for the shortest time was started; None while none runs."""
    return max((c.started for c in containers if c.state in ("running", "paused") and c.started > 0), default=None)


def service_columns(
    glyphs: Glyphs, now: Callable[[], float], marks: UpdateMarks, *, servers: bool
) -> tuple[Column[ServiceRow], ...]:  # fmt: skip
    """``servers``: there may be several."""

    def image(row: ServiceRow) -> Cell:
        server = row.place.deployment.server
        return marks.cell(row.service.image, marks.any(server, row.service.containers))

    place = Column[ServiceRow]("server", "SERVER", 10, lambda r: r.place.deployment.server,
                               key=lambda r: r.place.deployment.server, grow=1, most=20)  # fmt: skip

    def state(row: ServiceRow) -> tuple[tuple[str, str], ...]:
        glyph, tone = state_sign(row.service.state, glyphs)
        return ((f"{glyph} {row.service.state}", tone),)

    def up(row: ServiceRow) -> str:
        since = started(row.service.containers)
        return duration_text(now() - since) if since else "-"

    def drift(row: ServiceRow) -> tuple[tuple[str, str], ...]:
        words = row.place.drift.get(row.service.name, "")
        return ((f"{glyphs.drift} {words}", "warn"),) if words else ()

    return (
        Column("service", "SERVICE", 14, lambda r: r.service.name, key=lambda r: r.service.name.lower(), grow=2,
               most=30),
        *((place,) if servers else ()),
        Column("state", "STATE", 14, state, key=lambda r: rank(r.service.state), grow=1, most=18),
        Column("replicas", "RUN", 5, _replicas, key=lambda r: len(r.service.containers), right=True, priority=4),
        Column("cpu", "CPU%", 6, lambda r: _sum(r, lambda s: s.cpu, "{:.1f}".format), right=True, live=True,
               key=lambda r: sum(s.cpu for s in r.samples), descending=True, priority=1),
        Column("memory", "MEM", 6, lambda r: _sum(r, lambda s: s.memory, lambda n: bytes_text(int(n))), right=True,
               live=True, key=lambda r: sum(s.memory for s in r.samples), descending=True, priority=1),
        Column("up", "UP", 5, up, right=True, priority=2),
        Column("image", "IMAGE", 14, image, key=lambda r: r.service.image, priority=3, grow=2,
               most=48),
        Column("drift", "DRIFT", 12, drift, priority=5, grow=2),
        Column("why", "", 12, lambda r: ((r.service.why, "warn"),), priority=6, grow=3),
    )  # fmt: skip


def _replicas(row: ServiceRow) -> str:
    return f"{sum(c.state == 'running' for c in row.service.containers)}/{len(row.service.containers)}"


def _sum(row: ServiceRow, of: Callable[[ContainerSample], float], words: Callable[[float], str]) -> str:
    samples = row.samples
    return words(sum(map(of, samples))) if samples else "-"


def service_pane(
    glyphs: Glyphs,
    now: Callable[[], float],
    empty: Callable[[], Text],
    marks: UpdateMarks,
    *,
    servers: bool,
    id: str,
) -> ListPane[ServiceRow]:
    """The list; its table's id is ``<id>-table``."""
    table: VirtualTable[ServiceRow] = VirtualTable(
        service_columns(glyphs, now, marks, servers=servers),
        order=lambda r: (r.service.name, r.place.key),
        id=f"{id}-table",
    )
    return ListPane("Services", table, parse=_parser, empty=empty, help="words, !not, ~fuzzy, /regex/", id=id,
                    natural="by name")  # fmt: skip


def _parser(line: str) -> Callable[[ServiceRow], bool]:
    test = parse_text(line)
    return lambda row: test("\n".join((*row.key, row.service.state, row.service.image)).lower())
