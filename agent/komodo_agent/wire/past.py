"""What the agent remembers beyond its live window: series on disk, and what happened to containers."""

from __future__ import annotations

from typing import Literal

import msgspec

ROUTE_PAST = "/v1/past"
"""GET ?subject=&start=&end=&points= -> :class:`Past`: one subject's series between two Unix times."""
ROUTE_PAST_SUBJECTS = "/v1/past/subjects"
"""GET ?start=&end= -> list of the subjects that have values between two Unix times."""
ROUTE_PAST_EVENTS = "/v1/past/events"
"""GET ?start=&end=&limit= -> :class:`PastEvents`."""

HOST = "host"
"""The subject of the machine itself; others are ``disk:<mount point>`` and ``container:<name>``."""
HOST_SERIES = (
    "cpu", "memory", "swap", "load", "net_rx", "net_tx", "disk_read", "disk_write",
    "pressure_cpu", "pressure_memory", "pressure_io",
)  # fmt: skip
"""Percent of all cores, bytes, bytes, the load of one minute, bytes/s, and the 10 s averages of PSI in percent."""
DISK_SERIES = ("used", "available")
"""Bytes."""
CONTAINER_SERIES = ("cpu", "memory", "net_rx", "net_tx", "block_read", "block_write", "pids")
"""Percent of one core, bytes, bytes/s, processes."""
PEAK = "_peak"
"""Ends the names of series that hold the greatest value of each step instead of the mean: of ``cpu`` and ``memory``."""

EventKind = Literal[
    "created", "started", "stopped", "died", "oom", "paused", "unpaused", "healthy", "unhealthy", "restarting",
    "removed", "engine_down", "engine_up", "agent_started",
]  # fmt: skip


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """Series of one subject, oldest first, all of one length and step; values are within 0.5 % of what was seen."""

    subject: str
    step: float
    """Seconds a value stands for: 1, 60 or 900, or a multiple where fewer points were asked for."""
    start: float
    """Unix time at which the first value's step begins."""
    series: dict[str, list[float | None]]
    """By name; None where nothing was seen."""


class PastEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened to a container or to the engine."""

    at: float
    kind: EventKind
    container: str = ""
    """Its name; empty for what is not about a container."""
    stack: str = ""
    """Its compose project."""
    detail: str = ""
    """E.g. ``exit code 137``."""


class PastEvents(msgspec.Struct, frozen=True, kw_only=True):
    """Events between two times, oldest first."""

    events: tuple[PastEvent, ...]
    truncated: bool = False
    """Whether there were more than asked for; the newest are given."""
    since: float = 0.0
    """How far back events are kept at all; 0 when there are none."""


events_decoder = msgspec.json.Decoder(PastEvents)
past_decoder = msgspec.json.Decoder(Past)
