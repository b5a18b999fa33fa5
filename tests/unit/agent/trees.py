"""/proc and cgroup trees as real hosts have them, built below a temporary folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ID = "b85ad3b5b4813958452f63379df1033ab756c01c367eb29b8e1d8639e9b2e9d0"
PID = 4242
MIB = 1 << 20

V1_CONTROLLERS = ("cpu", "cpuacct", "memory", "blkio", "pids")
V1_STAT = (
    "cache {cache}\nrss 53248\ninactive_file 111\nhierarchical_memory_limit 9223372036854771712\n"
    "total_cache {cache}\ntotal_rss 53248\ntotal_inactive_anon 49152\ntotal_inactive_file {inactive}\n"
    "total_active_file 0\n"
)
V2_STAT = "anon 425984\nfile {cache}\nkernel 94208\ninactive_anon 389120\ninactive_file {inactive}\nactive_file 0\n"
NET_HEAD = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier\n"
)


class Setup(msgspec.Struct, frozen=True):
    """A way in which engines lay out cgroups."""

    name: str
    version: int
    path: str
    """Below the hierarchy."""
    comounted: bool = False
    """v1 with ``cpu,cpuacct`` in one mount, as most hosts have it."""
    unified: str = ""
    """v1: where the v2 tree is mounted too (hybrid)."""


SETUPS = (
    Setup("v1 cgroupfs", 1, f"/docker/{ID}"),
    Setup("v1 cgroupfs with a parent", 1, f"/srv1/{ID}", comounted=True),
    Setup("v1 systemd", 1, f"/system.slice/docker-{ID}.scope", comounted=True),
    Setup("v1 hybrid", 1, f"/docker/{ID}", unified="unified"),
    Setup("v2 systemd", 2, f"/system.slice/docker-{ID}.scope"),
    Setup("v2 systemd with a parent", 2, f"/foo.slice/docker-{ID}.scope"),
    Setup("v2 cgroupfs", 2, f"/docker/{ID}"),
    Setup("v2 rootless", 2, f"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{ID}.scope"),
    Setup("podman", 2, f"/machine.slice/libpod-{ID}.scope/container"),
    Setup(
        "podman rootless", 2, f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container"
    ),
)


class Tree:
    """A host with one container, whose counters a test moves."""

    def __init__(self, root: Path, setup: Setup) -> None:
        self.root = root
        self.setup = setup
        self.proc = root / "proc"
        self.sys = root / "sys/fs/cgroup"
        write(self.proc / "meminfo", "MemTotal:       16384000 kB\nMemFree: 1 kB\n")
        write(self.proc / "self/net/dev", NET_HEAD + interface("eth0", 10**9, 10**9))
        self.set(cpu_ns=0, memory=0, inactive=0, limit=None, pids=1, read=0, written=0, received=0, sent=0)
        write(self.proc / str(PID) / "cgroup", self._membership())
        write(self.proc / "self/mountinfo", self._mountinfo())

    def set(
        self, *, cpu_ns: int, memory: int, inactive: int, limit: int | None, pids: int, read: int, written: int,
        received: int, sent: int,
    ) -> None:  # fmt: skip
        """Write all counters."""
        values: Mapping[str, object] = {"cache": inactive, "inactive": inactive}
        device = f"8:0 Read {read}\n8:0 Write {written}\n8:0 Sync 0\n8:0 Total 0\n" if read or written else ""
        if self.setup.version == 1:
            files = {
                ("cpuacct", "cpuacct.usage"): f"{cpu_ns}\n",
                ("memory", "memory.usage_in_bytes"): f"{memory}\n",
                ("memory", "memory.stat"): V1_STAT.format(**values),
                ("memory", "memory.limit_in_bytes"): f"{9223372036854771712 if limit is None else limit}\n",
                ("blkio", "blkio.throttle.io_service_bytes"): device + "Total 0\n",
                ("pids", "pids.current"): f"{pids}\n",
            }
            for (controller, name), text in files.items():
                write(self.directory(controller) / name, text)
        else:
            usage = f"usage_usec {cpu_ns // 1000}\nuser_usec 1\nsystem_usec 2\nnr_periods 0\n"
            io = f"8:0 rbytes={read} wbytes={written} rios=1 wios=1 dbytes=0 dios=0\n" if read or written else ""
            here = self.directory("")
            write(here / "cpu.stat", usage)
            write(here / "memory.current", f"{memory}\n")
            write(here / "memory.stat", V2_STAT.format(**values))
            write(here / "memory.max", "max\n" if limit is None else f"{limit}\n")
            write(here / "io.stat", io)
            write(here / "pids.current", f"{pids}\n")
        net = NET_HEAD + interface("lo", 5, 5) + interface("eth0", received, sent)
        write(self.proc / str(PID) / "net/dev", net)

    def directory(self, controller: str) -> Path:
        """The container's folder in a hierarchy."""
        if self.setup.version == 2:
            return self.sys / self.setup.path[1:]
        return self.sys / self._mount_name(controller) / self.setup.path[1:]

    def _mount_name(self, controller: str) -> str:
        return "cpu,cpuacct" if self.setup.comounted and controller in ("cpu", "cpuacct") else controller

    def _membership(self) -> str:
        path = self.setup.path
        if self.setup.version == 2:
            return f"0::{path}\n"
        names = dict.fromkeys(self._mount_name(each) for each in V1_CONTROLLERS)
        lines = [f"{n}:{name}:{path}" for n, name in enumerate(names, 2)]
        return "\n".join(["12:name=systemd:" + path, *lines, "0::/system.slice/docker.service"]) + "\n"

    def _mountinfo(self) -> str:
        at = escape(str(self.sys))
        lines = ["22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw", "24 22 0:22 / /proc rw - proc proc rw"]
        if self.setup.version == 2:
            lines.append(f"32 22 0:27 / {at} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate")
        else:
            lines.append(f"31 22 0:28 / {at} ro - tmpfs tmpfs ro,mode=755")
            for n, name in enumerate(dict.fromkeys(self._mount_name(each) for each in V1_CONTROLLERS)):
                lines.append(f"{32 + n} 31 0:{29 + n} / {at}/{name} rw,nosuid shared:{n} - cgroup cgroup rw,{name}")
            if self.setup.unified:
                lines.append(f"41 31 0:38 / {at}/{self.setup.unified} rw - cgroup2 cgroup2 rw")
        return "\n".join(lines) + "\n"


def interface(name: str, received: int, sent: int) -> str:
    """A line of net/dev."""
    return f"{name:>6}: {received:8} 3 0 0 0 0 0 0 {sent:8} 0 0 0 0 0 0 0\n"


def escape(path: str) -> str:
    """As mountinfo writes a path."""
    return path.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011")


def write(path: Path, text: str) -> None:
    """Write in place, so that a descriptor that is open sees it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
