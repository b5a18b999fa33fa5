"""The engine's event stream: which containers were touched, nothing more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from .lines import line_batches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

_NAMES = (
    "create", "start", "die", "destroy", "remove", "rename", "pause", "unpause", "update", "health_status",
    "connect", "disconnect",
)  # fmt: skip
_FILTERS = msgspec.json.encode({"type": ["container", "network"], "event": list(_NAMES)}).decode()
_OVERLAP = 2.0
"""Seconds of the past to hear again, for a clock that stepped back."""


class _Actor(msgspec.Struct):
    ID: str = ""
    Attributes: dict[str, str] | None = None


class _Event(msgspec.Struct):
    Type: str = ""
    id: str = ""
    Actor: _Actor | None = None


_decode = msgspec.json.Decoder(_Event, strict=False).decode


def parameters() -> dict[str, str]:
    """The query of ``/events``. The engine filters *after* its small replay buffer, so replay is never relied on."""
    return {"since": f"{time.time() - _OVERLAP:.9f}", "filters": _FILTERS}


def touched(line: bytes) -> str:
    """The id of the container an event is about; empty when it is about none or makes no sense."""
    try:
        event = _decode(line)
    except msgspec.DecodeError:
        return ""
    if event.Type == "network":
        attributes = event.Actor.Attributes if event.Actor else None
        return (attributes or {}).get("container", "")
    return (event.Actor.ID if event.Actor else "") or event.id


async def touches(response: aiohttp.ClientResponse) -> AsyncIterator[set[str]]:
    """Container ids as their events arrive, those of one piece of the stream together; ends with the stream.

    Raises:
        aiohttp.ClientError: the stream broke.
        ConnectionResetError: it is no event stream.
    """
    async for lines in line_batches(response):
        found = {touched(line) for line in lines}
        found.discard("")
        if found:
            yield found
