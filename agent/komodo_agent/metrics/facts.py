"""What a machine is: the facts that change with a reboot at most."""

from __future__ import annotations

import hashlib
import hmac
import os
import platform
import socket
import uuid
from pathlib import Path

import psutil

from ..wire.models import Host

_APPLICATION = b"komodo-agent/host"
_OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
_MACHINE_ID = ("etc/machine-id", "var/lib/dbus/machine-id")


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


def host_id(state: Path, root: str = "/") -> str:
    """An id that stays with this machine, 32 hexadecimal digits.

    Made from /etc/machine-id with a keyed hash, since machine-id(5) asks for it to be kept confidential. Machines
    without one get a random id, kept in ``state``.

    Raises:
        OSError: there is no machine-id, and none could be kept.
    """
    for name in _MACHINE_ID:
        try:
            machine = (Path(root) / name).read_text("ascii").strip()
        except (OSError, ValueError):
            continue
        if len(machine) == 32:
            return hmac.new(machine.encode(), _APPLICATION, hashlib.sha256).hexdigest()[:32]
    kept = state / "host-id"
    try:
        known = kept.read_text("ascii").strip()
    except FileNotFoundError:
        known = ""
    if len(known) == 32:
        return known
    made = uuid.uuid4().hex
    temporary = kept.with_suffix(".new")
    temporary.write_text(made + "\n")
    temporary.replace(kept)
    return made


def boot_id(proc: str = "/proc") -> str:
    """The kernel's id of this boot (random(4)); an empty string where it has none."""
    try:
        return Path(proc, "sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
