"""Disks and network interfaces: their rates, and which of them count towards the host's totals.

A byte through a bridge, a veth, a bond, a loop device or a logical volume passes a physical device too; so totals are
sums over physical devices only, those that /sys shows with a ``device`` behind them.
"""

from __future__ import annotations

import os
import re
from typing import Literal

import msgspec

from ..wire.models import Device
from .counters import interfaces, rate
from .descriptors import KeptFile, open_optional

_SECTOR = 512
"""Bytes; the unit of /proc/diskstats on every disk (Linux Documentation/admin-guide/iostats.rst)."""
_NO_DISKS = re.compile(rb"(loop|ram|zram|sr|fd|nbd)\d")
_NO_INTERFACES = re.compile(
    rb"lo$|veth|br-|docker|virbr|vnet|tap|cali|cni|flannel|cilium|lxc|podman|dummy|ifb|gre|sit|tunl|ip6tnl|ip_vti|ip6_vti"
)

_Kind = Literal["physical", "other", "hidden"]


class Totals(msgspec.Struct, frozen=True):
    """Bytes per second of the whole host."""

    read: float
    written: float
    received: float
    sent: float


class DeviceCounters:
    """Counters of all devices, read through kept files."""

    def __init__(self, *, proc: str, sys: str) -> None:
        self._sys = sys
        self._disks = open_optional(f"{proc}/diskstats")
        # /proc/net is that of the thread which opens it: the network namespace the agent was started in
        self._net: KeptFile | None = open_optional(f"{proc}/net/dev")
        self._kinds: dict[tuple[str, bytes], _Kind] = {}
        self._before: dict[tuple[str, bytes], tuple[int, int]] = {}

    def read(self, seconds: float) -> tuple[tuple[Device, ...], Totals]:
        """Rates since the read before, ``seconds`` ago: those of each device worth a line, and the totals."""
        now = {("disk", name): counts for name, counts in disks(self._disks.read_table() if self._disks else b"")}
        if self._net is not None:
            now.update((("net", name), counts) for name, counts in interfaces(self._net.read_table()).items())
        before, self._before = self._before, now
        if self._kinds.keys() != now.keys():
            self._kinds = {key: self._kinds.get(key) or self._kind_of(*key) for key in now}
        shown = []
        sums = {"disk": [0.0, 0.0], "net": [0.0, 0.0]}
        physical = {what for (what, _), kind in self._kinds.items() if kind == "physical"}
        for (what, name), counts in now.items():
            kind = self._kinds[what, name]
            if kind == "hidden":
                continue
            since = before.get((what, name), counts)
            read, write = rate(since[0], counts[0], seconds), rate(since[1], counts[1], seconds)
            text = name.decode("utf-8", "replace")
            shown.append(Device(name=text, kind="disk" if what == "disk" else "net", read=read, write=write))
            if kind == "physical" or what not in physical:  # in a container no interface has a device
                sums[what][0] += read
                sums[what][1] += write
        return tuple(shown), Totals(*sums["disk"], *sums["net"])

    def close(self) -> None:
        """Give the descriptors back."""
        for file in (self._disks, self._net):
            if file is not None:
                file.close()

    def _kind_of(self, what: str, name: bytes) -> _Kind:
        if what == "disk":
            path = f"{self._sys}/block/{os.fsdecode(name).replace('/', '!')}"
            if _NO_DISKS.match(name) or not os.path.isdir(path):  # partitions have no folder there
                return "hidden"
        else:
            path = f"{self._sys}/class/net/{os.fsdecode(name)}"
            if _NO_INTERFACES.match(name):
                return "hidden"
        return "physical" if os.path.exists(f"{path}/device") else "other"


def disks(data: bytes) -> list[tuple[bytes, tuple[int, int]]]:
    """Bytes read and written by disk and partition out of /proc/diskstats."""
    found = []
    for line in data.split(b"\n"):
        fields = line.split()
        if len(fields) >= 10:
            found.append((fields[2], (int(fields[5]) * _SECTOR, int(fields[9]) * _SECTOR)))
    return found
