"""The live feed: one WebSocket a client, a snapshot first, then what changed.

Every frame is a binary message holding a JSON array of :data:`FeedMessage`; the agent gathers what
happens within 30 ms (or 32 KiB) into one frame. The client sends :class:`FeedRequest` as text.
"""

from __future__ import annotations

import msgspec

from .jobs import Job
from .models import (
    Container,
    ContainerSample,
    Device,
    Engine,
    Filesystem,
    Host,
    HostSample,
    Oom,
    Process,
)

MAX_FRAME = 16 << 20
"""Bytes of the largest frame: a snapshot is never cut, other frames hold about 32 KiB. Clients accept this much."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, tag="snapshot", tag_field="k"):
    """Everything, at the start of a feed and whenever deltas would not do."""

    at: float
    host: Host
    engine: Engine
    containers: tuple[Container, ...]
    filesystems: tuple[Filesystem, ...]
    sample: HostSample | None = None
    samples: dict[str, ContainerSample] = msgspec.field(default_factory=dict)
    """By container id."""
    jobs: tuple[Job, ...] = ()
    """Those running or ended within the last minutes."""
    ooms: tuple[Oom, ...] = ()
    """The latest of this agent's time, and of the hour before as far as the engine remembers."""


class EngineChanged(msgspec.Struct, frozen=True, kw_only=True, tag="engine", tag_field="k"):
    """The engine went up or down. The containers last known stay; they are no longer live."""

    engine: Engine


class ContainersChanged(msgspec.Struct, frozen=True, kw_only=True, tag="containers", tag_field="k"):
    """Containers that appeared or changed, the ids of those that went, and what happened to some."""

    changed: tuple[Container, ...] = ()
    removed: tuple[str, ...] = ()
    ooms: tuple[Oom, ...] = ()
    """What none of them shows any more once it was started again."""


class Samples(msgspec.Struct, frozen=True, kw_only=True, tag="samples", tag_field="k"):
    """A look at the host and its containers. Containers whose figures did not change are left out."""

    at: float
    host: HostSample | None = None
    containers: dict[str, ContainerSample] = msgspec.field(default_factory=dict)
    devices: tuple[Device, ...] = ()
    """Only when asked for (``FeedRequest.devices``)."""


class FilesystemsChanged(msgspec.Struct, frozen=True, kw_only=True, tag="filesystems", tag_field="k"):
    """All mounted file systems, when one of them changed noticeably."""

    filesystems: tuple[Filesystem, ...]


class Processes(msgspec.Struct, frozen=True, kw_only=True, tag="processes", tag_field="k"):
    """The host's busiest processes, only while asked for (``FeedRequest.processes``)."""

    at: float
    processes: tuple[Process, ...]


class JobChanged(msgspec.Struct, frozen=True, kw_only=True, tag="job", tag_field="k"):
    """A job began, moved or ended."""

    job: Job


FeedMessage = Snapshot | EngineChanged | ContainersChanged | Samples | FilesystemsChanged | Processes | JobChanged


class FeedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the client wants of the feed from now on; each request replaces the one before."""

    interval: float = 1.0
    """Seconds between samples, 0.5 to 60."""
    processes: bool = False
    devices: bool = False


encoder = msgspec.json.Encoder()
frame_decoder = msgspec.json.Decoder(list[FeedMessage])
request_decoder = msgspec.json.Decoder(FeedRequest)
