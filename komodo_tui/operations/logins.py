"""The jobs of a plan with the logins, tokens and secrets that they need: put in last, and never written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.builds import BuildJob
from komodo_agent.wire.compose import ComposeAct, ComposeDeploy
from komodo_agent.wire.jobs import CreateContainer
from komodo_agent.wire.registry import RegistryJob
from komodo_agent.wire.repos import RepoJob
from komodo_agent.wire.resources import PullImage, PushImage
from komodo_agent.wire.tasks import ExecTask, RunTask
from komodo_tui.domain.operations import CommandOperation
from komodo_tui.operations.build_plans import with_secrets
from komodo_tui.operations.command_plans import with_values
from komodo_tui.operations.intents import job_specs
from komodo_tui.operations.registry_plans import with_registry_login
from komodo_tui.operations.repo_plans import source_with_token, with_token

if TYPE_CHECKING:
    from komodo_agent.wire.jobs import JobSpec
    from komodo_tui.domain.operations import Plan
    from komodo_tui.operations.values import StoredValues


def jobs_with_logins(plan: Plan, values: StoredValues | None) -> list[JobSpec]:
    """What each step asks its agent to do, with what neither plans nor the history ever have. Blocks.

    Raises:
        NotFoundError, StoreError: a secret that one needs is not there, or cannot be read.
    """
    specs = job_specs(plan)
    if values is None:
        return list(specs)
    operation, servers = plan.operation, [step.target.server for step in plan.steps]
    if isinstance(operation, CommandOperation):
        return [
            with_values(spec, operation, server, values) if isinstance(spec, ExecTask | RunTask) else spec
            for spec, server in zip(specs, servers, strict=True)
        ]
    return [_with_login(spec, server, values) for spec, server in zip(specs, servers, strict=False)]


def _with_repo_token(spec: ComposeDeploy, server: str, values: StoredValues) -> ComposeDeploy:
    """An unplanned deploy gets its repository by itself; any other has the commit on the server already."""
    git = spec.source.git
    if git is None or not spec.unplanned:
        return spec
    git = msgspec.structs.replace(git, repo=source_with_token(git.repo.url, git.repo, server, values))
    return msgspec.structs.replace(spec, source=msgspec.structs.replace(spec.source, git=git))


def _with_login(spec: JobSpec, server: str, values: StoredValues) -> JobSpec:
    if isinstance(spec, PullImage | CreateContainer) and not spec.registry_auth:
        return msgspec.structs.replace(spec, registry_auth=values.registry_auth(spec.image))
    if isinstance(spec, PushImage) and not spec.registry_auth:
        return msgspec.structs.replace(spec, registry_auth=values.registry_auth(spec.reference))
    if isinstance(spec, ComposeDeploy | ComposeAct):
        logins = {image: values.registry_auth(image) for image in spec.images}
        if isinstance(spec, ComposeDeploy):
            spec = _with_repo_token(spec, server, values)
        return msgspec.structs.replace(spec, logins={image: login for image, login in logins.items() if login})
    if isinstance(spec, RegistryJob):
        return with_registry_login(spec, values)
    if isinstance(spec, BuildJob):
        return with_secrets(spec, server, values)
    return with_token(spec, server, values) if isinstance(spec, RepoJob) else spec
