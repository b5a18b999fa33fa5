"""Single-container deployments as the user defines them, and the stack of one service that each is deployed as. Pure.

A deployment is rendered into a compose project with one service and carried by everything that stacks have: the plan
with its conflicts, pull before replace, the health window and the return to the last good revision, rollback, drift. A
second way of doing all that beside it would have to be as sound as the first. What people see is still the container
they named: it has the deployment's own name, volumes the names they were given, and, where no network is named, the
engine's own bridge, as ``docker run`` would have it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from komodo_agent.wire.compose import HealthPolicy, PullPolicy
from komodo_tui.domain.builds import pushed_name
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.interpolation import references
from komodo_tui.domain.run_options import parse_bind, parse_image, parse_name, parse_port, parse_restart
from komodo_tui.domain.single_compose import SERVICE_KEYS, as_stack, variable_for
from komodo_tui.domain.stacks import check_stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.builds import BuildDefinition

_MEMORY = re.compile(r"[1-9]\d*(\.\d+)?[bkmg]?b?", re.IGNORECASE)


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a container may use at most; empty or 0 = all there is."""

    cpus: float = 0.0
    memory: str = ""
    """``512m``, ``2g``."""
    pids: int = 0


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the engine finds out whether the container is well; without a command, as the image says. Seconds."""

    command: tuple[str, ...] | str = ()
    """Words; or one text, which the container's own shell reads."""
    interval: float = 30.0
    timeout: float = 30.0
    retries: int = 3
    start_period: float = 0.0
    disabled: bool = False


class DeploymentDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One container, and the servers it runs on. Entries are in the notation of ``docker run``.

    ``[[NAME]]`` of variables and secrets may stand in every text of what the container gets.
    """

    name: str
    """The container's, too."""
    image: str = ""
    build: str = ""
    """Instead of ``image``: the name of a build, whose newest image it is."""
    servers: tuple[str, ...] = ()
    """Names, or ``tag:TAG``."""
    description: str = ""
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    per_server: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    """More environment on one server, by its name."""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    network: str = ""
    """``bridge`` (what empty means), ``host``, ``none``, or a network that is there."""
    restart: str = "unless-stopped"
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    limits: Limits = Limits()
    health_check: HealthCheck = HealthCheck()
    more: dict[str, Any] = msgspec.field(default_factory=dict)
    """Other keys of a compose service, as they stand there: ``cap_add``, ``devices``…"""
    pull: PullPolicy = "missing"
    health: HealthPolicy = HealthPolicy()
    revisions: int = 10
    after: tuple[str, ...] = ()
    """Stacks and deployments that a sync deploys before this one."""


class DefineDeploymentOperation(
    msgspec.Struct, frozen=True, kw_only=True, tag="define_deployment", tag_field="operation"
):
    """Change a deployment's definition. Nothing on a server is touched."""

    verb: Literal["add", "edit", "remove"]
    name: str
    definition: DeploymentDefinition | None = None
    """For add and edit."""
    rev: int | None = None
    """For edit and remove: the revision it was based on."""


def check_deployment(deployment: DeploymentDefinition) -> DeploymentDefinition:
    """Return it, or raise :class:`UsageError` saying which field is wrong and what it takes."""
    name = f"deployment {deployment.name}"
    if not deployment.name:
        raise UsageError("a deployment needs a name", hint="its container gets the same")
    try:
        _check_fields(deployment)
        check_stack(as_stack(deployment))
    except UsageError as error:
        text = error.message.replace(f"stack {deployment.name}", name)
        raise UsageError(text if text.startswith("deployment") else f"{name}: {text}", hint=error.hint) from error
    return deployment


def with_image(deployment: DeploymentDefinition, builds: Mapping[str, BuildDefinition]) -> DeploymentDefinition:
    """The same with the image that its build makes, pulled anew where the build pushes it.

    Raises:
        UsageError: there is no such build, or its image has no tag that stays the same from version to version.
    """
    if not deployment.build:
        return deployment
    build = builds.get(deployment.build)
    if build is None:
        raise UsageError(
            f"deployment {deployment.name}: there is no build {deployment.build!r}",
            hint=f"known: {', '.join(sorted(builds)) or 'none is defined'}",
        )
    if not build.image_tags.latest:
        raise UsageError(
            f"deployment {deployment.name}: build {build.name} gives no tag 'latest'",
            hint="switch image_tags.latest on in the build, or name image, with a tag, here",
        )
    name = pushed_name(build, build.registries[0]) if build.registries else build.image_name
    pull = "always" if build.registries and deployment.pull == "missing" else deployment.pull
    return msgspec.structs.replace(deployment, image=f"{name}:latest{build.image_tags.postfix}", pull=pull)


def _check_fields(deployment: DeploymentDefinition) -> None:
    parse_name(deployment.name)
    if bool(deployment.image) == bool(deployment.build):
        raise UsageError("give either image or build")
    if deployment.image and not references(deployment.image):
        parse_image(deployment.image)
    for port in deployment.ports:
        if not references(port):
            parse_port(port)
    for volume in deployment.volumes:
        bind = parse_bind(volume)
        if not bind.source.startswith("/") and references(bind.source):
            raise UsageError(f"volumes: {volume!r}: the name of a volume is taken as it is written")
    parse_restart(deployment.restart)
    _check_limits(deployment)
    _check_values(deployment)
    twice = sorted(set(deployment.more) & SERVICE_KEYS)
    if twice:
        raise UsageError(f"more: {twice[0]} has a field of its own", hint="set that one, and leave it out of more")
    try:
        json.dumps(deployment.more)
    except (TypeError, ValueError) as error:
        raise UsageError(f"more: {error}") from error


def _check_values(deployment: DeploymentDefinition) -> None:
    for values in (deployment.environment, deployment.labels, *deployment.per_server.values()):
        for key, value in values.items():
            if not key or "=" in key or "\0" in key + value:
                raise UsageError(f"{key!r} is no name of a variable or label, or its value has a zero byte")
    for server, values in deployment.per_server.items():
        for key in values:
            if key not in deployment.environment and variable_for(key, ()) != key:
                raise UsageError(
                    f"per_server: {server}: {key} has to be in environment as well", hint="with its usual value"
                )


def _check_limits(deployment: DeploymentDefinition) -> None:
    limits, check = deployment.limits, deployment.health_check
    if limits.memory and not _MEMORY.fullmatch(limits.memory):
        raise UsageError(f"limits: memory: {limits.memory!r} cannot be read", hint="like 512m or 2g")
    if limits.cpus < 0 or limits.pids < 0:
        raise UsageError("limits: cpus and pids are 0 (no limit) or more")
    if check.interval <= 0 or check.timeout <= 0 or check.retries < 1 or check.start_period < 0:
        raise UsageError("health_check: interval, timeout and retries are more than 0, start_period 0 or more")
