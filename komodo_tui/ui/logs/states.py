"""How the followed containers stand according to the fleet, and what to say when that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_agent.wire.models import Container
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.operations.log_batch import LogTarget

_RUNS = frozenset({"running", "paused", "restarting"})


class SourceStates:
    """Compares what the fleet says now with what it said before. An agent follows a container across its restarts."""

    def __init__(self) -> None:
        self._runs: dict[bytes, bool] = {}
        self.running: frozenset[bytes] = frozenset()
        """Tags of containers that run."""
        self.stopped: frozenset[bytes] = frozenset()
        """Tags of containers that are known not to run."""
        self.successors: dict[bytes, Container] = {}
        """Containers that have taken name and place of removed ones since the last look, by the tags of those."""
        self._succeeded: set[bytes] = set()

    def clear(self) -> None:
        """Other containers are followed from now on."""
        self._runs.clear()
        self._succeeded.clear()
        self.successors = {}
        self.running = self.stopped = frozenset()

    def look(self, targets: Mapping[bytes, LogTarget], servers: Mapping[str, ServerLive]) -> list[tuple[float, str]]:
        """What happened since the last look: Unix time, 0 for unknown, and a message."""
        told: list[tuple[float, str]] = []
        self.successors = {}
        for tag, target in targets.items():
            live = servers.get(target.server)
            if live is None or not live.engine_live or tag in self._succeeded:
                continue
            container = live.containers.get(target.container) or _named(live, target.container)
            if container is None and (successor := _named(live, target.name)) is not None:
                self._succeeded.add(tag)
                self._runs.pop(tag, None)
                self.successors[tag] = successor
                told.append((successor.created, f"{target.label} was created anew"))
                continue
            runs = container is not None and container.state in _RUNS
            if container is not None and self._runs.get(tag, runs) != runs:
                told.append(_change(target, container, runs))
            self._runs[tag] = runs
        self.running = frozenset(tag for tag, runs in self._runs.items() if runs)
        self.stopped = frozenset(tag for tag, runs in self._runs.items() if not runs)
        return told


def _named(live: ServerLive, name: str) -> Container | None:
    return next((c for c in live.containers.values() if c.name == name), None) if name else None


def _change(target: LogTarget, container: Container, runs: bool) -> tuple[float, str]:
    if runs:
        return container.started, f"{target.label} was started"
    code = f", exit code {container.exit_code}" if container.exit_code is not None else ""
    return container.finished, f"{target.label} stopped{code}"
