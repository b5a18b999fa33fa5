"""What a machine is: the facts that change with a reboot at most."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path

from ..wire.models import Host

_OS_RELEASE = ("etc/os-release", "usr/lib/os-release")


def host_facts(root: str = "/") -> Host:
    """Name, system and size of this machine.

    Args:
        root: where the machine's file system begins.
    """
    uname = os.uname()
    proc = f"{root.rstrip('/')}/proc"
    return Host(
        hostname=socket.gethostname(),
        os=os_name(root),
        kernel=uname.release,
        arch=uname.machine,
        cores=os.cpu_count() or 1,
        memory=memory_total(proc),
        booted=boot_time(proc),
    )


def os_name(root: str = "/") -> str:
    """``PRETTY_NAME`` of os-release(5), e.g. ``Debian GNU/Linux 12 (bookworm)``; else the kernel's name."""
    for name in _OS_RELEASE:
        try:
            text = (Path(root) / name).read_text("utf-8", "replace")
        except OSError:
            continue
        for line in text.splitlines():
            key, _, value = line.partition("=")
            if key == "PRETTY_NAME" and value.strip("\"' "):
                return value.strip().strip("\"'")
    return platform.system()


def memory_total(proc: str = "/proc") -> int:
    """Bytes of memory, ``MemTotal`` of /proc/meminfo (proc(5))."""
    kilobytes = _figure(f"{proc}/meminfo", b"MemTotal:")
    if kilobytes is not None:
        return kilobytes * 1024
    import psutil  # late: a megabyte of memory, needed on strange machines only

    return psutil.virtual_memory().total


def boot_time(proc: str = "/proc") -> float:
    """Unix time at which the machine started, ``btime`` of /proc/stat (proc(5))."""
    seconds = _figure(f"{proc}/stat", b"btime")
    if seconds is not None:
        return float(seconds)
    import psutil  # late, as above

    return psutil.boot_time()


def _figure(path: str, key: bytes) -> int | None:
    """The figure after a key at a line's start; None where there is none."""
    try:
        with open(path, "rb") as file:
            return next((int(line.split()[1]) for line in file if line.startswith(key)), None)
    except (OSError, ValueError, IndexError):
        return None
