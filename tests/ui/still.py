"""A runtime that connects to nothing: real settings, real state, fed by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.operations import Actor
from komodo_tui.domain.settings import Settings
from komodo_tui.fleet.live import FleetState

if TYPE_CHECKING:
    from pathlib import Path

    from komodo_tui.store.paths import StateDirectory


@dataclass
class StillFleet:
    """The part of ``FleetManager`` that reads."""

    state: FleetState = field(default_factory=FleetState)
    reconnected: list[str] = field(default_factory=list)

    def reconnect(self, name: str) -> None:
        """Only noted."""
        self.reconnected.append(name)


@dataclass
class StillRuntime:
    """What an app needs to draw."""

    state_dir: StateDirectory
    settings: Settings = field(default_factory=Settings)
    fleet: Any = field(default_factory=StillFleet)
    definitions: Any = None
    history: Any = None
    executor: Any = None
    actor: Actor = field(default_factory=lambda: Actor(name="ana", via="tui"))

    async def start(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to end."""


def still_runtime(folder: Path, settings: Settings | None = None) -> StillRuntime:
    """One whose files are in ``folder``."""
    from komodo_tui.store.paths import StateDirectory

    return StillRuntime(StateDirectory(folder, folder, folder), settings or Settings())
