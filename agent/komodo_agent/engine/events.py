"""The engine's event stream: which containers were touched, and what no later look at one would show."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

import msgspec

from .lines import line_batches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    import aiohttp

_NAMES = (
    "create", "start", "die", "destroy", "remove", "rename", "pause", "unpause", "update", "health_status",
    "connect", "disconnect", "oom",
)  # fmt: skip
_FILTERS = msgspec.json.encode({"type": ["container", "network"], "event": list(_NAMES)}).decode()
_OVERLAP = 2.0
"""Seconds of the past to hear again, for a clock that stepped back."""
_REACH = 3600.0
"""Seconds of the past to hear when nothing has been heard yet: what happened while no agent ran."""

HappeningKind = Literal["oom", "die"]


class Happening(NamedTuple):
    """Something that is over at once: a container that was started again shows nothing of it."""

    id: str
    """The container's, in full."""
    container: str
    """Its name."""
    stack: str
    """Its compose project, or an empty string."""
    kind: HappeningKind
    at: float
    """Unix time, by the engine."""
    exit_code: int | None = None
    """Of ``die``."""
    image: str = ""
    """As the container was made of it."""


class Heard(NamedTuple):
    """What a piece of the stream said."""

    touched: frozenset[str]
    """Ids of containers to look at."""
    happened: tuple[Happening, ...]


class _Actor(msgspec.Struct):
    ID: str = ""
    Attributes: dict[str, str] | None = None


class _Event(msgspec.Struct):
    Type: str = ""
    id: str = ""
    Actor: _Actor | None = None
    Action: str = ""
    timeNano: int = 0


_decode = msgspec.json.Decoder(_Event, strict=False).decode


def parameters(heard: float) -> dict[str, str]:
    """The query of ``/events``, from the last event that was heard on (Unix time; 0 = none yet).

    The engine filters *after* its replay buffer of 256 events and loses that with its end: what is replayed may fill a
    gap, and is never relied on for how a container is.
    """
    since = heard - _OVERLAP if heard else time.time() - _REACH
    return {"since": f"{since:.9f}", "filters": _FILTERS}


def read(lines: Iterable[bytes]) -> Heard:
    """What these lines say; those that make no sense say nothing."""
    touched: set[str] = set()
    happened: list[Happening] = []
    for line in lines:
        try:
            event = _decode(line)
        except msgspec.DecodeError:
            continue
        container = _touched(event)
        if not container:
            continue
        touched.add(container)
        if event.Type == "container" and event.Action in ("oom", "die"):
            happened.append(_happening(container, event))
    return Heard(frozenset(touched), tuple(happened))


def _happening(container: str, event: _Event) -> Happening:
    told = (event.Actor.Attributes if event.Actor else None) or {}
    code = told.get("exitCode", "")
    return Happening(
        id=container, container=told.get("name", ""), stack=told.get("com.docker.compose.project", ""),
        kind=cast("HappeningKind", event.Action), at=event.timeNano / 1e9,
        exit_code=int(code) if code.isdecimal() else None, image=told.get("image", ""),
    )  # fmt: skip


def _touched(event: _Event) -> str:
    """The id of the container an event is about; empty when it is about none."""
    if event.Type == "network":
        attributes = event.Actor.Attributes if event.Actor else None
        return (attributes or {}).get("container", "")
    return (event.Actor.ID if event.Actor else "") or event.id


async def hear(response: aiohttp.ClientResponse) -> AsyncIterator[Heard]:
    """What events say as they arrive, those of one piece of the stream together; ends with the stream.

    Raises:
        aiohttp.ClientError: the stream broke.
        ConnectionResetError: it is no event stream.
    """
    async for lines in line_batches(response):
        heard = read(lines)
        if heard.touched:
            yield heard
