"""Live deployments of one server, made of its containers: which compose projects run, and how they really are. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_agent.wire.models import Container

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from komodo_agent.wire.compose import RevisionSummary
    from komodo_agent.wire.jobs import Job
    from komodo_tui.domain.stacks import StackDefinition

DeploymentState = Literal[
    "running", "starting", "unhealthy", "restarting", "partly running", "paused", "finished", "exited", "down",
    "deploying", "unknown", "failed",
]  # fmt: skip
"""``finished``: every container ended with 0, as those of a task do; ``exited``: one ended otherwise and none runs;
``down``: there is no container; ``unknown``: the server or its engine is away, what is told is of before; ``failed``:
nothing runs, since none of its deploys went well, and what the last one made was stopped."""

JOBS = frozenset({"deploy", "rollback", "adopt"})
"""Kinds of jobs that work on a whole deployment."""
_ONEOFF = "com.docker.compose.oneoff"
_LOOP_RESTARTS = 3
_LOOP_SECONDS = 60.0
_WORST: tuple[DeploymentState, ...] = (
    "exited", "unhealthy", "restarting", "starting", "paused", "running", "finished",
)  # fmt: skip


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service of a deployment."""

    name: str
    state: DeploymentState
    why: str = ""
    """What is not well: ``shop-web-1 ended with code 3``."""
    containers: tuple[Container, ...] = ()

    @property
    def image(self) -> str:
        """Of its first container."""
        return self.containers[0].image if self.containers else ""


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One compose project on one server."""

    server: str
    project: str
    stack: str = ""
    """The definition it belongs to; empty where no stack has its project."""
    state: DeploymentState
    why: str = ""
    services: tuple[Service, ...] = ()
    job: str = ""
    """The id of the job that works on it now."""

    @property
    def containers(self) -> tuple[Container, ...]:
        """All its containers."""
        return tuple(container for service in self.services for container in service.containers)


def deployments_on(
    server: str,
    containers: Iterable[Container],
    *,
    known: bool,
    jobs: Iterable[Job] = (),
    stacks: Mapping[str, StackDefinition] | None = None,
    now: float = 0.0,
) -> list[Deployment]:
    """The deployments of one server, by project.

    Args:
        known: whether the server and its engine answer; if not, what is told is what was last seen.
        jobs: the server's jobs; those under way make a deployment ``deploying``.
        stacks: those that run on this server; the ones with no container are ``down``.
        now: Unix time, to tell a restart loop from a restart long ago.
    """
    projects: dict[str, dict[str, list[Container]]] = {}
    for container in containers:
        if container.stack and container.labels.get(_ONEOFF) != "True":
            projects.setdefault(container.stack, {}).setdefault(container.service, []).append(container)
    names = {stack.project_name: name for name, stack in (stacks or {}).items()}
    working = {job.target: job.id for job in jobs if _works(job)}
    return [
        _deployment(server, project, names.get(project, ""), projects.get(project, {}), known, working, now)
        for project in sorted({*projects, *names, *working})
    ]


def after_deploys(deployment: Deployment, revisions: Sequence[RevisionSummary]) -> Deployment:
    """The same with what its deploys tell (the newest first): what a failed one left stopped is not finished."""
    newest = revisions[0] if revisions else None
    if newest is None or deployment.state not in ("finished", "exited", "down") or newest.outcome == "running":
        return deployment
    if any(revision.outcome == "success" for revision in revisions):
        return deployment
    why = newest.error or newest.outcome.replace("_", " ")
    return msgspec.structs.replace(deployment, state="failed", why=f"the deploy failed: {why}")


def _works(job: Job) -> bool:
    return not job.ended and (job.kind in JOBS or job.kind.startswith("compose "))


def _deployment(
    server: str,
    project: str,
    stack: str,
    found: Mapping[str, list[Container]],
    known: bool,
    working: Mapping[str, str],
    now: float,
) -> Deployment:
    services = tuple(service_state(name, found[name], now) for name in sorted(found))
    state, why = _whole(services)
    if not known:
        state = "unknown"
    elif project in working:
        state = "deploying"
    return Deployment(
        server=server, project=project, stack=stack, state=state, why=why, services=services,
        job=working.get(project, ""),
    )  # fmt: skip


def service_state(name: str, containers: Iterable[Container], now: float = 0.0) -> Service:
    """How one service is: as its worst container, but partly running where some replicas run and some do not."""
    ordered = tuple(sorted(containers, key=lambda container: container.name))
    states = [_container_state(container, now) for container in ordered]
    worst, why = min(states, key=lambda item: _WORST.index(item[0]), default=("down", ""))
    if worst == "exited" and any(state not in ("exited", "finished") for state, _ in states):
        worst = "partly running"
    return Service(name=name, state=worst, why=why, containers=ordered)


def _container_state(c: Container, now: float) -> tuple[DeploymentState, str]:
    looping = c.restarts >= _LOOP_RESTARTS and 0 < now - max(c.started, c.finished) < _LOOP_SECONDS
    if c.state == "restarting" or looping:
        return "restarting", f"{c.name} restarts again and again" if looping else f"{c.name} restarts"
    if c.state == "running":
        if c.health == "unhealthy":
            return "unhealthy", f"{c.name} is unhealthy"
        return ("starting", f"{c.name} is starting") if c.health == "starting" else ("running", "")
    if c.state == "paused":
        return "paused", f"{c.name} is paused"
    if c.state == "created":
        return "exited", f"{c.name} was never started"
    if c.state == "exited" and c.exit_code == 0:
        return "finished", ""
    return "exited", f"{c.name} ended with code {c.exit_code}" + (" (out of memory)" if c.oom_killed else "")


def _whole(services: tuple[Service, ...]) -> tuple[DeploymentState, str]:
    if not services:
        return "down", ""
    why = "; ".join(service.why for service in services if service.why)
    states = {service.state for service in services}
    if "partly running" in states or ("exited" in states and states - {"exited", "finished"}):
        return "partly running", why
    return min(states, key=_WORST.index), why
