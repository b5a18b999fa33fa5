"""Images on their way from one server's engine to another's: what there is, what lacks, and the stream between.

Engines keep images in one of two ways. In layers of their own: an image's id is the digest of its configuration, and a
layer is known by the digest of its plain content. Or in containerd's store: the id is the digest of a manifest or of an
index of manifests, and all of it is blobs, layers as they are packed among them, each known by its digest.

The stream is a row of frames. A frame is a head (:data:`FRAME_HEAD`: kind, stored length, plain length) and that many
stored bytes. One part after the other, a layer or another blob: a ``LAYER`` frame says which, ``DATA`` and ``PACKED``
frames bring its bytes.
"""

from __future__ import annotations

import struct

import msgspec

ROUTE_IMAGE_LAYERS = "/v1/images/{id}/layers"
"""GET -> :class:`ImageLayers`."""
ROUTE_IMAGE_LACKING = "/v1/ships/lacking"
"""POST :class:`Shipment` -> :class:`Lacking`: what the engine there and the spool beside it lack. Changes nothing."""
ROUTE_IMAGE_EXPORT = "/v1/ships/export"
"""POST :class:`ExportRequest` -> frames, from ``CONFIG`` and ``LAYER`` to ``END`` or ``PROBLEM``."""
ROUTE_IMAGE_IMPORT = "/v1/ships/import"
"""PUT frames, the first a ``HEAD`` with the :class:`Shipment` -> :class:`Imported`, once the engine has the image."""

FRAME_HEAD = struct.Struct(">cII")
FRAME_LIMIT = 1 << 20
"""Bytes a frame holds at most, stored and plain."""

HEAD = b"H"
"""A :class:`Shipment` in JSON."""
CONFIG = b"C"
"""The image's configuration, byte by byte."""
LAYER = b"L"
"""A :class:`LayerHead` in JSON: its bytes follow."""
DATA = b"D"
"""Bytes of the layer as they are."""
PACKED = b"Z"
"""Bytes of the layer, packed by zlib, each frame for itself."""
WAIT = b"W"
"""Nothing yet: the engine is still at work."""
END = b"E"
"""All has been sent."""
PROBLEM = b"X"
"""It failed at the source: a :class:`~.protocol.Problem` in JSON."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One blob of an image in containerd's store."""

    digest: str
    size: int
    media: str = ""
    """Its media type, where something in the image says it."""
    layer: str = ""
    """Of a layer that the image runs from: the digest of its plain content."""


class ImageLayers(msgspec.Struct, frozen=True, kw_only=True):
    """What an image is made of."""

    id: str
    """As its engine calls it."""
    config: str = ""
    """The digest of its configuration, which is the same on all engines."""
    tags: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    """Digests of the layers' plain content (``diff_ids``), lowest first."""
    sizes: tuple[int, ...] = ()
    """About how many bytes each layer has; empty where the engine does not say."""
    size: int = 0
    platform: str = ""
    """``linux/amd64``"""
    parts: tuple[Part, ...] = ()
    """Where it is kept in containerd's store: all blobs of it but the configuration."""


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """One image for one server."""

    id: str
    """At its source."""
    config: str = ""
    """The digest of its configuration; empty: the id is it."""
    parts: tuple[Part, ...] = ()
    """As in :class:`ImageLayers`; empty: the parts are the layers."""
    tags: tuple[str, ...] = ()
    """The names it gets there, all at once, at the very end."""
    layers: tuple[str, ...] = ()


class Lacking(msgspec.Struct, frozen=True, kw_only=True):
    """What a server needs for an image."""

    present: bool
    """The engine has the image."""
    id: str = ""
    """The id it has or will have there; empty where that is only known when it is there."""
    layers: tuple[str, ...] = ()
    """The parts its engine lacks, in the shipment's order; nothing where the image is present."""
    kept: dict[str, int] = msgspec.field(default_factory=dict)
    """Of those: bytes that an attempt which was broken off left."""
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    """Of the tags asked about, those that exist there, and the ids of their images."""
    platform: str = ""
    """What the engine there runs on: ``linux/x86_64``"""
    free: int = 0
    """Bytes free where the layers are kept until they are loaded."""


class ExportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Send these parts of an image."""

    id: str
    config: str = ""
    """As in :class:`Shipment`."""
    layers: tuple[str, ...] = ()
    """All parts of the image, its layers lowest first."""
    wanted: tuple[str, ...] = ()
    """Those to send."""
    kept: dict[str, int] = msgspec.field(default_factory=dict)
    """Bytes of them that need not be sent, at their beginning."""


class LayerHead(msgspec.Struct, frozen=True, kw_only=True):
    """A layer or another part begins."""

    layer: str
    """Its digest; empty where the source does not know which it is: the digest of its bytes tells."""
    size: int
    """Bytes of the whole layer."""
    offset: int = 0
    """Where in it the bytes that follow begin."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The engine has the image."""

    id: str
    """As it is called there."""
    tags: tuple[str, ...] = ()
    layers: int = 0
    """How many layers arrived."""
    size: int = 0
    """Their bytes, plain."""
    resumed: int = 0
    """Bytes of them that an earlier attempt had brought."""
