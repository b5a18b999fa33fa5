"""What the screens are given to work with. ``wiring.Runtime`` is one; the UI does not import it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.operations import Actor
    from komodo_tui.domain.settings import Settings
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.fleet.prompts import Prompter
    from komodo_tui.operations.definitions import ServerDefinitions
    from komodo_tui.operations.deployment_definitions import Deployables, DeploymentDefinitions
    from komodo_tui.operations.executor import Executor
    from komodo_tui.operations.image_updates import ImageUpdates
    from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
    from komodo_tui.operations.stack_definitions import StackDefinitions
    from komodo_tui.operations.stack_prepare import StackPreparer
    from komodo_tui.operations.values import StoredValues
    from komodo_tui.store.alerts import AlertStore
    from komodo_tui.store.definitions import DefinitionStore
    from komodo_tui.store.history import History
    from komodo_tui.store.paths import StateDirectory


class Questions(Protocol):
    """Who answers what servers ask at login."""

    def answer_with(self, prompter: Callable[[], Prompter]) -> None:
        """From now on ask there; called at the first question of a fleet."""
        ...


class Runtime(Protocol):
    """Store, fleet and executor, put together."""

    @property
    def state_dir(self) -> StateDirectory:
        """Where state and settings are kept."""
        ...

    @property
    def settings(self) -> Settings:
        """The user's settings as they are now; how the screen looks was decided at the start."""
        ...

    def read_settings(self) -> Settings:
        """The settings as the file says now, with what the command line adds. Blocks. Raises UsageError."""
        ...

    def use_settings(self, settings: Settings) -> None:
        """Go by other settings from now on."""
        ...

    @property
    def definitions(self) -> DefinitionStore:
        """What the user defined."""
        ...

    @property
    def servers(self) -> ServerDefinitions:
        """The servers among them."""
        ...

    @property
    def questions(self) -> Questions:
        """Who answers what servers ask at login."""
        ...

    @property
    def history(self) -> History:
        """Who did what."""
        ...

    @property
    def values(self) -> StoredValues:
        """Variables and secrets."""
        ...

    @property
    def alerts(self) -> AlertStore | None:
        """What is or was wrong; None where that is not kept."""
        ...

    @property
    def updates(self) -> ImageUpdates:
        """Which images were replaced."""
        ...

    @property
    def fleet(self) -> FleetManager:
        """Connections and live state."""
        ...

    def procedures(self) -> ProcedureDefinitions:
        """The procedures among them."""
        ...

    @property
    def stacks(self) -> StackDefinitions:
        """The stacks among them."""
        ...

    @property
    def deployments(self) -> DeploymentDefinitions:
        """The single-container deployments among them."""
        ...

    @property
    def deployables(self) -> Deployables:
        """Stacks and deployments by one name."""
        ...

    @property
    def preparer(self) -> StackPreparer:
        """Asks the agents what an act on a stack would do."""
        ...

    @property
    def executor(self) -> Executor:
        """The one gate of every act."""
        ...

    @property
    def actor(self) -> Actor:
        """Who sits in front of the program."""
        ...

    async def start(self) -> None:
        """Begin to connect; returns without waiting for any server."""
        ...

    async def close(self) -> None:
        """End connections and the embedded agent."""
        ...
