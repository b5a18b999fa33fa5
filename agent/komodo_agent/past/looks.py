"""What of a sample is kept: the values of each series, in the order of their names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from ..wire import past as wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..wire.models import ContainerSample, Filesystem, HostSample

    Values = tuple[float, ...]
    Look = tuple[str, tuple[str, ...], Any, Callable[[Any], Values]]
    """A subject, the names of its series, what was seen of it, and how to read that."""

_PEAKS = 2
"""Series whose greatest value is kept beside the mean: ``cpu`` and ``memory``, which are the first."""


class Looked(msgspec.Struct, frozen=True):
    """What was seen of a subject, with its values and their codes."""

    seen: Any
    values: tuple[float, ...]
    codes: tuple[int, ...]


def host_values(sample: HostSample) -> Values:
    """Of :data:`~..wire.past.HOST_SERIES`."""
    pressure = sample.pressure
    stalls = (
        (math.nan, math.nan, math.nan)
        if pressure is None
        else (pressure.cpu_some, pressure.memory_some, pressure.io_some)
    )
    return (
        sample.cpu, sample.memory_used, sample.swap_used, sample.load[0], sample.net_rx, sample.net_tx,
        sample.disk_read, sample.disk_write, *stalls,
    )  # fmt: skip


def disk_values(filesystem: Filesystem) -> Values:
    """Of :data:`~..wire.past.DISK_SERIES`; nothing while the file system does not answer."""
    if filesystem.stalled_since is not None:
        return (math.nan, math.nan)
    return (filesystem.used, filesystem.available)


def container_values(sample: ContainerSample) -> Values:
    """Of :data:`~..wire.past.CONTAINER_SERIES`."""
    read, written = sample.block_read, sample.block_write
    return (
        sample.cpu, sample.memory, sample.net_rx, sample.net_tx,
        math.nan if read is None else read, math.nan if written is None else written, sample.pids,
    )  # fmt: skip


def peaks_of(names: tuple[str, ...]) -> int:
    """How many of a subject's series, from the first on, have their peaks kept too."""
    return 0 if names == wire.DISK_SERIES else _PEAKS
