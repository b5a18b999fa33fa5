"""How a stream's end is told: by the code the agent gave, whatever became of our answer to it."""

from __future__ import annotations

from typing import cast

import aiohttp
import pytest

from komodo_agent.wire.protocol import CLOSE_GONE, CLOSE_STOPPING
from komodo_tui.domain.errors import HostUnreachableError, KomodoError, NotFoundError
from komodo_tui.fleet.streams import Stream


class Ended:
    """A socket that has been closed by the agent, and could not answer any more."""

    close_code = 1006

    def __init__(self, code: int, said: str) -> None:
        self._message = aiohttp.WSMessage(aiohttp.WSMsgType.CLOSE, code, said)

    async def receive(self) -> aiohttp.WSMessage:
        return self._message


@pytest.mark.parametrize(
    ("code", "error"),
    [(CLOSE_STOPPING, HostUnreachableError), (CLOSE_GONE, NotFoundError)],
)
async def test_end_is_what_the_agent_said(code: int, error: type[KomodoError]) -> None:
    stream = Stream("web", cast("aiohttp.ClientWebSocketResponse", Ended(code, "words")))
    with pytest.raises(error):
        await stream._receive()


async def test_proper_end_is_one_even_unanswered() -> None:
    stream = Stream("web", cast("aiohttp.ClientWebSocketResponse", Ended(1000, "")))
    assert await stream._receive() is None
