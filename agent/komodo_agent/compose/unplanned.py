"""A deploy that nobody planned: its plan is its own first step, told in its log before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..jobs import JobContext
    from ..wire.compose import ComposeDeploy, ComposePreview


def goes_on(context: JobContext, spec: ComposeDeploy, preview: ComposePreview) -> bool:
    """Tell the plan that nobody has seen; whether there is something to do, and all that it takes."""
    for line in plan_lines(preview):
        context.log(line)
    if preview.conflicts:
        return True  # it is refused there, as any deploy
    if not preview.changes:
        number = preview.current.number if preview.current is not None else 0
        context.log("nothing would change")
        context.result(outcome="success", revision=str(number), unchanged="yes")
        return False
    lacking = missing(spec, preview)
    if lacking:
        leave(context, lacking)
    return not lacking


def leave(context: JobContext, what: str) -> None:
    """Say what it takes, nothing having been done."""
    context.log(f"nothing was done yet: it takes {what}")
    context.result(left=what)


def missing(spec: ComposeDeploy, preview: ComposePreview) -> str:
    """What the job was not sent and cannot do without, in words; empty = nothing."""
    good = preview.last_good
    if good is not None and preview.last_good_templates and spec.fallback_of != good.number:
        return f"the values of revision {good.number}, to return to"
    pulled = [
        s.image for s in preview.services
        if s.image and not s.builds and s.verb != "remove" and (spec.pull == "always" or not s.present)
    ]  # fmt: skip
    unknown = [image for image in pulled if image not in spec.images]
    return f"the logins for {', '.join(unknown)}" if unknown else ""


def plan_lines(preview: ComposePreview) -> Iterator[str]:
    """What it is about to do, one thing a line."""
    if preview.git is not None:
        target = preview.git.target
        yield f"commit {target.id[:12]} {target.subject} ({target.author})"
    for change in preview.services:
        why = f", {change.why}" if change.why else ""
        yield f"{change.verb} {change.service}{why}"
    yield from (f"environment: {key.key} {key.change}" for key in preview.environment)
    yield from (f"file {file.path}: {file.change}" for file in preview.files)
    yield from (f"volume {name}: new" for name in preview.new_volumes)
    yield from (f"warning: {text}" for text in preview.warnings)
