"""What programs write and what the screen then shows, on every core, whole and in pieces."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.unit.terminal.screens import Picture
from tests.unit.terminal.streams import STREAMS, Stream

if TYPE_CHECKING:
    from tests.unit.terminal.conftest import OpenCore


def pieces(data: bytes, seed: int) -> list[bytes]:
    """The bytes cut anywhere."""
    chance = random.Random(seed)
    cut = []
    while data:
        size = chance.choice((1, 1, 2, 3, 7))
        cut.append(data[:size])
        data = data[size:]
    return cut


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name.replace(" ", "-"))
@pytest.mark.parametrize("seed", [None, 1, 2], ids=["whole", "cut-1", "cut-2"])
async def test_stream_leaves_the_screen(open_core: OpenCore, core_name: str, stream: Stream, seed: int | None) -> None:
    if stream.only and stream.only != core_name:
        pytest.skip(f"{core_name} is known not to do this")
    core = await open_core(20, 6)
    data = stream.output.encode("utf-8", "surrogateescape")
    for piece in [data] if seed is None else pieces(data, seed):
        await core.feed(piece)
    picture = Picture().take(await core.take_frame())
    assert picture.lines == stream.lines
    if stream.cursor is not None:
        assert picture.frame is not None
        cursor = picture.frame.cursor
        assert (cursor.x, cursor.y) == stream.cursor
