"""What a machine is: the facts that change with a reboot at most."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path

import psutil

from ..wire.models import Host

_OS_RELEASE = ("etc/os-release", "usr/lib/os-release")


def host_facts(root: str = "/") -> Host:
    """Name, system and size of this machine.

    Args:
        root: where the machine's file system begins.
    """
    uname = os.uname()
    return Host(
        hostname=socket.gethostname(),
        os=os_name(root),
        kernel=uname.release,
        arch=uname.machine,
        cores=os.cpu_count() or 1,
        memory=memory_total(f"{root.rstrip('/')}/proc"),
        booted=psutil.boot_time(),
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
    try:
        with open(f"{proc}/meminfo", "rb") as file:
            for line in file:
                if line.startswith(b"MemTotal:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return psutil.virtual_memory().total
