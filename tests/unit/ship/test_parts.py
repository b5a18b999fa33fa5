"""Frames, layers' names, the spool, and the choice whether to pack."""

from __future__ import annotations

import asyncio
import hashlib
import io
import tarfile
import zlib
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from komodo_agent.engine.errors import engine_errors
from komodo_agent.problems import AgentError
from komodo_agent.ship import lowest
from komodo_agent.ship.ahead import ahead
from komodo_agent.ship.export import GoneError, _Frames
from komodo_agent.ship.frames_in import frames
from komodo_agent.ship.lowest import LowestLayer
from komodo_agent.ship.naming import Namer, chains
from komodo_agent.ship.packing import Packing
from komodo_agent.ship.spool import Spool
from komodo_agent.ship.tar_in import TarIn
from komodo_agent.wire.ships import DATA, END, FRAME_HEAD, FRAME_LIMIT, HEAD, PACKED
from komodo_tui.domain.errors import ActError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.shipping import ShipOperation, ShipTarget
from komodo_tui.operations.frames import FrameMeter, frame
from komodo_tui.operations.server_steps import found_done

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

LAYER = "sha256:" + "a" * 64


def stream(*pieces: bytes) -> aiohttp.StreamReader:
    """An answer of these bytes."""
    loop = asyncio.get_running_loop()
    reader = aiohttp.StreamReader(aiohttp.base_protocol.BaseProtocol(loop), 1 << 20, loop=loop)
    for piece in pieces:
        reader.feed_data(piece)
    reader.feed_eof()
    return reader


def packed(data: bytes, plain: int | None = None) -> bytes:
    """A packed frame that says it holds so many bytes."""
    body = zlib.compress(data)
    return FRAME_HEAD.pack(PACKED, len(body), len(data) if plain is None else plain) + body


async def taken(*pieces: bytes) -> list[tuple[bytes, bytes]]:
    """The frames in there."""
    return [found async for found in frames(stream(*pieces))]


async def test_frames_arrive_as_they_were_sent() -> None:
    assert await taken(frame(HEAD, b"{}") + packed(b"x" * 1000), frame(END, b"")) == [
        (HEAD, b"{}"),
        (PACKED, b"x" * 1000),
        (END, b""),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        frame(DATA, b"abc")[:-1],
        FRAME_HEAD.pack(DATA, FRAME_LIMIT + 1, 1),
        packed(b"x" * 5000, plain=10),
        packed(b"x" * 10, plain=5000),
        FRAME_HEAD.pack(PACKED, 3, 3) + b"abc",
    ],
)
async def test_frames_that_are_none_are_refused(bad: bytes) -> None:
    with pytest.raises(AgentError):
        await taken(bad)


@given(st.lists(st.binary(max_size=50), max_size=8), st.integers(1, 30))
def test_the_meter_counts_whatever_the_pieces(bodies: list[bytes], step: int) -> None:
    whole = b"".join(frame(DATA, body) for body in bodies) + packed(b"y" * 100) + frame(END, b"")
    meter = FrameMeter()
    for at in range(0, len(whole), step):
        assert not meter.ended or at + step >= len(whole) - FRAME_HEAD.size
        meter.feed(whole[at : at + step])
    assert (meter.passed, meter.plain, meter.ended) == (len(whole), sum(map(len, bodies)) + 100, True)


def test_the_meter_refuses_what_is_no_frame() -> None:
    with pytest.raises(ActError):
        FrameMeter().feed(b"\xff" * 20)


def test_a_layer_is_known_by_its_old_folder() -> None:
    # Folder and description as engine 20.10 writes them, of an image of this one layer.
    layer = "sha256:" + "1" * 64
    namer = Namer("sha256:" + "c" * 64, [layer, LAYER])
    text = '{"container_config":{"Env":["A=\\u003cb\\u003e\\u0026c"]},"created":"1970-01-01T00:00:00Z","layer_id":"%s"}'
    folder = hashlib.sha256((text % layer).encode()).hexdigest()
    assert namer.layer(f"{folder}/layer.tar") == ""
    body = (
        '{"id":"%s","created":"1970-01-01T00:00:00Z","container_config":{"Env":["A=\\u003cb\\u003e\\u0026c"]},'
        '"os":"linux"}'
    )
    namer.describe(f"{folder}/json", (body % folder).encode())
    assert namer.layer(f"{folder}/layer.tar") == layer
    assert namer.layer("blobs/sha256/" + "a" * 64) == LAYER
    assert namer.layer("blobs/sha256/" + "b" * 64) is None
    assert namer.layer("repositories") is None
    assert namer.is_config("c" * 64 + ".json")
    assert namer.is_config("blobs/sha256/" + "c" * 64)


def test_chains_stand_for_all_below() -> None:
    assert chains([]) == []
    first, second = chains([LAYER, LAYER])
    assert first == LAYER
    assert second == f"sha256:{hashlib.sha256(f'{LAYER} {LAYER}'.encode()).hexdigest()}"


async def test_a_tar_is_read_member_by_member() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, body in (("short", b"a" * 700), ("long/" * 40 + "é", b"b" * 512), ("empty", b"")):
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "short"
        tar.addfile(link)
    data = out.getvalue()
    reader = TarIn(stream(*(data[at : at + 100] for at in range(0, len(data), 100))), 5)
    seen = {}
    async for member in reader.members():
        seen[member.name] = (member.plain, await reader.whole(10_000) if member.name != "short" else b"passed over")
    assert seen == {
        "short": (True, b"passed over"),
        "long/" * 40 + "é": (True, b"b" * 512),
        "empty": (True, b""),
        "link": (False, b""),
    }
    with pytest.raises(AgentError, match="too early"):
        async for _ in TarIn(stream(data[:900]), 5).members():
            pass
    with pytest.raises(AgentError, match="cannot be read"):
        async for _ in TarIn(stream(b"x" * 2000), 5).members():
            pass


