"""Which of the mounted file systems a person wants to see, out of /proc/self/mountinfo."""

from __future__ import annotations

import os
import re
import select

import msgspec

from .cgroups import unescape
from .descriptors import KeptFile

_NETWORK = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "9p", "afs", "glusterfs", "lustre", "beegfs", "gpfs", "virtiofs")
)
_LOCAL_WITHOUT_DEVICE = frozenset({"zfs", "btrfs", "bcachefs", "ubifs"})
_NEVER = frozenset({"squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs", "nsfs"})
"""Full by nature, or without files."""
_NO_FILES = re.compile(rb"fuse\.(lxcfs|gvfsd-fuse|portal|snapfuse|rar2fs)|fusectl|autofs")


class Mount(msgspec.Struct, frozen=True):
    """A mounted file system, and whether looking at it may hang."""

    path: str
    device: str
    kind: str
    remote: bool


class MountTable:
    """The mounts worth showing; read again when the kernel says that they changed."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._file = KeptFile(f"{proc}/self/mountinfo")
        self._filesystems = f"{proc}/filesystems"
        self._poll = select.poll()
        self._poll.register(self._file.fd, select.POLLPRI | select.POLLERR)
        self._mounts: tuple[Mount, ...] | None = None

    def read(self) -> tuple[Mount, ...]:
        """In the order of their paths. A mere poll (2 µs) while nothing was mounted or unmounted (proc(5))."""
        changed = any(event & select.POLLPRI for _, event in self._poll.poll(0))
        if changed or self._mounts is None:
            with open(self._filesystems, "rb") as file:
                self._mounts = choose(self._file.read_table(), without_device(file.read()))
        return self._mounts

    def close(self) -> None:
        """Give the descriptor back."""
        self._file.close()


def without_device(filesystems: bytes) -> frozenset[str]:
    """The kinds that have no block device below, out of /proc/filesystems: ``nodev`` before their name."""
    rows = [line.split(b"\t") for line in filesystems.splitlines()]
    return frozenset(os.fsdecode(row[-1]) for row in rows if row[0] == b"nodev")


def choose(mountinfo: bytes, nodev: frozenset[str]) -> tuple[Mount, ...]:
    """Disks, network shares and whatever is at ``/``; of several mounts of one file system the shortest path."""
    best: dict[bytes, tuple[bool, Mount]] = {}
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(b" - ")
        fields, details = before.split(b" "), after.split(b" ")
        if not separator or len(fields) < 6 or len(details) < 2 or _NO_FILES.match(details[0]):
            continue
        kind, path = os.fsdecode(details[0]), unescape(fields[4])
        remote = kind in _NETWORK or kind.startswith("fuse")
        local = kind not in nodev or kind in _LOCAL_WITHOUT_DEVICE
        if kind in _NEVER or not (remote or local or path == "/"):
            continue
        mount = Mount(path=path, device=unescape(details[1]), kind=kind, remote=remote and path != "/")
        # subvolumes of one pool have a number each, and the source in common
        key = details[1] if kind == "btrfs" else fields[2]
        # a bind mount shows a directory: prefer what shows the whole file system
        whole = fields[3] == b"/" or path == "/"
        known = best.get(key)
        if known is None or (whole, -len(path)) > (known[0], -len(known[1].path)):
            best[key] = (whole, mount)
    # what is mounted over another hides it: the last one at a path is the one that is seen
    seen = {mount.path: mount for _, mount in best.values()}
    return tuple(seen[path] for path in sorted(seen))
