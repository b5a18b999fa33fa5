"""Images on their way from one server's engine to another's: what there is, what lacks, and the stream between.

The stream is a row of frames. A frame is a head (:data:`FRAME_HEAD`: kind, stored length, plain length) and that many
stored bytes. One layer after the other: a ``LAYER`` frame says which, ``DATA`` and ``PACKED`` frames bring its bytes.
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
"""The image's configuration, byte by byte: its digest is the image's id."""
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


class ImageLayers(msgspec.Struct, frozen=True, kw_only=True):
    """What an image is made of."""

    id: str
    """``sha256:`` and the digest of its configuration."""
    tags: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    """Digests of the layers' plain content (``diff_ids``), lowest first."""
    sizes: tuple[int, ...] = ()
    """About how many bytes each layer has; empty where the engine does not say."""
    size: int = 0
    platform: str = ""
    """``linux/amd64``"""
    whole: bool = False
    """The engine keeps images in another way (containerd's store): layers cannot be left out."""


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """One image for one server."""

    id: str
    tags: tuple[str, ...] = ()
    """The names it gets there, all at once, at the very end."""
    layers: tuple[str, ...] = ()


class Lacking(msgspec.Struct, frozen=True, kw_only=True):
    """What a server needs for an image."""

    present: bool
    """The engine has the image."""
    layers: tuple[str, ...] = ()
    """The layers its engine lacks, lowest first; nothing where the image is present."""
    kept: dict[str, int] = msgspec.field(default_factory=dict)
    """Of those: bytes that an attempt which was broken off left."""
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    """Of the tags asked about, those that exist there, and the ids of their images."""
    whole: bool = False
    """The engine there keeps images in another way, as in :class:`ImageLayers`."""
    free: int = 0
    """Bytes free where the layers are kept until they are loaded."""


class ExportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Send these layers of an image."""

    id: str
    layers: tuple[str, ...] = ()
    """All layers of the image, lowest first."""
    wanted: tuple[str, ...] = ()
    """Those to send."""
    kept: dict[str, int] = msgspec.field(default_factory=dict)
    """Bytes of them that need not be sent, at their beginning."""


class LayerHead(msgspec.Struct, frozen=True, kw_only=True):
    """A layer begins."""

    layer: str
    """Its digest; empty where the source does not know which it is: the digest of its bytes tells."""
    size: int
    """Bytes of the whole layer."""
    offset: int = 0
    """Where in it the bytes that follow begin."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The engine has the image."""

    id: str
    tags: tuple[str, ...] = ()
    layers: int = 0
    """How many layers arrived."""
    size: int = 0
    """Their bytes, plain."""
    resumed: int = 0
    """Bytes of them that an earlier attempt had brought."""
