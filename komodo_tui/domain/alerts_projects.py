"""Compose projects that are not as they were deployed: not there, half there, otherwise, or not deployed well. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.alerts import Subject
from komodo_tui.domain.alerts_readings import Reading
from komodo_tui.domain.units import count_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from komodo_agent.wire.compose import ComposeProject
    from komodo_tui.domain.levels import Level

_NOT_WELL = frozenset({"failed", "interrupted", "rolled_back", "rollback_failed"})
_FEW = 3
"""Services that are named."""


def project_readings(server: str, project: ComposeProject, news_from: float) -> Iterator[Reading]:
    """What is wrong with a project as its agent tells; nothing of one that somebody took down, or works on now.

    ``news_from``: Unix time from which on a deploy that failed is news.
    """
    if not project.managed or project.busy:
        return
    deployment = Subject(server, "deployment", project.name)
    missing = [service.service for service in project.services if service.state == "missing"]
    there = [service for service in project.services if service.state != "missing"]
    newest = project.revisions[0] if project.revisions else None
    if missing and not there:
        yield Reading(deployment, "critical", "critical", None, "nothing of it is there any more")
    elif missing:
        more = f" and {count_text(len(missing) - _FEW, 'more service')}" if len(missing) > _FEW else ""
        text = f"not there: {', '.join(missing[:_FEW])}{more}"
        yield Reading(deployment, "warning", "warning", None, text)
    elif newest is not None and newest.outcome in _NOT_WELL:
        bad: Level = "critical" if newest.outcome == "rollback_failed" else "warning"
        why = f"deploy {newest.number} {newest.outcome.replace('_', ' ')}: {newest.error}".rstrip(": ")
        yield Reading(deployment, bad, bad, None, why, old=newest.finished < news_from, lasts=0.0)
    drifted = next((service for service in there if service.drift), None)
    if drifted is not None and any(service.state.startswith("running") for service in there):
        text = f"{drifted.service}: {drifted.drift}"
        yield Reading(Subject(server, "drift", project.name), "warning", "warning", None, text)
