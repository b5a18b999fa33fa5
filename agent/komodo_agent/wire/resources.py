"""Images, volumes and networks: what a server has of them, and the acts on them.

Sizes in bytes, times as Unix time in seconds. Text is as the engine gave it: hostile until the client has cleaned it.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

ResourceKind = Literal["image", "volume", "network"]

ROUTE_RESOURCES = "/v1/resources"
"""GET -> list of :class:`Resource`: all images, volumes and networks, with what uses them."""
ROUTE_RESOURCE = "/v1/resources/{kind}/{id}"
"""GET -> :class:`ResourceDetail`."""
ROUTE_DISK_USAGE = "/v1/disk-usage"
"""GET -> :class:`DiskUsage`. The engine walks its files for it: ask only on demand."""


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """An image, a volume or a network as lists show it."""

    kind: ResourceKind
    id: str
    """An image's or a network's full id; a volume's name."""
    name: str = ""
    """An image's first tag, or its digest where it has none; empty for an image with neither."""
    tags: tuple[str, ...] = ()
    """All tags of an image."""
    size: int | None = None
    """None where the engine has to be asked for it (volumes) or there is none (networks)."""
    created: float = 0.0
    """0 where the engine does not say."""
    used_by: tuple[str, ...] = ()
    """The containers that use it, running or not, by name."""
    driver: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    detail: str = ""
    """What else a list can say: a volume's mount point, a network's subnets."""
    fixed: bool = False
    """It is the engine's own and cannot be removed."""

    @property
    def dangling(self) -> bool:
        """An image that has lost its tags and that nothing uses."""
        return self.kind == "image" and not self.tags and not self.used_by


class ResourceDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One of them with the engine's whole inspect document."""

    inspect: dict[str, Any]


class UsedSpace(msgspec.Struct, frozen=True, kw_only=True):
    """What one image or volume takes."""

    kind: ResourceKind
    id: str
    size: int
    freed: int
    """What its removal alone would free: less than ``size`` where images share layers."""


class DiskUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine's things take on disk."""

    images: int
    """All layers, each once."""
    containers: int
    """What containers wrote beside their volumes."""
    volumes: int
    build_cache: int
    items: tuple[UsedSpace, ...] = ()


class ResourceItem(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly this one. Should its name mean another one by now, it is refused."""

    id: str
    name: str = ""
    tags: tuple[str, ...] = ()
    """For images: exactly these tags go; the image itself goes with its last one."""


class PullImage(msgspec.Struct, frozen=True, kw_only=True, tag="pull", tag_field="kind"):
    """Pull an image."""

    image: str
    registry_auth: str = ""
    """Base64 JSON as ``X-Registry-Auth`` takes it; a secret: never logged, never in a job's state."""


class PushImage(msgspec.Struct, frozen=True, kw_only=True, tag="push", tag_field="kind"):
    """Push an image to the registry that is in this name; an image that has not got the name gets it."""

    image: ResourceItem
    reference: str
    """``registry.example/shop/api:1.9``"""
    registry_auth: str = ""
    """As in :class:`PullImage`."""


class TagImage(msgspec.Struct, frozen=True, kw_only=True, tag="tag_image", tag_field="kind"):
    """Give an image one more name."""

    image: ResourceItem
    tag: str


class RemoveResources(msgspec.Struct, frozen=True, kw_only=True, tag="remove_resources", tag_field="kind"):
    """Remove these, one after the other, in this order; what cannot be removed is told and the rest goes on."""

    what: ResourceKind
    items: tuple[ResourceItem, ...]
    force: bool = False
    prune: bool = False
    """They were picked because nothing used them: one that is used by now is left, which is no failure."""


class CreateNetwork(msgspec.Struct, frozen=True, kw_only=True, tag="create_network", tag_field="kind"):
    """Create a network."""

    name: str
    driver: str = "bridge"
    subnet: str = ""
    internal: bool = False
    """Without a way out."""
    labels: dict[str, str] = msgspec.field(default_factory=dict)


class CreateVolume(msgspec.Struct, frozen=True, kw_only=True, tag="create_volume", tag_field="kind"):
    """Create a volume."""

    name: str
    driver: str = "local"
    options: dict[str, str] = msgspec.field(default_factory=dict)
    labels: dict[str, str] = msgspec.field(default_factory=dict)


class ClearBuildCache(msgspec.Struct, frozen=True, kw_only=True, tag="clear_build_cache", tag_field="kind"):
    """Remove what builds left to be faster the next time, as far as no build uses it now. Images stay."""

    older_than: float = 0.0
    """Seconds for which it was not used; 0 = any."""


ResourceJob = PullImage | PushImage | TagImage | RemoveResources | CreateNetwork | CreateVolume | ClearBuildCache
