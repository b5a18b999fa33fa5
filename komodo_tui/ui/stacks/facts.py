"""What there is to know of a stack, in labelled lines. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.masking import mask_env
from komodo_tui.domain.units import duration_text
from komodo_tui.ui.stacks.columns import source_text, state_sign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.stacks import StackDefinition
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.stacks.book import Place, StackRow
    from komodo_tui.ui.widgets.facts import Facts

Lines = list[tuple[str, str, str]]


def overview(row: StackRow, now: float, glyphs: Glyphs, problems: Mapping[str, str]) -> Facts:
    """Where it is, what it is, its environment."""
    places: Lines = []
    for place in row.places:
        places += _place(place, now, glyphs, problems.get(place.deployment.server, ""))
        if place.deployment.server in row.edited:
            places.append(("", "the definition was changed since: D shows what a deploy would do", "warn"))
    if row.problem:
        places.append(("", row.problem, "bad"))
    return [
        ("Deployed", places), ("Definition", _definition(row.definition)), ("Environment", _environment(row.definition))
    ]  # fmt: skip


def _place(place: Place, now: float, glyphs: Glyphs, problem: str) -> Lines:
    deployment, revision = place.deployment, place.revision
    glyph, tone = state_sign(deployment.state, glyphs)
    words = [f"{glyph} {deployment.state}"]
    running = sum(service.state == "running" for service in deployment.services)
    if deployment.services:
        words.append(f"{running}/{len(deployment.services)} services")
    if revision is not None:
        ago = f"{duration_text(now - revision.started)} ago"
        words.append(f"revision {revision.number} {revision.outcome.replace('_', ' ')}, {ago}")
        words += [f"commit {revision.commit[:10]}"] if revision.commit else []
    lines: Lines = [(deployment.server, "   ".join(words), tone)]
    lines += [("", words, "warn") for words in deployment.why.split("; ") if words]
    if revision is not None and revision.error and revision.error not in deployment.why:
        lines.append(("", f"revision {revision.number}: {revision.error}", "bad"))
    lines += [("", f"{glyphs.drift} {service}: {words}", "warn") for service, words in place.drift.items()]
    return [*lines, ("", problem, "bad")] if problem else lines


def _definition(stack: StackDefinition) -> Lines:
    health = stack.health
    wanted = [
        ("description", stack.description), ("servers", " ".join(stack.servers)), ("project", stack.project_name),
        ("source", source_text(stack)), ("files", " ".join(stack.files)), ("attached", " ".join(stack.attached)),
        ("env files", " ".join(stack.env_files)),
        ("profiles", " ".join(stack.profiles)), ("pull", stack.pull), ("build", "before up" if stack.build else ""),
        ("health", f"within {health.window:g} s, steady {health.steady:g} s; else {health.on_failure}"),
        ("not waited for", " ".join(stack.ignore_services)), ("before", "; ".join(stack.pre_deploy)),
        ("after", "; ".join(stack.post_deploy)), ("more arguments", " ".join(stack.extra_args)),
        ("deployed after", " ".join(stack.after)),
        ("revisions kept", str(stack.revisions)), ("tags", " ".join(stack.tags)), ("links", " ".join(stack.links)),
    ]  # fmt: skip
    return [(label, value, "") for label, value in wanted if value]


def _environment(stack: StackDefinition) -> Lines:
    lines = [(key, _shown(key, value), "") for key, value in stack.environment.items()]
    for server, values in stack.per_server.items():
        lines += [(f"{key} on {server}", _shown(key, value), "") for key, value in values.items()]
    return lines or [("", "none", "dim")]


def _shown(key: str, value: str) -> str:
    """``[[NAME]]`` is no value yet; what looks like a secret stays hidden."""
    return value if "[[" in value else mask_env(key, value)
