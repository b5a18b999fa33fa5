"""What is in an image of containerd's store: no call of the engine's tells, so its archive is read through once.

An archive is an OCI image layout (``oci-layout``, ``index.json``, ``blobs/sha256/DIGEST``). The id of an image there is
a digest over all that is in it, so what was read of one never becomes wrong, and is remembered.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec

from ..engine.asking import image_path
from ..engine.errors import engine_errors
from ..engine.resources import short
from ..problems import AgentError
from ..wire.ships import Part
from .tar_in import TarIn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..engine.client import Engine

_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
_DOCUMENT_LIMIT = 1 << 20
"""Bytes of a manifest or a configuration; what is larger is a layer."""
_DOCUMENTS_LIMIT = 32 << 20
_SILENCE = 300.0
"""Seconds the engine may take for its next bytes."""
_REMEMBERED = 64
_DEPTH = 3
"""Indexes within indexes that are followed."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """One image in containerd's store."""

    config: str
    """The digest of its configuration."""
    parts: tuple[Part, ...]
    """All other blobs that are there: the layers it runs from first, lowest first."""


class Contents:
    """Asks the engine, and remembers."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, tuple[str, ...]], Content] = OrderedDict()

    async def of(self, engine: Engine, image: str, layers: Sequence[str]) -> Content:
        """What is in the image of this id, which runs from these layers on this engine.

        Raises:
            AgentError: the engine failed, or nothing in its archive fits.
        """
        key = image, tuple(layers)
        if key not in self._known:
            self._known[key] = await _read(engine, image, layers)
        self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return self._known[key]


async def _read(engine: Engine, image: str, layers: Sequence[str]) -> Content:
    sizes: dict[str, int] = {}
    documents: dict[str, Any] = {}
    budget = _DOCUMENTS_LIMIT
    with engine_errors(f"look into {short(image)}"):
        async with engine.stream("GET", f"/images/{image_path(image)}/get") as answer:
            archive = TarIn(answer.content, _SILENCE)
            async for member in archive.members():
                match = _BLOB.fullmatch(member.name)
                if match is None:
                    continue
                digest = f"sha256:{match.group(1)}"
                sizes[digest] = member.size
                if member.size <= min(_DOCUMENT_LIMIT, budget):
                    budget -= member.size
                    documents[digest] = _document(await archive.whole(_DOCUMENT_LIMIT))
    return _content(image, layers, sizes, documents)


def _content(image: str, layers: Sequence[str], sizes: dict[str, int], documents: dict[str, Any]) -> Content:
    """Of all that is in an archive, what the image is."""
    media = dict(_media(documents, image))
    for manifest in _manifests(documents, image, _DEPTH):
        config, packed = manifest.get("config", {}).get("digest"), manifest["layers"]
        plain = (documents.get(config) or {}).get("rootfs", {}).get("diff_ids")
        if plain != list(layers) or len(packed) != len(layers):
            continue
        named = {str(one.get("digest")): layer for one, layer in zip(packed, layers, strict=True)}
        if not all(digest in sizes for digest in named):
            continue
        others = [digest for digest in sizes if digest not in named and digest != config]
        parts = [
            Part(digest=digest, size=sizes[digest], media=media.get(digest, ""), layer=named.get(digest, ""))
            for digest in [*named, *others]
        ]
        return Content(config=config, parts=tuple(parts))
    raise AgentError("failed", f"the engine's archive of {short(image)} has no manifest that fits it")


def _manifests(documents: dict[str, Any], digest: str, depth: int) -> Iterator[dict[str, Any]]:
    document = documents.get(digest) or {}
    if isinstance(document.get("layers"), list):
        yield document
    for child in document.get("manifests") or ():
        if depth:
            yield from _manifests(documents, str(child.get("digest")), depth - 1)


def _media(documents: dict[str, Any], image: str) -> Iterator[tuple[str, str]]:
    """The media types of the blobs: what refers to one says it, and the uppermost says its own."""
    for digest, document in documents.items():
        if not document:
            continue
        if digest == image:
            yield digest, str(document.get("mediaType") or _guess(document))
        for key in ("manifests", "layers"):
            found = document.get(key)
            for one in found if isinstance(found, list) else ():
                if isinstance(one, dict):
                    yield str(one.get("digest")), str(one.get("mediaType") or "")


def _guess(document: dict[str, Any]) -> str:
    kind = "index" if "manifests" in document else "manifest"
    return f"application/vnd.oci.image.{kind}.v1+json"


def _document(body: bytes) -> dict[str, Any] | None:
    if not body.startswith(b"{"):
        return None
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) else None
