"""Bringing an image from one server straight to others. Pure."""

from __future__ import annotations

import msgspec

from komodo_agent.wire.ships import Part, Shipment
from komodo_tui.domain.platforms import runs


class ShipTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One server to bring it to, as it was found when the act was chosen: it is looked at again before bytes move."""

    server: str
    present: bool = False
    """It has the image already: only names may be missing."""
    id: str = ""
    """The id the image has or will have there; empty where that is only known when it is there."""
    lacking: int = 0
    """How many of the image's layers it lacks."""
    size: int = 0
    """About how many bytes they are, less those that an earlier attempt left there."""
    kept: int = 0
    """Bytes that an earlier attempt left there."""
    moved: tuple[str, ...] = ()
    """Names that mean another image there now."""
    platform: str = ""
    """What the engine there runs on: ``linux/x86_64``; empty: nobody knows."""
    free: int = 0
    """Bytes free where layers are kept until they are loaded."""


class ShipOperation(msgspec.Struct, frozen=True, kw_only=True, tag="ship", tag_field="operation"):
    """Bring one image to some servers."""

    image: str
    """As people call it: a tag, else the twelve digits of its id."""
    id: str
    """At its source."""
    source: str
    """The server that has it."""
    tags: tuple[str, ...] = ()
    """The names it gets there."""
    layers: tuple[str, ...] = ()
    """Digests of its layers, lowest first."""
    sizes: tuple[int, ...] = ()
    """About how many bytes each layer has; empty where nobody knows."""
    size: int = 0
    """About how many bytes they are together."""
    config: str = ""
    """The digest of its configuration, the same on all engines; empty: the id is it."""
    parts: tuple[Part, ...] = ()
    """Where the source keeps it in containerd's store: the blobs it is made of."""
    platform: str = ""
    targets: tuple[ShipTarget, ...] = ()
    any_platform: bool = False
    """Also where it would not run."""

    def unfit(self) -> tuple[ShipTarget, ...]:
        """The servers where it would not run."""
        return tuple(target for target in self.targets if not runs(self.platform, target.platform))

    def shipment(self) -> Shipment:
        """What each of the servers is asked about, and then gets."""
        return Shipment(id=self.id, config=self.config, parts=self.parts, tags=self.tags, layers=self.layers)
