"""The columns of stacks, of revisions and of services; signs of states. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.units import duration_text, long_duration_text, time_text
from komodo_tui.ui.render.cells import Cell, join
from komodo_tui.ui.render.columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from komodo_agent.wire.compose import RevisionSummary
    from komodo_tui.domain.deployments import DeploymentState
    from komodo_tui.domain.stacks import StackDefinition
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.stacks.book import Place, StackRow

_ORDER: tuple[DeploymentState, ...] = (
    "unhealthy", "restarting", "failed", "exited", "partly running", "deploying", "starting", "unknown", "paused",
    "down", "finished", "running",
)  # fmt: skip
"""Worst first."""
_OUTCOMES = {"success": "ok", "running": "busy", "rolled_back": "warn", "cancelled": "warn"}


def state_sign(state: DeploymentState, glyphs: Glyphs) -> tuple[str, str]:
    """Glyph and tone of a state."""
    return {
        "running": (glyphs.ok, "ok"), "starting": (glyphs.busy, "busy"), "deploying": (glyphs.busy, "busy"),
        "unhealthy": (glyphs.fail, "bad"), "restarting": (glyphs.fail, "bad"), "exited": (glyphs.fail, "bad"),
        "failed": (glyphs.fail, "bad"),
        "partly running": (glyphs.warn, "warn"), "paused": (glyphs.paused, "warn"), "finished": (glyphs.done, "dim"),
        "down": (glyphs.stopped, "dim"), "unknown": (glyphs.unknown, "dim"),
    }[state]  # fmt: skip


def worst(states: Iterable[DeploymentState]) -> DeploymentState | None:
    """The one that wants a look most; None of none."""
    return min(states, key=_ORDER.index, default=None)


def rank(state: DeploymentState | None) -> int:
    """For sorting, worst first."""
    return len(_ORDER) if state is None else _ORDER.index(state)


def source_text(stack: StackDefinition) -> str:
    """Where its files are."""
    if stack.git is not None:
        return f"git {stack.git.text}"
    return stack.folder or "written here"


def state_cell(row: StackRow, glyphs: Glyphs) -> Cell:
    """``● running``, and where servers differ, how many are in which state."""
    if row.problem:
        return ((f"{glyphs.fail} {row.problem}", "bad"),)
    counts: dict[DeploymentState, int] = {}
    for place in row.places:
        counts[place.deployment.state] = counts.get(place.deployment.state, 0) + 1
    several = len(row.places) > 1
    parts: list[tuple[Span, ...]] = []
    for state in sorted(counts, key=_ORDER.index):
        glyph, tone = state_sign(state, glyphs)
        parts.append(((f"{glyph} {f'{counts[state]} ' if several else ''}{state}", tone),))
    return join(parts) or (("-", "dim"),)


def drift_cell(places: Iterable[Place], glyphs: Glyphs) -> Cell:
    """``≠ 2``: services that differ from what was deployed."""
    number = sum(len(place.drift) for place in places)
    return ((f"{glyphs.drift} {number}", "warn"),) if number else ""


def differs_cell(row: StackRow, glyphs: Glyphs) -> Cell:
    """``≠ 2 edited``: services that differ from what was deployed, and whether the definition does."""
    edited: Cell = (("edited", "warn"),) if row.edited else ""
    return join((drift_cell(row.places, glyphs), edited))


def revision_text(places: Iterable[Place]) -> str:
    """The newest revision on each server, once where they are the same."""
    numbers = [place.revision_text for place in places]
    return " ".join(numbers[:1] if len(set(numbers)) == 1 else numbers)


def stack_columns(glyphs: Glyphs) -> tuple[Column[StackRow], ...]:
    """A stack in a row."""
    return (
        Column("name", "STACK", 14, lambda r: r.definition.name, key=lambda r: r.definition.name.lower(), grow=2,
               most=32),
        Column("state", "STATE", 22, lambda r: state_cell(r, glyphs),
               key=lambda r: rank(worst(p.deployment.state for p in r.places)), grow=2, most=40),
        Column("servers", "SERVERS", 10, lambda r: " ".join(r.definition.servers),
               key=lambda r: " ".join(r.definition.servers), grow=2, most=36),
        Column("drift", "DRIFT", 6, lambda r: differs_cell(r, glyphs),
               key=lambda r: (sum(len(p.drift) for p in r.places), len(r.edited)), priority=1, descending=True,
               grow=1, most=11),
        Column("revision", "REV", 5, lambda r: revision_text(r.places), priority=2, right=True),
        Column("source", "SOURCE", 14, lambda r: ((source_text(r.definition), "dim"),),
               key=lambda r: source_text(r.definition), priority=3, grow=1, most=32),
        Column("description", "DESCRIPTION", 16, lambda r: ((r.definition.description, "dim"),), priority=4, grow=3),
    )  # fmt: skip


def outcome_cell(revision: RevisionSummary, glyphs: Glyphs) -> Cell:
    """``✔ success``."""
    tone = _OUTCOMES.get(revision.outcome, "bad")
    sign = {"ok": glyphs.done, "busy": glyphs.busy, "warn": glyphs.warn}.get(tone, glyphs.fail)
    return ((f"{sign} {revision.outcome.replace('_', ' ')}", tone),)


def revision_columns(glyphs: Glyphs, now: Callable[[], float]) -> tuple[Column[tuple[str, RevisionSummary]], ...]:
    """A revision on a server in a row."""
    return (
        Column("number", "REV", 4, lambda r: str(r[1].number), key=lambda r: r[1].number, right=True, descending=True),
        Column("server", "SERVER", 10, lambda r: r[0], key=lambda r: r[0].lower(), grow=1, most=24),
        Column("outcome", "OUTCOME", 14, lambda r: outcome_cell(r[1], glyphs), key=lambda r: r[1].outcome, grow=1,
               most=20),
        Column("ago", "AGO", 5, lambda r: duration_text(now() - r[1].started), key=lambda r: r[1].started, right=True),
        Column("when", "WHEN", 19, lambda r: time_text(r[1].started), priority=3),
        Column("took", "TOOK", 6, lambda r: long_duration_text(r[1].finished - r[1].started) if r[1].finished else "",
               priority=4, right=True),
        Column("who", "WHO", 8, lambda r: r[1].actor, priority=2, grow=1, most=24),
        Column("why", "WHY", 14, lambda r: ((_why(r[1]), "dim"),), priority=1, grow=4),
    )  # fmt: skip


def _why(revision: RevisionSummary) -> str:
    if revision.error:
        return f"{revision.step}: {revision.error}" if revision.step else revision.error
    return f"back to revision {revision.rollback_of}" if revision.rollback_of else ""


def stack_filter(line: str) -> Callable[[StackRow], bool]:
    """A test by name, servers, state, tags… Raises UsageError."""
    test = parse_text(line)

    def fits(row: StackRow) -> bool:
        stack = row.definition
        states = " ".join(f"{place.deployment.state}" for place in row.places)
        words = (
            stack.name,
            stack.project_name,
            stack.description,
            *stack.servers,
            *stack.tags,
            source_text(stack),
            states,
        )
        return test("\n".join(words).lower())

    return fits
