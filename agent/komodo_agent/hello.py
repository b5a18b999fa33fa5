"""What the agent says of itself before anything else."""

from __future__ import annotations

import hashlib
import os
import platform
import socket
import uuid
from contextlib import suppress
from pathlib import Path

from . import __version__
from .wire.protocol import PROTOCOL, PROTOCOL_MIN, Hello

FEATURES = (
    "feed", "processes", "devices", "history", "containers", "top", "images", "networks",
    "jobs", "create", "compose", "logs", "exec", "attach", "terminals", "past", "one-off",
)  # fmt: skip
"""What this agent can do, by word; a client does not ask for what is not among them."""


def hello(state: Path) -> Hello:
    """The greeting of this process, its caller yet unnamed.

    Args:
        state: where the host's id is kept on machines without a machine-id.
    """
    return Hello(
        version=__version__,
        protocol=PROTOCOL,
        protocol_min=PROTOCOL_MIN,
        instance=uuid.uuid4().hex,
        host_id=_host_id(state),
        hostname=socket.gethostname(),
        boot_id=_read(Path("/proc/sys/kernel/random/boot_id")),
        python=platform.python_version(),
        uid=os.geteuid(),
        caller_uid=-1,
        features=FEATURES,
    )


def _host_id(state: Path) -> str:
    """A name that stays with the machine. The machine-id itself is confidential (machine-id(5)), so a hash of it."""
    machine = _read(Path("/etc/machine-id")) or _read(Path("/var/lib/dbus/machine-id"))
    if not machine:
        kept = state / "host-id"
        machine = _read(kept) or uuid.uuid4().hex
        with suppress(OSError):  # a read-only disk: the id then lasts as long as this process
            kept.write_text(machine)
    return hashlib.sha256(f"komodo-agent:{machine}".encode()).hexdigest()[:32]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
