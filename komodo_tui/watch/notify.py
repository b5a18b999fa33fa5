"""Telling systemd how we are: sd_notify(3), a datagram to the socket it names."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def tell_systemd(*lines: str) -> None:
    """Send these, like ``READY=1``. Does nothing outside of a unit; never raises, never waits."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    address = f"\0{path[1:]}" if path.startswith("@") else path
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.setblocking(False)
        out.sendto("\n".join(lines).encode(), address)
