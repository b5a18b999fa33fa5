"""What clients look up on demand: images, networks, the processes of a container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..problems import AgentError
from ..wire.models import Image, Network, ProcessTable
from .convert import timestamp
from .errors import engine_errors

if TYPE_CHECKING:
    from ..wire.models import Container
    from .client import Engine

_NONE = "<none>:<none>"


async def images(engine: Engine) -> tuple[Image, ...]:
    """The images of the engine, newest first.

    Raises:
        AgentError: the engine did not answer.
    """
    with engine_errors("list the images"):
        listed = await engine.docker.images.list()
    found = [
        Image(
            id=str(entry["Id"]),
            tags=tuple(tag for tag in entry.get("RepoTags") or () if tag != _NONE),
            size=int(entry.get("Size") or 0),
            created=_created(entry.get("Created")),
        )
        for entry in listed
    ]
    return tuple(sorted(found, key=lambda image: -image.created))


async def networks(engine: Engine) -> tuple[Network, ...]:
    """The networks of the engine, by name.

    Raises:
        AgentError: the engine did not answer.
    """
    with engine_errors("list the networks"):
        listed = await engine.docker.networks.list()
    found = [
        Network(id=str(entry["Id"]), name=str(entry["Name"]), driver=str(entry.get("Driver") or "")) for entry in listed
    ]
    return tuple(sorted(found, key=lambda network: network.name))


async def processes(engine: Engine, container: Container) -> ProcessTable:
    """The processes inside a container.

    Raises:
        AgentError: ``conflict`` when it does not run; why the engine did not answer.
    """
    if container.state not in ("running", "paused"):
        raise AgentError("conflict", f"{container.name} does not run: it has no processes")
    with engine_errors(f"list the processes of {container.name}"):
        table = await engine.docker.containers.container(container.id).top()
    return ProcessTable(
        titles=tuple(map(str, table.get("Titles") or ())),
        rows=tuple(tuple(map(str, row)) for row in table.get("Processes") or ()),
    )


def _created(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else timestamp(value)
