"""What acts on the product's own registries would do, and the jobs they become."""

from __future__ import annotations

import base64
import re
import shlex
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.registry import CollectRegistry, DeleteFromRegistry, RegistryJob, StartRegistry
from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.registries import is_loopback
from komodo_tui.domain.units import bytes_text, count_text
from komodo_tui.operations.container_plans import Draft, server_of, stale

if TYPE_CHECKING:
    from komodo_tui.domain.registries import RegistryOperation
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.operations.values import StoredValues

_UNDO = {
    "start": "remove its container; its volume keeps the images",
    "delete": "push them again",
    "collect": "nothing to take back: only what no tag needs goes",
}
_ADDRESS = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")
_COST = 10
"""Of bcrypt, as htpasswd -B has it, and more."""


def draft_registry(operation: RegistryOperation, state: FleetState) -> Draft:
    """One step.

    Raises:
        UsageError: it makes no sense.
        NotFoundError: an unknown server, or the registry is gone.
        RefusedError: there is one of that name, or anybody on the network could write to it.
    """
    server = server_of(state, operation.server)
    if operation.verb == "start":
        _check_start(operation, state)
    elif operation.container not in server.containers:
        raise NotFoundError(f"{operation.name} is not on {operation.server} any more", hint="look again")
    step = PlanStep(
        target=Target(server=operation.server, name=operation.name, id=operation.container),
        text=_text(operation),
        command=_command(operation),
        details=tuple(
            f"{image.repository}: {', '.join(image.tags) or image.digest[:19]}, {bytes_text(image.size)}"
            for image in operation.images
        ),
        warning="; ".join(filter(None, (_warning(operation), stale(server)))),
    )
    title = {"start": "Start registry", "delete": "Delete from registry", "collect": "Collect the garbage of registry"}
    undo = _UNDO[operation.verb]
    return Draft(f"{title[operation.verb]} {step.target}", f"registry {operation.verb}", (step,), undo)


def _check_start(operation: RegistryOperation, state: FleetState) -> None:
    server = server_of(state, operation.server)
    if not _ADDRESS.fullmatch(operation.address):
        raise UsageError(f"{operation.address!r} is no address of a registry", hint="like registry.example:5000")
    if not 1 <= operation.port <= 65535:
        raise UsageError(f"{operation.port} is no port", hint="1 to 65535")
    if any(one.name == operation.name for one in server.containers.values()):
        raise RefusedError(f"{operation.server} has a container {operation.name}", hint="choose another name")
    if not operation.guarded and not is_loopback(operation.listen):
        raise RefusedError(
            f"a registry on {operation.listen} without a password is open to whoever reaches it",
            hint=f"keep a login first: komodo-tui registry login {operation.address} --username NAME",
        )


def _text(operation: RegistryOperation) -> str:
    if operation.verb == "start":
        how = "asks for the login kept here" if operation.guarded else "open to this server alone"
        return (
            f"start {operation.image} as {operation.name} on {operation.listen}:{operation.port}, "
            f"called {operation.address}; {how}"
        )
    if operation.verb == "delete":
        return f"delete {count_text(len(operation.images), 'image')} in {operation.name}"
    return f"free what no tag needs in {operation.name}, and start it again"


def _command(operation: RegistryOperation) -> str:
    name = shlex.quote(operation.name)
    if operation.verb == "start":
        return (
            f"docker run -d --name {name} --restart always -p {operation.listen}:{operation.port}:5000 "
            f"-v {name}-data:/var/lib/registry {shlex.quote(operation.image)}"
        )
    if operation.verb == "delete":
        first = operation.images[0]
        more = " …" if len(operation.images) > 1 else ""
        return f"curl -X DELETE http://{operation.address}/v2/{first.repository}/manifests/{first.digest}{more}"
    return f"docker exec {name} registry garbage-collect --delete-untagged CONFIG && docker restart {name}"


def _warning(operation: RegistryOperation) -> str:
    if operation.verb == "collect":
        return "what is pushed meanwhile may be lost; it is away for a moment"
    if operation.verb == "start" and not is_loopback(operation.listen):
        return "it speaks plain HTTP: other engines need it under insecure-registries, or a proxy with TLS before it"
    several = [image for image in operation.images if len(image.tags) > 1]
    return f"all tags of an image go: {', '.join(several[0].tags)}" if several else ""


def registry_job(operation: RegistryOperation) -> RegistryJob:
    """What the agent is asked to do; logins come later."""
    if operation.verb == "start":
        return StartRegistry(
            name=operation.name, address=operation.address, image=operation.image, listen=operation.listen,
            port=operation.port, guarded=operation.guarded,
        )  # fmt: skip
    if operation.verb == "collect":
        return CollectRegistry(container=operation.container)
    items = tuple((image.repository, image.digest) for image in operation.images)
    return DeleteFromRegistry(container=operation.container, address=operation.address, items=items)


def with_registry_login(job: RegistryJob, values: StoredValues) -> RegistryJob:
    """The same with the login of the registry, as it needs it. Blocks.

    Raises:
        NotFoundError: it is to have a password, and no login is kept for it.
    """
    if isinstance(job, CollectRegistry):
        return job
    auth = values.registry_auth(f"{job.address}/x")
    if isinstance(job, DeleteFromRegistry):
        return msgspec.structs.replace(job, registry_auth=auth)
    job = msgspec.structs.replace(job, registry_auth=values.registry_auth(job.image))
    if not job.guarded:
        return job
    if not auth:
        raise NotFoundError(
            f"no login is kept for {job.address}",
            hint=f"komodo-tui registry login {job.address} --username NAME",
        )
    return msgspec.structs.replace(job, passwords=_htpasswd(auth))


def _htpasswd(registry_auth: str) -> str:
    import bcrypt  # late: one act needs it

    login = msgspec.json.decode(base64.urlsafe_b64decode(registry_auth))
    hashed = bcrypt.hashpw(login["password"].encode()[:72], bcrypt.gensalt(_COST))
    return f"{login['username']}:{hashed.decode()}\n"
