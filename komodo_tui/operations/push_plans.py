"""Which image goes to which registries, under which names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.resources import ResourceOperation, target_of
from komodo_tui.operations.ship_plans import find_source, is_called

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.fleet.manager import FleetManager

_REGISTRY = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")


async def prepare_push(
    fleet: FleetManager, image: str, registries: Sequence[str] = (), source: str = ""
) -> ResourceOperation:
    """Find the image and name it for each registry. Changes nothing.

    Args:
        image: a tag, an id or the start of one.
        registries: ``host[:port][/path]``; none = the one that is in the image's name.
        source: the server that has it; empty = found among all.

    Raises:
        UsageError, NotFoundError: no such image, or no name to push it under.
        KomodoError: a server cannot be asked.
    """
    source = await find_source(fleet, image, (), source)
    listed = await (await fleet.link(source).client()).resources()
    found = next((one for one in listed if one.kind == "image" and is_called(one, image)), None)
    if found is None:
        raise NotFoundError(f"{source} has no image {image!r}", hint="`komodo-tui images` lists them")
    tag = next((name for name in (image, f"{image}:latest") if name in found.tags), found.name)
    if registries and not found.tags:
        raise UsageError(f"{image} has no name to push it under", hint="tag it first")
    references = tuple(f"{check_registry(registry)}/{_without_host(tag)}" for registry in registries) or (tag,)
    return ResourceOperation(verb="push", targets=(target_of(source, found),), references=references)


def check_registry(registry: str) -> str:
    """A registry as a name begins with it; raises UsageError."""
    plain = registry.rstrip("/")
    if not _REGISTRY.fullmatch(plain):
        raise UsageError(f"{registry[:80]!r} is no registry", hint="like registry.example:5000 or ghcr.io/shop")
    return plain


def _without_host(tag: str) -> str:
    """``shop/api:1.4`` of ``registry.example/shop/api:1.4``: what stands first is a host where it looks like one."""
    first, slash, rest = tag.partition("/")
    return rest if slash and ("." in first or ":" in first or first == "localhost") else tag
