"""What is in a registry: repositories, tags, sizes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..wire.registry import RegistryContent, RegistryRepository, RegistryTag
from .speak import own_registry, speaking

if TYPE_CHECKING:
    from ..engine.client import Engine
    from ..wire.registry import RegistryLook
    from .speak import Registry

_REPOSITORIES, _TAGS = 500, 200
"""How many an answer holds; of tags for each repository."""
_AT_ONCE = 8


async def content(engine: Engine, look: RegistryLook) -> RegistryContent:
    """Ask it.

    Raises:
        AgentError: it is no registry of ours, or does not answer.
    """
    container = await own_registry(engine, look.container)
    async with speaking(container, look.registry_auth) as registry:
        names = await registry.repositories(_REPOSITORIES)
        turns = asyncio.Semaphore(_AT_ONCE)
        found = await asyncio.gather(*(_repository(registry, name, turns) for name in names[:_REPOSITORIES]))
    return RegistryContent(
        repositories=tuple(sorted(found, key=lambda one: one.name)), left_out=max(0, len(names) - _REPOSITORIES)
    )


async def _repository(registry: Registry, name: str, turns: asyncio.Semaphore) -> RegistryRepository:
    async with turns:
        tags = await registry.tags(name, _TAGS)
    blobs: dict[str, int] = {}

    async def one(tag: str) -> RegistryTag | None:
        async with turns:
            digest, manifest = await registry.manifest(name, tag)
            if not digest:
                return None  # deleted meanwhile
            parts = await _parts(registry, name, manifest)
        blobs.update(parts)
        return RegistryTag(tag=tag, digest=digest, size=sum(parts.values()))

    known = [tag for tag in await asyncio.gather(*map(one, tags[:_TAGS])) if tag is not None]
    return RegistryRepository(name=name, tags=tuple(sorted(known, key=lambda tag: tag.tag)), size=sum(blobs.values()))


async def _parts(registry: Registry, name: str, manifest: dict[str, Any]) -> dict[str, int]:
    """The blobs of an image by digest; of an image for several platforms, those of all."""
    inner = manifest.get("manifests")
    if not isinstance(inner, list):
        return blobs_of(manifest)
    found: dict[str, int] = {}
    for entry in inner[:32]:
        if isinstance(entry, dict):
            _, document = await registry.manifest(name, str(entry.get("digest") or ""))
            found.update(blobs_of(document))
    return found


def blobs_of(manifest: dict[str, Any]) -> dict[str, int]:
    """The layers and the configuration of one manifest, by digest. Pure."""
    entries = [manifest.get("config"), *(manifest.get("layers") or ())]
    return {
        str(entry["digest"]): int(entry.get("size") or 0)
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("digest"), str)
    }
