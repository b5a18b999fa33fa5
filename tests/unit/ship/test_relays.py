"""What an archive of containerd's store says, what is made for it, and one reading for several servers."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from komodo_agent.problems import AgentError
from komodo_agent.ship import contents
from komodo_agent.ship.closing import described, digest, image_layout, manifest
from komodo_agent.wire.ships import DATA, END, HEAD, ExportRequest, Part, Shipment
from komodo_tui.domain.errors import BrokenOffError
from komodo_tui.operations import ship_relays
from komodo_tui.operations.frames import frame
from komodo_tui.operations.ship_relays import Relay, ShipSource

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

OCI = "application/vnd.oci.image"
PLAIN, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
PACKED, FOREIGN, PROVENANCE = "sha256:" + "1" * 64, "sha256:" + "2" * 64, "sha256:" + "3" * 64
GZIP = f"{OCI}.layer.v1.tar+gzip"


def made(config: dict[str, Any], *layers: str, media: str = GZIP) -> tuple[bytes, bytes]:
    """A manifest and its configuration."""
    body = json.dumps(config).encode()
    listed = [{"mediaType": media, "digest": layer, "size": 10} for layer in layers]
    return json.dumps({"config": {"digest": digest(body), "size": len(body)}, "layers": listed}).encode(), body


def test_the_manifest_that_runs_here_is_found_among_those_of_an_index() -> None:
    ours, config = made({"rootfs": {"diff_ids": [PLAIN]}}, PACKED)
    theirs, foreign = made({"rootfs": {"diff_ids": [OTHER]}}, FOREIGN)
    told, about = made({"rootfs": {"diff_ids": ["sha256:9"]}}, PROVENANCE, media="application/vnd.in-toto+json")
    manifests = [{"mediaType": f"{OCI}.manifest.v1+json", "digest": digest(one)} for one in (theirs, told, ours)]
    index = json.dumps({"mediaType": f"{OCI}.index.v1+json", "manifests": manifests}).encode()
    documents = {digest(one): json.loads(one) for one in (ours, config, told, about, index, theirs)}
    sizes = {**{digest(one): len(one) for one in (ours, config, told, about, index, theirs)}, PACKED: 5, PROVENANCE: 7}
    found = contents._content(digest(index), [PLAIN], sizes, documents)
    assert found.config == digest(config)
    assert found.parts[0] == Part(digest=PACKED, size=5, media=GZIP, layer=PLAIN)
    parts = {part.digest: part for part in found.parts}
    assert digest(config) not in parts
    assert parts[digest(index)].media == f"{OCI}.index.v1+json"
    assert parts[PROVENANCE].layer == ""
    assert digest(foreign) not in parts  # of another platform, and not here
    with pytest.raises(AgentError, match="no manifest that fits"):
        contents._content(digest(index), [OTHER], sizes, documents)  # its layer is not there


def test_a_manifest_is_made_of_what_arrived_and_what_was_there() -> None:
    shipment = Shipment(id=digest(b"{}"), layers=(PLAIN, OTHER))
    blobs = {PLAIN: Part(digest=PACKED, size=5, media=GZIP), OTHER: Part(digest=OTHER, size=9)}
    body = manifest(shipment, b"{}", blobs)
    assert [(one["digest"], one["size"], one["mediaType"]) for one in json.loads(body)["layers"]] == [
        (PACKED, 5, GZIP),
        (OTHER, 9, f"{OCI}.layer.v1.tar"),
    ]
    files = dict(image_layout(described(body), b"{}", body))
    (listed,) = json.loads(files["index.json"])["manifests"]
    assert files["blobs/sha256/" + listed["digest"].removeprefix("sha256:")] == body
    assert "annotations" not in listed, "with a name the engine would set it before it has unpacked"


class Source:
    """An agent that sends so many pieces."""

    def __init__(self, pieces: int) -> None:
        self.pieces = pieces
        self.readings = 0

    async def export_image(self, wanted: ExportRequest) -> AsyncGenerator[bytes, None]:
        """Frames."""
        self.readings += 1
        for _ in range(self.pieces):
            yield frame(DATA, b"x" * 100)
        yield frame(END, b"")


async def test_one_reading_serves_all_that_need_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ship_relays, "_TOO_SLOW", 0.01)
    source: Any = Source(100)
    shared = ShipSource()
    relays = [Relay(lambda relay: None) for _ in range(3)]
    async with shared.looking():
        for relay, wanted in zip(relays, ("a", "a", "b"), strict=True):
            shared.read(source, ExportRequest(id="i", wanted=(wanted,)), relay)

    async def taken(relay: Relay) -> int:
        return sum([1 async for _ in relay.pieces(Shipment(id="i"))])

    stuck = relays[1].pieces(Shipment(id="i"))
    assert (await anext(stuck)).startswith(HEAD)  # and takes no more
    counts = await asyncio.gather(taken(relays[0]), taken(relays[2]))
    assert set(counts) == {102}
    assert source.readings == 2
    assert relays[0].meter.ended
    with pytest.raises(BrokenOffError, match="slower than the others"):
        async for _ in stuck:
            pass
    for relay in relays:
        await relay.close()


async def test_a_server_that_leaves_stops_nobody_and_the_last_one_ends_the_reading() -> None:
    source: Any = Source(10_000)
    shared = ShipSource()
    relays = [Relay(lambda relay: None) for _ in range(2)]
    async with shared.looking():
        for relay in relays:
            shared.read(source, ExportRequest(id="i"), relay)
    first, second = (relay.pieces(Shipment(id="i")) for relay in relays)
    for _ in range(5):
        await asyncio.gather(anext(first), anext(second))
    await relays[0].close()
    for _ in range(200):
        await anext(second)
    await asyncio.wait_for(relays[1].close(), 5)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not relays[1].meter.ended


async def test_nobody_joins_a_reading_that_was_left_before_it_began() -> None:
    source: Any = Source(10)
    shared = ShipSource()
    left, late = (Relay(lambda relay: None) for _ in range(2))
    async with shared.looking():
        shared.read(source, ExportRequest(id="i"), left)
        await left.close()
        shared.read(source, ExportRequest(id="i"), late)
    async with asyncio.timeout(10):
        assert len([1 async for _ in late.pieces(Shipment(id="i"))]) == 12
    await late.close()
