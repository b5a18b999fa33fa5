"""What happened to the fleet, as told to those who show it."""

from __future__ import annotations

from typing import Literal

import msgspec

EventKind = Literal["server", "engine", "container", "job"]


class FleetEvent(msgspec.Struct, frozen=True):
    """Something worth a line in the activity strip."""

    at: float
    server: str
    kind: EventKind
    text: str


class Changes(msgspec.Struct):
    """What changed since a subscriber last looked."""

    servers: set[str] = msgspec.field(default_factory=set)
    containers: set[tuple[str, str]] = msgspec.field(default_factory=set)
    """(server, container id) that appeared or changed, or lost its figures."""
    removed: set[tuple[str, str]] = msgspec.field(default_factory=set)
    figures: set[str] = msgspec.field(default_factory=set)
    """Servers whose containers have new figures. Which ones is not noted: mostly all, each second."""
    events: list[FleetEvent] = msgspec.field(default_factory=list)
    structure: bool = False
    """Servers were added or removed, or containers appeared or went: lists have to be made anew."""

    def __bool__(self) -> bool:
        return bool(self.structure or self.servers or self.containers or self.removed or self.figures or self.events)
