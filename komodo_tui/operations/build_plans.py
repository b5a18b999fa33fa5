"""What a build would do, the job it becomes, and the secrets it gets at the last moment."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.builds import BuildOperation, check_build, job_of, pushed_name
from komodo_tui.domain.errors import NotFoundError, RefusedError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.operations.build_definitions import draft_definition
from komodo_tui.operations.container_plans import Draft, server_of, stale
from komodo_tui.operations.repo_plans import lent_words, source_with_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from komodo_agent.wire.builds import BuildJob
    from komodo_tui.domain.builds import BuildDefinition, DefineBuildOperation
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.operations.values import StoredValues

_UNDO = "remove the image; what had its tags before keeps its id"


def draft_build(
    operation: BuildOperation | DefineBuildOperation,
    state: FleetState,
    known: Callable[[], Mapping[str, BuildDefinition]],
    last_version: Callable[[str], str] | None = None,
) -> Draft:
    """Check it, and say what it would do.

    Raises:
        UsageError: the definition cannot be used.
        NotFoundError: the server or the definition is gone.
        RefusedError: a build of that name exists, or another one has taken the version meanwhile.
    """
    if not isinstance(operation, BuildOperation):
        return draft_definition(operation, known())
    name = operation.build.name
    if operation.after is not None and last_version is not None and last_version(name) != operation.after:
        raise RefusedError(
            f"build {name}: another build has taken version {operation.version} meanwhile", hint="build it again"
        )
    return _draft(operation, state)


def _draft(operation: BuildOperation, state: FleetState) -> Draft:
    build = check_build(operation.build)
    job = job_of(operation)
    references = [f"{job.image}:{tag}" for tag in job.tags]
    step = PlanStep(
        target=Target(server=operation.server, name=build.name),
        text=f"build {build.name} {operation.version} from {build.source_words}",
        command=_command(job),
        details=(*_builder(state, operation.server), *_details(operation, job, references)),
        warning=stale(server_of(state, operation.server)),
    )
    return Draft(f"Build {build.name} {operation.version} on {operation.server}", "build", (step,), _UNDO)


def build_locks(operation: BuildOperation) -> list[str]:
    """One build at a time of each name, wherever: two would take the same version."""
    return [f"build {operation.build.name}"]


def with_secrets(job: BuildJob, server: str, values: StoredValues) -> BuildJob:
    """The same with the values of its secrets and of its repository's login. Blocks.

    Raises:
        NotFoundError: no secret has one of the names.
    """
    lookup = values.lookup("", server)
    found = {}
    for key, name in job.secret_names.items():
        value = lookup(name)
        if value is None or not value.secret:
            raise NotFoundError(f"build {job.name}: there is no secret {name}", hint=f"komodo-tui secret set {name}")
        found[key] = value.text
    source = job.source
    if source.repo is not None:
        repo = source_with_token(source.repo.url, source.repo, server, values)
        source = msgspec.structs.replace(source, repo=repo)
    logins = {host: values.registry_auth(f"{host}/x") for host in job.logins}
    given = {host: login for host, login in logins.items() if login}
    return msgspec.structs.replace(job, secrets=found, source=source, logins=given)


def _builder(state: FleetState, server: str) -> Iterator[str]:
    """What will build it, where the server has told that."""
    engine = server_of(state, server).engine
    if engine is not None and engine.builder:
        yield f"by {engine.builder}"


def _details(operation: BuildOperation, job: BuildJob, references: list[str]) -> Iterator[str]:
    build = operation.build
    yield from lent_words(job.source.repo)
    yield from (f"before: {line}" for line in build.pre_build)
    yield from (f"tag {reference}" for reference in references)
    if job.commit_tag and job.source.repo is not None:
        yield f"tag {job.image}:<commit>{job.postfix}"
    yield from (f"secret {key}: {name}" for key, name in build.secrets.items())
    if not operation.follow_up:
        return
    yield from (f"then ship to {server}" for server in build.ship)
    yield from (f"then push {pushed_name(build, registry)}" for registry in build.registries)
    where = "" if build.registries else ", with the image shipped to its servers before"
    yield from (f"then redeploy {name}{where}" for name in build.redeploy_on_build)


def _command(job: BuildJob) -> str:
    words = ["docker", "build"]
    for key, value in job.arguments.items():
        words += ["--build-arg", f"{key}={value}"]
    words += [word for key in job.secret_names for word in ("--secret", f"id={key}")]
    words += [word for platform in job.platforms for word in ("--platform", platform)]
    words += ["--target", job.target] if job.target else []
    words += ["--file", job.file] if not job.source.dockerfile else ["--file", "-"]
    where = job.source.repo.url if job.source.repo is not None else job.source.folder
    folder = "/".join(filter(None, (where, job.path))) or "(nothing)"
    return shlex.join([*words, *job.extra, folder])
