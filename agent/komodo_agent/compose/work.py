"""What the agent's jobs and routes call of compose."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..wire.compose import ComposeAdopt, ComposeDeploy, ComposePreview, ComposeRollback
from ..wire.compose_files import ComposeWrite
from .acts import act, adopt
from .cli import find_cli
from .deploy import deploy, rollback
from .edit import write
from .ground import grounded
from .preview import look
from .project import source_of

if TYPE_CHECKING:
    from ..jobs import JobContext
    from ..wire.compose import PreviewRequest
    from ..wire.jobs import ComposeJob
    from .deploy import Host


def describe(spec: ComposeJob) -> tuple[str, str]:
    """The kind of a job and the project it works on."""
    if isinstance(spec, ComposeDeploy):
        return "deploy", spec.source.project
    if isinstance(spec, ComposeRollback):
        return "rollback", spec.project
    if isinstance(spec, ComposeAdopt):
        return "adopt", spec.project
    if isinstance(spec, ComposeWrite):
        return "write", spec.project
    return f"compose {spec.verb}", spec.project


async def run(host: Host, context: JobContext, spec: ComposeJob) -> None:
    """Do a job's work.

    Raises:
        AgentError: refused or failed.
    """
    try:
        await _run(host, context, spec)
    except AgentError as error:
        if error.code in ("conflict", "bad_request", "not_found"):
            context.result(refused=error.code)  # it was found out before anything was done
        raise


async def _run(host: Host, context: JobContext, spec: ComposeJob) -> None:
    if isinstance(spec, ComposeDeploy):
        await deploy(host, context, spec)
    elif isinstance(spec, ComposeRollback):
        await rollback(host, context, spec)
    elif isinstance(spec, ComposeAdopt):
        await adopt(host, context, spec)
    elif isinstance(spec, ComposeWrite):
        with host.kept(spec.project).lock():
            await asyncio.to_thread(write, context, spec)
    else:
        await act(host, context, spec)


async def preview(host: Host, wanted: PreviewRequest) -> ComposePreview:
    """What a deploy, or a return to a revision, would do. Changes nothing.

    Raises:
        AgentError: the source is wrong, there is no such revision, compose or the engine refused.
    """
    source = wanted.source
    kept = host.kept(source.project)
    if wanted.revision:
        revision = kept.revision(wanted.revision)
        source = source_of(source.project, revision, source.environment, source.secret_keys)
    cli = await find_cli()
    async with grounded(kept, source) as ground:
        if ground.wants and ground.source.folder:
            return ComposePreview(
                project=source.project, fingerprint="", command="", compose=str(cli), folder=ground.source.folder,
                git=ground.news, wants=ground.wants,
            )  # fmt: skip
        seen = await look(cli, host.engine, kept, ground)
    return seen.preview
