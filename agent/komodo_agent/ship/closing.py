"""The files at the end of an archive that make an image of the layers before them. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from ..wire.ships import Part
from .spool import digits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..wire.ships import Shipment

_OCI = "application/vnd.oci.image"
_PLAIN_LAYER = f"{_OCI}.layer.v1.tar"


def docker_archive(shipment: Shipment, config: bytes, files: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """For an engine with layers of its own: a docker archive.

    Args:
        files: the path of each layer that came before, by the digest of its plain content. A layer that the engine has
            needs no file: it is looked up before its file is opened.
    """
    name = f"{digits(shipment.config or shipment.id)}.json"
    layers = [files.get(layer, f"{digits(layer)}/layer.tar") for layer in shipment.layers]
    yield name, config
    yield "manifest.json", msgspec.json.encode([{"Config": name, "RepoTags": shipment.tags, "Layers": layers}])


def image_layout(root: Part, *documents: bytes) -> Iterator[tuple[str, bytes]]:
    """For containerd's store: an OCI image layout, of whose blobs those that the engine has may be left out.

    The image has no name in it: the engine would set names before it has unpacked the layers.
    """
    yield "oci-layout", b'{"imageLayoutVersion":"1.0.0"}'
    for body in documents:
        yield f"blobs/sha256/{hashlib.sha256(body).hexdigest()}", body
    listed = {"mediaType": root.media, "digest": root.digest, "size": root.size}
    index = {"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": [listed]}
    yield "index.json", msgspec.json.encode(index)


def manifest(shipment: Shipment, config: bytes, blobs: Mapping[str, Part]) -> bytes:
    """The manifest for containerd's store of an image that had none.

    Args:
        blobs: what holds each layer, by the digest of its plain content.
    """
    layers = [blobs[layer] for layer in shipment.layers]
    return msgspec.json.encode(
        {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": {"mediaType": f"{_OCI}.config.v1+json", "digest": digest(config), "size": len(config)},
            "layers": [
                {"mediaType": one.media or _PLAIN_LAYER, "digest": one.digest, "size": one.size} for one in layers
            ],
        }
    )


def described(document: bytes) -> Part:
    """The part that a manifest made here is."""
    return Part(digest=digest(document), size=len(document), media=f"{_OCI}.manifest.v1+json")


def digest(body: bytes) -> str:
    """``sha256:`` and digits."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
