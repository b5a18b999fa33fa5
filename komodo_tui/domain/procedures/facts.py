"""What conditions may ask for besides parameters and outputs: facts of the run, and of each target."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_agent.wire.models import Container, Engine, Host

RUN: dict[str, str] = {
    "run": "the run's id",
    "procedure": "the procedure's name",
    "actor": "who started it",
    "weekday": "mon, tue, … where the run is",
    "hour": "0 to 23",
    "date": "like 2026-11-26",
    "servers": "how many servers there are",
    "servers_up": "how many of them answer",
}
"""For ``when``, and as placeholders."""
TARGET: dict[str, str] = {
    "server": "its name",
    "tags": "of the server",
    "os": "of the server, like Debian GNU/Linux 12",
    "kernel": "of the server",
    "arch": "of the server, like x86_64",
    "cores": "of the server",
    "memory": "of the server, in bytes; 4G may be written in quotes",
    "engine": "the version of its engine",
    "container": "the container's name",
    "image": "the container's image",
    "state": "running, exited, …",
    "health": "healthy, unhealthy, starting, or empty",
    "stack": "the stack it belongs to, or empty",
    "restarts": "how often the engine has restarted it",
}
"""For ``where``. Those of containers are empty for steps on servers."""


def run_facts(actor: str, servers: int, up: int, now: float) -> dict[str, str]:
    """The values of :data:`RUN` but the first two."""
    local = time.localtime(now)
    return {
        "actor": actor,
        "weekday": ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[local.tm_wday],
        "hour": str(local.tm_hour),
        "date": time.strftime("%Y-%m-%d", local),
        "servers": str(servers),
        "servers_up": str(up),
    }


def target_facts(
    server: str, tags: Sequence[str], host: Host | None, engine: Engine | None, container: Container | None
) -> dict[str, object]:
    """The values of :data:`TARGET`; what is not known is empty."""
    return {
        "server": server, "tags": list(tags),
        "os": host.os if host else "", "kernel": host.kernel if host else "", "arch": host.arch if host else "",
        "cores": host.cores if host else 0, "memory": host.memory if host else 0,
        "engine": engine.version if engine else "",
        "container": container.name if container else "", "image": container.image if container else "",
        "state": container.state if container else "", "health": container.health if container else "",
        "stack": container.stack if container else "", "restarts": container.restarts if container else 0,
    }  # fmt: skip
