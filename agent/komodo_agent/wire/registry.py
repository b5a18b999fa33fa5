"""The product's own registries: containers of a stock registry that an agent starts, looks into and tidies."""

from __future__ import annotations

import msgspec

ROUTE_REGISTRY = "/v1/registry"
"""POST :class:`RegistryLook` -> :class:`RegistryContent`."""
LABEL = "komodo.registry"
"""The label of such a container: the address that images are named with, ``127.0.0.1:5000``."""
PORT = 5000
"""Inside of the container."""


class RegistryLook(msgspec.Struct, frozen=True, kw_only=True):
    """Look into one."""

    container: str
    """Its full id."""
    registry_auth: str = ""
    """Base64 JSON as ``X-Registry-Auth`` takes it, where it wants a password. A secret: never logged, never kept."""


class RegistryTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag in a registry."""

    tag: str
    digest: str
    size: int = 0
    """Of its layers and configuration, as they are kept: packed."""


class RegistryRepository(msgspec.Struct, frozen=True, kw_only=True):
    """A repository in a registry."""

    name: str
    tags: tuple[RegistryTag, ...] = ()
    size: int = 0
    """Of all its tags, what they share counted once."""


class RegistryContent(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a registry, by name."""

    repositories: tuple[RegistryRepository, ...] = ()
    left_out: int = 0
    """Repositories beyond the number that one answer holds."""


class StartRegistry(msgspec.Struct, frozen=True, kw_only=True, tag="registry_start", tag_field="kind"):
    """Start a registry."""

    name: str
    """Of the container; its volume is called the same, with ``-data`` behind."""
    address: str
    image: str
    listen: str = "127.0.0.1"
    port: int = PORT
    registry_auth: str = ""
    """Of the registry that ``image`` comes from; a secret."""
    guarded: bool = True
    """It asks for a password; else it is open to whoever reaches it."""
    passwords: str = ""
    """Lines of ``user:bcrypt hash``. A secret."""


class DeleteFromRegistry(msgspec.Struct, frozen=True, kw_only=True, tag="registry_delete", tag_field="kind"):
    """Delete images from a registry, by digest: all tags of one go."""

    container: str
    address: str
    items: tuple[tuple[str, str], ...]
    """Repository and digest of each."""
    registry_auth: str = ""


class CollectRegistry(msgspec.Struct, frozen=True, kw_only=True, tag="registry_collect", tag_field="kind"):
    """Free the space of what no tag needs; the registry starts again afterwards."""

    container: str


RegistryJob = StartRegistry | DeleteFromRegistry | CollectRegistry
