"""From a commit to where it runs: builds, their images and the containers of them, joined. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_agent.wire.builds import LABEL
from komodo_tui.domain.filters import parse_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from komodo_agent.wire.models import Container

REVISION = "org.opencontainers.image.revision"
"""Label of an image: the commit it was built from (OCI image specification, annotations). Containers inherit it."""
VERSION = "org.opencontainers.image.version"
_GONE = frozenset({"exited", "dead", "created", "removing"})

DeliveryState = Literal["building", "failed", "live", "older", "nowhere"]
STATE_WORDS: dict[DeliveryState, str] = {
    "building": "building",
    "failed": "failed",
    "live": "live",
    "older": "newer built",
    "nowhere": "runs nowhere",
}


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """One build there has been."""

    id: str
    """Of its act."""
    name: str
    version: str
    at: float
    """When it ended, else when it began."""
    outcome: str = ""
    """Empty while it runs."""
    commit: str = ""
    image: str = ""
    server: str = ""
    seconds: float = 0.0
    references: tuple[str, ...] = ()

    @property
    def stamp(self) -> str:
        """As :func:`stamp` has it of its image; empty where it has no name or was not built."""
        if self.outcome != "success" or not self.references:
            return ""
        return stamp({LABEL: self.name, VERSION: self.version, REVISION: self.commit}, self.references[0])


def stamp(labels: Mapping[str, str], reference: str) -> str:
    """What a build's image is known by where an engine names images in another way; empty: no build of ours made it.

    Images made from it inherit the labels, so its name counts too: the last part of it, which registries leave alone.
    """
    if not labels.get(LABEL):
        return ""
    facts = (labels[LABEL], labels.get(VERSION, ""), labels.get(REVISION, ""), _last_part(reference))
    return "\n".join(facts)


def _last_part(reference: str) -> str:
    """``api`` of ``registry.example:5000/shop/api:1.4@sha256:…``."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[0]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One container of an image."""

    server: str
    container: str
    id: str
    stack: str = ""
    """Its stack or deployment."""
    state: str = ""
    since: float = 0.0

    def __str__(self) -> str:
        return f"{self.stack or self.container}@{self.server}"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How far one commit, or one version, has come."""

    name: str
    """Of the build; of an image that was built elsewhere, its own."""
    version: str = ""
    commit: str = ""
    image: str = ""
    built: Built | None = None
    """None: it was built elsewhere, and says itself of which commit."""
    newest: bool = False
    """No later build of that name has succeeded."""
    on: tuple[str, ...] = ()
    """The servers that have the image, as far as they were asked."""
    places: tuple[Place, ...] = ()

    @property
    def key(self) -> str:
        """The same for the same delivery at the next look."""
        return self.built.id if self.built is not None else f"{self.name} {self.image}"

    @property
    def running(self) -> tuple[Place, ...]:
        """The containers that run."""
        return tuple(place for place in self.places if place.state not in _GONE)

    @property
    def state(self) -> DeliveryState:
        """How it stands."""
        if self.built is not None and not self.built.outcome:
            return "building"
        if self.built is not None and self.built.outcome != "success":
            return "failed"
        if not self.running:
            return "nowhere"
        return "live" if self.newest else "older"

    @property
    def where(self) -> str:
        """``shop@web-1 ×2, api@web-2``: what runs of it, the same stack on a server once."""
        counts: dict[str, int] = {}
        for place in self.running:
            counts[str(place)] = counts.get(str(place), 0) + 1
        return ", ".join(f"{name} ×{count}" if count > 1 else name for name, count in counts.items())


def deliveries(
    built: Iterable[Built],
    containers: Iterable[tuple[str, Container]],
    images: Mapping[str, tuple[str, ...]] | None = None,
) -> list[Delivery]:
    """Each build's newest, each that runs somewhere, and images that name their commit; by name, the newest first.

    Args:
        built: the newest first.
        containers: with the names of their servers.
        images: the servers that have an image, by its id and by its :func:`stamp`.
    """
    built = tuple(built)
    places: dict[str, list[Place]] = {}
    labels: dict[str, Container] = {}
    ids = {one.image for one in built}
    stamped = {one.stamp: one.image for one in reversed(built) if one.stamp}
    for server, container in containers:
        image = container.image_id
        if image not in ids:
            image = stamped.get(stamp(container.labels, container.image), image)
        places.setdefault(image, []).append(_place(server, container))
        if container.labels.get(REVISION):
            labels.setdefault(image, container)
    having = images or {}
    found: list[Delivery] = []
    seen: set[str] = set()
    good: set[str] = set()
    taken: set[str] = set()
    for one in built:
        newest = one.outcome == "success" and one.name not in good
        image = one.image if one.image not in taken else ""  # the same image again: its containers stand at the newest
        if newest or one.name not in seen or (image and image in places):
            found.append(_delivery(one, newest, image, places, having))
        seen.add(one.name)
        if one.outcome == "success":
            good.add(one.name)
            taken.add(one.image)
    for image, container in labels.items():
        if image not in taken:
            found.append(_elsewhere(image, container, places[image], having))
    return sorted(found, key=lambda one: (one.name, -(one.built.at if one.built else 0.0)))


def _delivery(
    one: Built, newest: bool, image: str, places: Mapping[str, list[Place]], having: Mapping[str, tuple[str, ...]]
) -> Delivery:
    on = dict.fromkeys((*having.get(image, ()), *having.get(one.stamp, ()))) if image else ()
    return Delivery(
        name=one.name, version=one.version, commit=one.commit, image=one.image, built=one, newest=newest,
        on=tuple(on), places=_sorted(places.get(image, ())) if image else (),
    )  # fmt: skip


def _elsewhere(
    image: str, container: Container, places: list[Place], having: Mapping[str, tuple[str, ...]]
) -> Delivery:
    return Delivery(
        name=_last_part(container.image) or container.image,
        version=container.labels.get(VERSION, ""), commit=container.labels[REVISION], image=image, newest=True,
        on=having.get(image, ()), places=_sorted(places),
    )  # fmt: skip


def _place(server: str, container: Container) -> Place:
    return Place(
        server=server, container=container.name, id=container.id, stack=container.stack, state=container.state,
        since=container.started,
    )  # fmt: skip


def _sorted(places: Iterable[Place]) -> tuple[Place, ...]:
    return tuple(sorted(places, key=lambda place: (place.server, place.stack, place.container)))


def parse_deliveries(line: str) -> Callable[[Delivery], bool]:
    """A filter: words of names, versions, commits, states and places. Raises UsageError."""
    test = parse_text(line)

    def fits(one: Delivery) -> bool:
        words = (one.name, one.version, one.commit, one.image, one.state, *map(str, one.places),
                 *(place.container for place in one.places), *one.on)  # fmt: skip
        return test("\n".join(words).lower())

    return fits
