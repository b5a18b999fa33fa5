"""The product's own registries: a stock registry on a server, started, tidied, emptied. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_agent.wire.registry import LABEL, PORT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_agent.wire.models import Container

RegistryVerb = Literal["start", "delete", "collect"]
IMAGE = "registry:2"
"""What is started unless told otherwise: the reference implementation, as an image."""
NAME = "komodo-registry"


class RegistryImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image in a registry, as it was seen."""

    repository: str
    digest: str
    tags: tuple[str, ...] = ()
    """All tags that mean it: they all go."""
    size: int = 0


class RegistryOperation(msgspec.Struct, frozen=True, kw_only=True, tag="own_registry", tag_field="operation"):
    """One act on a registry of a server."""

    verb: RegistryVerb
    server: str
    name: str = NAME
    """Of its container."""
    container: str = ""
    """For delete and collect: its id."""
    address: str = ""
    """What images are named with; its login is kept under this name."""
    image: str = IMAGE
    """For start."""
    listen: str = "127.0.0.1"
    port: int = PORT
    guarded: bool = True
    """For start: it asks for the login that is kept under its address."""
    images: tuple[RegistryImage, ...] = ()
    """For delete: these."""


def own_registries(containers: Iterable[Container]) -> list[Container]:
    """Those that are registries of ours, by name."""
    return sorted((one for one in containers if LABEL in one.labels), key=lambda one: one.name)


def is_loopback(address: str) -> bool:
    """Whether only the server itself reaches what listens there."""
    return address in ("::1", "localhost") or address.startswith("127.")
