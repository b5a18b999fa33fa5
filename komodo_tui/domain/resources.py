"""What is to be done to images, volumes and networks, and which of them a prune picks. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_agent.wire.resources import CreateNetwork, CreateVolume, PullImage, ResourceKind

if TYPE_CHECKING:
    from komodo_agent.wire.resources import Resource

ResourceVerb = Literal["pull", "tag", "remove", "prune", "create"]


class ResourceTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One image, volume or network as it was seen when the act was chosen; another one under its name is left alone."""

    server: str
    kind: ResourceKind
    id: str
    name: str = ""
    """A tag of an image, where it has any; empty for one without a name."""
    size: int | None = None
    used_by: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name, else the twelve digits of its id."""
        return self.name or self.id.removeprefix("sha256:")[:12]


class ResourceOperation(msgspec.Struct, frozen=True, kw_only=True, tag="resource", tag_field="operation"):
    """One act on images, volumes or networks."""

    verb: ResourceVerb
    targets: tuple[ResourceTarget, ...] = ()
    """For tag, remove and prune: exactly these."""
    servers: tuple[str, ...] = ()
    """For pull and create: there."""
    spec: PullImage | CreateNetwork | CreateVolume | None = None
    """For pull and create: this."""
    tag: str = ""
    """For tag."""
    force: bool = False
    """For remove."""


def target_of(server: str, resource: Resource, *, freed: int | None = None) -> ResourceTarget:
    """The resource as an operation names it; ``freed`` is what its removal frees, where that is known."""
    return ResourceTarget(
        server=server,
        kind=resource.kind,
        id=resource.id,
        name=resource.name,
        size=resource.size if freed is None else freed,
        used_by=resource.used_by,
    )