def test_the_spool_keeps_what_broke_off(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.open()
    held = spool.take(LAYER, "0" * 12)
    held.write(b"12345")
    assert spool.kept((LAYER,)) == {}  # in use
    other = spool.take(LAYER, "1" * 12)
    other.write(b"1")
    held.keep()
    other.keep()  # shorter: it goes
    assert spool.kept((LAYER,)) == {LAYER: 5}
    again = spool.take(LAYER, "2" * 12)
    assert again.size == 5
    again.write(b"6")
    digest = again.digest()
    again.close()

    reborn = Spool(tmp_path / "spool")
    reborn.open()  # beside an agent that lives: what that one has in use stays its own
    assert reborn.kept((LAYER,)) == {}
    again.keep()
    (tmp_path / "spool" / LAYER.removeprefix("sha256:")).rename(again.path)
    reborn.open()  # that agent was killed while it had it
    assert reborn.kept((LAYER,)) == {LAYER: 6}
    last = reborn.take(LAYER, "3" * 12)
    assert last.digest() == digest
    last.drop()
    assert reborn.kept((LAYER,)) == {}
    with pytest.raises(AgentError):
        spool.take("sha256:../../etc", "0" * 12)


def test_a_layer_that_goes_while_the_spool_is_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another image arrives at the same time, and its import ends just then: this one must not fail of it."""
    spool = Spool(tmp_path / "spool")
    spool.open()
    held = spool.take(LAYER, "0" * 12)
    held.close()
    listed = type(tmp_path).iterdir

    def gone(folder: Path) -> Iterator[Path]:
        for path in list(listed(folder)):
            path.unlink()
            yield path

    with monkeypatch.context() as patched:
        patched.setattr(type(tmp_path), "iterdir", gone)
        spool.prune()


def test_packing_is_tried_where_sending_is_slow_and_kept_where_it_pays() -> None:
    quick = Packing()
    for _ in range(100):
        assert not quick.look_due()
        assert not quick.pays()
        quick.sent(1 << 20, 0.004)
    slow = Packing()
    assert not slow.look_due()
    slow.sent(1 << 20, 0.1)
    assert slow.look_due()
    slow.packed(1 << 20, 1 << 19, 0.012)
    assert slow.pays()
    slow.sent(1 << 19, 0.05)
    assert slow.pays()
    useless = Packing()
    useless.sent(1 << 20, 0.1)
    looks = 0
    for _ in range(1000):
        if useless.look_due():
            looks += 1
            useless.packed(1 << 20, 1 << 20, 0.02)
        assert not useless.pays()
    assert 5 <= looks <= 10


async def test_ahead_gives_all_and_errors_in_their_place() -> None:
    async def numbers(most: int) -> AsyncIterator[int]:
        for number in range(most):
            yield number
        raise AgentError("failed", "the end")

    found = []
    try:
        async for number in ahead(numbers(20), 3):
            found.append(number)
    except AgentError:
        found.append(-1)
    assert found == [*range(20), -1]
    async with aclosing(ahead(numbers(20), 3)) as some:
        assert await anext(some) == 0


async def test_ahead_can_be_left_while_its_source_waits_for_room() -> None:
    """As when the other side goes away, or the disk is full: the engine always sends faster than the network."""
    fetched = asyncio.Semaphore(0)

    async def numbers() -> AsyncIterator[int]:
        for number in range(20):
            fetched.release()
            yield number

    async with asyncio.timeout(5):
        async with aclosing(ahead(numbers(), 3)) as some:
            assert await anext(some) == 0
            for _ in range(5):  # the one taken, three kept, and the one that finds no room
                await fetched.acquire()


@pytest.mark.parametrize("error", [ConnectionResetError("closing transport"), TimeoutError()])
async def test_a_target_that_goes_away_is_not_taken_for_a_broken_engine(error: Exception) -> None:
    class Response:
        async def write(self, data: bytes) -> None:
            raise error

    response: Any = Response()
    with pytest.raises(GoneError), engine_errors("save api:1"):
        await _Frames(response).put(DATA, b"x")


async def test_the_layer_of_another_image_on_its_way_is_not_swept_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine has made an image of it, and its answer has not come yet."""
    removed: list[str] = []

    async def ask(engine: Any, what: str, method: str, path: str, **_: Any) -> Any:
        if method == "DELETE":
            removed.append(path)
        return [{"Id": "left-by-a-kill"}, {"Id": "ours"}, {"Id": "theirs"}]

    async def run(layer: LowestLayer) -> None:
        layer._image = "ours" if layer._size == 1 else ""
        if not layer._image:
            await asyncio.Event().wait()

    monkeypatch.setattr(lowest, "ask", ask)
    monkeypatch.setattr(LowestLayer, "_run", run)
    nothing: Any = None
    theirs, ours = LowestLayer(nothing, nothing, 2), LowestLayer(nothing, nothing, 1)
    await ours.task
    await ours.close()
    assert removed == ["/images/ours"]
    await theirs.close()
    assert sorted(removed[1:]) == ["/images/left-by-a-kill", "/images/ours", "/images/theirs"]


def test_what_a_killed_program_left_is_told() -> None:
    operation = ShipOperation(image="api:1", id="sha256:1", source="a", targets=(ShipTarget(server="b"),))
    told = found_done(operation, Target(server="b", name="api:1"), {})
    assert (told.ok, told.end) == (False, "interrupted")
    assert "as a whole, or not at all" in told.error
