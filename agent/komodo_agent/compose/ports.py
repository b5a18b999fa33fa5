"""Ports of the host: wanted twice, or taken by others. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..wire.models import Container


def doubles(wanted: Sequence[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """The ports that are wanted more than once."""
    return [item for index, item in enumerate(wanted) if item in wanted[:index]]


def holder(port: int, protocol: str, ip: str, others: Sequence[Container]) -> str:
    """Who publishes this port, of the containers that are not the project's."""
    everywhere = ("", "0.0.0.0", "::")
    for other in others:
        if other.state not in ("running", "paused", "restarting"):
            continue
        for theirs in other.ports:
            same = theirs.public == port and theirs.protocol == protocol
            if same and (ip in everywhere or theirs.ip in everywhere or ip == theirs.ip):
                return f"container {other.name}" + (f" of {other.stack}" if other.stack else "")
    return ""
