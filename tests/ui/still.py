"""A runtime that connects to nothing: real settings, real state, fed by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.operations import Actor
from komodo_tui.domain.settings import Settings
from komodo_tui.fleet.live import FleetState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from komodo_tui.fleet.prompts import Prompter
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
class StillQuestions:
    """Remembers who would answer."""

    prompter: Callable[[], Prompter] | None = None

    def answer_with(self, prompter: Callable[[], Prompter]) -> None:
        """Only noted."""
        self.prompter = prompter


@dataclass
class StillDefinitions:
    """A ``DefinitionStore`` with nothing in it."""

    notices: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """All can be read."""
        return []

    def all(self, kind: str, of: type) -> list[Any]:
        """None is defined."""
        return []

    def get(self, kind: str, name: str, of: type) -> None:
        """Not this one either."""


class StillHistory:
    """A ``History`` in which nothing stands."""

    def version(self) -> tuple[int, int]:
        """Never another one."""
        return 0, 0

    def walk(self, *given: Any, **more: Any) -> Iterator[Any]:
        """Nothing."""
        return iter(())

    def query(self, *given: Any, **more: Any) -> list[Any]:
        """Nothing."""
        return []


@dataclass
class StillServers:
    """``ServerDefinitions`` that are what the fleet was furnished with."""

    still: Any

    def fleet(self) -> list[Any]:
        """As they are in the fleet."""
        return [live.definition for live in self.still.state.servers.values()]


@dataclass
class StillRuntime:
    """What an app needs to draw."""

    state_dir: StateDirectory
    settings: Settings = field(default_factory=Settings)
    fleet: Any = field(default_factory=StillFleet)
    definitions: Any = field(default_factory=StillDefinitions)
    servers: Any = None
    procedures: Any = None
    questions: StillQuestions = field(default_factory=StillQuestions)
    history: Any = field(default_factory=StillHistory)
    executor: Any = None
    values: Any = None
    stacks: Any = None
    deployments: Any = None
    deployables: Any = None
    updates: Any = None
    preparer: Any = None
    alerts: Any = None
    actor: Actor = field(default_factory=lambda: Actor(name="ana", via="tui"))

    def __post_init__(self) -> None:
        self.servers = self.servers or StillServers(self.fleet)

    def read_settings(self) -> Settings:
        """What they are."""
        return self.settings

    def use_settings(self, settings: Settings) -> None:
        """Go by these."""
        self.settings = settings

    async def start(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to end."""


def still_runtime(folder: Path, settings: Settings | None = None) -> StillRuntime:
    """One whose files are in ``folder``."""
    from komodo_tui.store.paths import StateDirectory

    return StillRuntime(StateDirectory(folder, folder, folder), settings or Settings())
