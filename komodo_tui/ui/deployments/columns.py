"""The columns of deployments. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.units import duration_text
from komodo_tui.ui.deployments.services import started
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.stacks.columns import drift_cell, rank, state_sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.stacks.book import Place
    from komodo_tui.ui.updates import UpdateMarks


def deployment_columns(
    glyphs: Glyphs, now: Callable[[], float], single: Callable[[str], bool], marks: UpdateMarks
) -> tuple[Column[Place], ...]:
    """A deployment in a row; ``single`` tells whether a definition is one of a single container."""

    def state(place: Place) -> Cell:
        glyph, tone = state_sign(place.deployment.state, glyphs)
        return ((f"{glyph} {place.deployment.state}", tone),)

    def up(place: Place) -> str:
        since = started(place.deployment.containers)
        return duration_text(now() - since) if since else "-"

    def stack(place: Place) -> Cell:
        name = place.deployment.stack
        return (("container", "dim"),) if single(name) else name or (("discovered", "dim"),)

    def services(place: Place) -> Cell:
        deployment = place.deployment
        return marks.cell(services_text(place), marks.any(deployment.server, deployment.containers))

    return (
        Column("project", "PROJECT", 14, lambda p: p.deployment.project, key=lambda p: p.deployment.project, grow=2,
               most=32),
        Column("server", "SERVER", 9, lambda p: p.deployment.server, key=lambda p: p.deployment.server, grow=1,
               most=20),
        Column("state", "STATE", 16, state, key=lambda p: rank(p.deployment.state), grow=1, most=18),
        Column("services", "SVC", 5, services, key=lambda p: len(p.deployment.services), right=True),
        Column("drift", "DRIFT", 5, lambda p: drift_cell([p], glyphs), key=lambda p: len(p.drift), priority=2,
               descending=True),
        Column("revision", "REV", 5, lambda p: p.revision_text, key=lambda p: p.revision.number if p.revision else None,
               priority=1, right=True),
        Column("up", "UP", 5, up, key=lambda p: -(started(p.deployment.containers) or 0.0) or None, right=True,
               priority=3, descending=True),
        Column("stack", "STACK", 12, stack, key=lambda p: p.deployment.stack or None, priority=4, grow=1, most=24),
        Column("why", "WHY", 16, lambda p: ((p.deployment.why, "warn"),), priority=5, grow=4),
    )  # fmt: skip


def services_text(place: Place) -> str:
    """``2/3``: those that run, of all that have containers."""
    services = place.deployment.services
    running = sum(service.state in ("running", "starting", "unhealthy") for service in services)
    return f"{running}/{len(services)}" if services else "-"


def natural_order(place: Place) -> tuple[bool, str, str]:
    """What wants a look first, then by project."""
    return rank(place.deployment.state) > rank("partly running"), place.deployment.project, place.deployment.server


def deployment_filter(line: str, marks: UpdateMarks) -> Callable[[Place], bool]:
    """A test by project, server, stack, state, images, and ``update`` where one was replaced. Raises UsageError."""
    test = parse_text(line)

    def fits(place: Place) -> bool:
        d = place.deployment
        words = [d.server, d.project, d.stack or "discovered", d.state, *(s.image for s in d.services)]
        words += ["update"] if marks.any(d.server, d.containers) else []
        return test("\n".join(words).lower())

    return fits
