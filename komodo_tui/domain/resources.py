"""What is to be done to images, volumes and networks, and which of them a prune picks. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_agent.wire.resources import ClearBuildCache, CreateNetwork, CreateVolume, PullImage, ResourceKind
from komodo_tui.domain.resource_filter import label_test

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_agent.wire.resources import Resource

ResourceVerb = Literal["pull", "push", "tag", "remove", "prune", "create", "clear_cache"]


class ResourceTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One image, volume or network as it was seen when the act was chosen; another one under its name is left alone."""

    server: str
    kind: ResourceKind
    id: str
    name: str = ""
    """A tag of an image, where it has any; empty for one without a name."""
    tags: tuple[str, ...] = ()
    """All tags of an image."""
    size: int | None = None
    """What its removal frees, as far as that is known."""
    used_by: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name, else the twelve digits of its id."""
        return self.name or self.id.removeprefix("sha256:")[:12]


class ResourceOperation(msgspec.Struct, frozen=True, kw_only=True, tag="resource", tag_field="operation"):
    """One act on images, volumes or networks."""

    verb: ResourceVerb
    targets: tuple[ResourceTarget, ...] = ()
    """For push, tag, remove and prune: exactly these."""
    servers: tuple[str, ...] = ()
    """For pull, create and clear_cache: there."""
    spec: PullImage | CreateNetwork | CreateVolume | ClearBuildCache | None = None
    """For pull, create and clear_cache: this."""
    tag: str = ""
    """For tag."""
    references: tuple[str, ...] = ()
    """For push: the names to push it under, each with its registry."""
    force: bool = False
    """For remove."""


class PruneRule(msgspec.Struct, frozen=True, kw_only=True):
    """Which unused things go."""

    images: Literal["none", "dangling", "unused"] = "dangling"
    networks: bool = False
    volumes: bool = False
    """Never by default: their data is lost."""
    keep_labels: tuple[str, ...] = ()
    """What has one of these labels stays: ``key`` or ``key=value``."""
    older_than: float = 0.0
    """Seconds; what is younger, or of unknown age, stays. 0 = any age."""


def prunable(resources: Iterable[Resource], rule: PruneRule, now: float) -> list[Resource]:
    """What the rule picks, in an order in which it can go: what was made last goes first, for it may build on others.

    What any container uses, running or not, is never picked, and nothing of the engine's own is.
    """
    kept = label_test(rule.keep_labels)

    def goes(resource: Resource) -> bool:
        if resource.used_by or resource.fixed or (rule.keep_labels and kept(resource)):
            return False
        if rule.older_than and (not resource.created or now - resource.created < rule.older_than):
            return False
        if resource.kind == "image":
            return rule.images == "unused" or (rule.images == "dangling" and resource.dangling)
        return rule.volumes if resource.kind == "volume" else rule.networks

    return sorted(filter(goes, resources), key=lambda resource: (resource.kind, -resource.created))


def target_of(server: str, resource: Resource, *, freed: int | None = None) -> ResourceTarget:
    """The resource as an operation names it; ``freed`` is what its removal frees, where that is known."""
    return ResourceTarget(
        server=server,
        kind=resource.kind,
        id=resource.id,
        name=resource.name,
        tags=resource.tags,
        size=resource.size if freed is None else freed,
        used_by=resource.used_by,
    )
