"""The four sides of a stack on a server, by service: what runs, what was deployed, its definition, git. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.units import count_text

if TYPE_CHECKING:
    from komodo_agent.wire.compose import ComposePreview, ComposeProject
    from komodo_agent.wire.compose_git import GitNews

_DEFINITION = {
    "same": "as deployed", "changed": "changed", "new": "new", "gone": "not in it", "unknown": "-",
}  # fmt: skip


class FourWay(msgspec.Struct, frozen=True, kw_only=True):
    """One service. Each side is told against the one before it."""

    service: str
    running: str
    deployed: str
    definition: str
    git: str
    drift: str = ""
    """How what runs differs from what was deployed."""
    differs: tuple[str, ...] = ()
    """The sides that are not as the one before them: ``running``, ``definition``, ``git``."""


def four_way(project: ComposeProject | None, preview: ComposePreview) -> tuple[FourWay, ...]:
    """Every service that is on one of the sides, by name."""
    running = {service.service: service for service in project.services} if project is not None else {}
    planned = {change.service: change for change in preview.services}
    good = preview.last_good
    git, git_differs = _git(preview.git)
    found = []
    for name in sorted({*running, *planned, *(good.images if good is not None else ())}):
        runs, change = running.get(name), planned.get(name)
        was = good is not None and name in good.images
        against = change.deployed if change is not None else "gone"
        differs = [
            *(["running"] if runs is not None and runs.drift else []),
            *(["definition"] if against in ("changed", "new", "gone") else []),
            *(["git"] if git_differs else []),
        ]
        found.append(
            FourWay(
                service=name,
                running=runs.state if runs is not None else "not there",
                deployed=f"revision {good.number}" if good is not None and was else "-",
                definition=_DEFINITION[against],
                git=git,
                drift=runs.drift if runs is not None else "",
                differs=tuple(differs),
            )
        )
    return tuple(found)


def _git(news: GitNews | None) -> tuple[str, bool]:
    """How the branch stands to the commit that the definition means."""
    if news is None:
        return "-", False
    if news.behind:
        return f"{count_text(news.behind, 'commit')} on", True
    return news.target.id[:10], False
