"""Create a container: pull what is missing, create, start."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aiodocker import DockerError

from ..problems import AgentError
from .acts import NAME
from .commands import bind_words, create_command
from .errors import engine_errors
from .pull import pull

if TYPE_CHECKING:
    from ..jobs import JobContext
    from ..wire.jobs import CreateContainer
    from .client import Engine

_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,511}")
_HIGHEST_PORT = 65535


async def create(engine: Engine, context: JobContext, spec: CreateContainer) -> None:
    """Do it, and record it in the job.

    Raises:
        AgentError: the spec makes no sense, the image cannot be had, or the engine refused or failed.
    """
    check(spec)
    label = spec.name or spec.image
    if spec.pull == "always" or (spec.pull == "missing" and not await _has_image(engine, spec.image)):
        await pull(engine, context, spec.image, spec.registry_auth)
    context.command(create_command(spec))
    context.progress(f"creating {label}")
    with engine_errors(f"create {label}"):
        container = await engine.docker.containers.create(configuration(spec), name=spec.name or None)
    context.result(container=container.id)
    context.log(container.id)
    if not spec.start:
        return
    context.progress(f"starting {label}")
    try:
        with engine_errors(f"start {label}"):
            await container.start()
    except AgentError:
        # It never ran, so nothing is lost; left behind it would hold its name against the next attempt.
        with engine_errors(f"remove {label}, which could not start"):
            await container.delete(force=True, v=True)
        context.result(container="")
        context.log("removed the container, since it could not start")
        raise


def configuration(spec: CreateContainer) -> dict[str, Any]:
    """The engine's request body. Pure."""
    ports: dict[str, list[dict[str, str]]] = {}
    for port in spec.ports:
        binding = {"HostIp": port.ip, "HostPort": "" if port.public is None else str(port.public)}
        ports.setdefault(f"{port.private}/{port.protocol}", []).append(binding)
    body: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{key}={value}" for key, value in spec.environment.items()],
        "Labels": spec.labels,
        "Tty": spec.tty,
        "OpenStdin": spec.tty,
        "User": spec.user,
        "WorkingDir": spec.workdir,
        "ExposedPorts": {key: {} for key in ports},
        "HostConfig": {
            "Binds": [bind_words(bind) for bind in spec.binds],
            "PortBindings": ports,
            "RestartPolicy": {"Name": spec.restart_policy, "MaximumRetryCount": spec.restart_max},
        },
    }
    if spec.command:
        body["Cmd"] = list(spec.command)
    if spec.entrypoint:
        body["Entrypoint"] = list(spec.entrypoint)
    if spec.network:
        body["HostConfig"]["NetworkMode"] = spec.network
    return body


def check(spec: CreateContainer) -> None:
    """Refuse what the engine would misread.

    Raises:
        AgentError: ``bad_request`` naming the field.
    """
    if not _IMAGE.fullmatch(spec.image) or ".." in spec.image:
        raise _bad(f"image: {spec.image[:80]!r} is no image")
    if spec.name and not NAME.fullmatch(spec.name):
        raise _bad(f"name: {spec.name[:80]!r}: letters, digits, _ . -, at least two, the first a letter or digit")
    for port in spec.ports:
        if not 1 <= port.private <= _HIGHEST_PORT or not 0 <= (port.public or 0) <= _HIGHEST_PORT:
            raise _bad(f"ports: {port.public}:{port.private} is out of 1-{_HIGHEST_PORT}")
    for bind in spec.binds:
        if ":" in bind.source + bind.destination or not bind.source or not bind.destination.startswith("/"):
            raise _bad(
                f"binds: {bind_words(bind)[:200]!r}: give source and an absolute destination, neither with a colon"
            )
    for key in spec.environment:
        if not key or "=" in key or "\0" in key:
            raise _bad(f"environment: {key[:80]!r} is no name for a variable")
    if spec.restart_max < 0 or (spec.restart_max and spec.restart_policy != "on-failure"):
        raise _bad("restart_max: only with restart_policy on-failure, and not negative")


async def _has_image(engine: Engine, image: str) -> bool:
    try:
        await engine.docker.images.inspect(image)
    except DockerError as error:
        if error.status == 404:
            return False
        with engine_errors(f"look for {image}"):
            raise
    return True


def _bad(message: str) -> AgentError:
    return AgentError("bad_request", message)
