"""What the engine's list says of a container: enough to see that something changed, and a stand-in for inspecting."""

from __future__ import annotations

import re
from typing import Any

from ..wire.models import Container, Port
from .convert import state_of

SUMMARY_KEYS = (
    "Id", "Names", "Image", "ImageID", "Command", "State", "Status", "Created", "Ports", "Labels", "NetworkSettings",
)  # fmt: skip
"""What is read of an entry of the list."""

_EXITED = re.compile(r"Exited \((-?\d+)\)")
_HEALTH = re.compile(r"\((?:health: )?(starting|healthy|unhealthy)\)")


def differs(known: Container, listed: dict[str, Any]) -> bool:
    """Whether the listed container cannot be the one we know: its name, state, health, exit code or networks moved."""
    seen = from_summary(listed)
    if (known.name, known.state, known.networks) != (seen.name, seen.state, seen.networks):
        return True
    if known.state == "running" and known.health != seen.health:
        return True
    return known.state == "exited" and known.exit_code is not None and known.exit_code != seen.exit_code


def from_summary(listed: dict[str, Any]) -> Container:
    """A container out of its entry in the list; what the list does not tell keeps its default."""
    names = listed.get("Names") or [""]
    status = str(listed.get("Status") or "")
    exited, health = _EXITED.match(status), _HEALTH.search(status)
    settings = listed.get("NetworkSettings") or {}
    ports = {
        (int(port["PrivatePort"]), str(port.get("Type") or "tcp"), port.get("PublicPort"))
        for port in listed.get("Ports") or []
        if port.get("PrivatePort")
    }
    return Container(
        id=str(listed["Id"]),
        # A container linked to others has more names; its own is the one without a second slash.
        name=min((str(name).lstrip("/") for name in names), key=lambda name: (name.count("/"), name)),
        image=str(listed.get("Image") or ""),
        image_id=str(listed.get("ImageID") or ""),
        command=str(listed.get("Command") or ""),
        state=state_of(str(listed.get("State") or ""), running=status.startswith("Up")),
        health=health[1] if health else "",  # type: ignore[arg-type]  # the pattern has only the words of Health
        exit_code=int(exited[1]) if exited else None,
        created=float(listed.get("Created") or 0),
        ports=tuple(
            Port(private=a, protocol=b, public=c) for a, b, c in sorted(ports, key=lambda p: (p[0], p[1], p[2] or 0))
        ),
        networks=tuple(sorted(settings.get("Networks") or {})),
        labels={str(k): str(v) for k, v in (listed.get("Labels") or {}).items()},
    )
