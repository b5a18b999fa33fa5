"""What runs of procedures, and looks at what they would do, work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.operations import ActionRecord, Actor, Operation, Plan, Target
    from komodo_tui.domain.procedures.journal import Entry
    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.definitions import ServerDefinitions
    from komodo_tui.operations.deployment_definitions import Deployables, DeploymentDefinitions
    from komodo_tui.operations.executor import Executor
    from komodo_tui.operations.image_updates import ImageUpdates
    from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
    from komodo_tui.operations.procedures.journal import Place
    from komodo_tui.operations.progress import StepProgress
    from komodo_tui.operations.stack_definitions import StackDefinitions
    from komodo_tui.operations.stack_prepare import StackPreparer
    from komodo_tui.operations.values import StoredValues
    from komodo_tui.store.definitions import DefinitionStore
    from komodo_tui.store.history import History
    from komodo_tui.store.paths import StateDirectory
    from komodo_tui.store.runs import RunStore


class Submit(Protocol):
    """Does a plan as part of a step."""

    def __call__(self, plan: Plan, act_id: str = "") -> Awaitable[ActionRecord]:
        """``act_id`` chosen before, where the record has to be found again."""
        ...


Then = Callable[["ActionRecord", Submit], Awaitable[None]]


class Work(NamedTuple):
    """One act of a step, on some of its targets or on all."""

    operation: Operation
    targets: tuple[Target, ...]
    then: Then | None = None
    """Done after it, whatever its outcome; what it submits is stopped with the step. Raises KomodoError: it failed."""
    needs_all: bool = False
    """Left out where an act before it on one of its targets did not go well."""


class Environment(NamedTuple):
    """What commands of a step find in their environment besides what the step itself says."""

    values: Mapping[str, str]
    references: Mapping[str, str]
    """As the definition has them, with ``[[NAME]]``. No other value is ever looked up, whatever stands in it."""


NO_ENVIRONMENT = Environment({}, {})


class Runtime(Protocol):
    """What any front end has, and looks and runs take from it."""

    @property
    def state_dir(self) -> StateDirectory: ...
    @property
    def definitions(self) -> DefinitionStore: ...
    @property
    def fleet(self) -> FleetManager: ...
    @property
    def executor(self) -> Executor: ...
    @property
    def history(self) -> History: ...
    @property
    def actor(self) -> Actor: ...
    @property
    def servers(self) -> ServerDefinitions: ...
    @property
    def stacks(self) -> StackDefinitions: ...
    @property
    def deployments(self) -> DeploymentDefinitions: ...
    @property
    def deployables(self) -> Deployables: ...
    @property
    def preparer(self) -> StackPreparer: ...
    @property
    def values(self) -> StoredValues: ...
    @property
    def updates(self) -> ImageUpdates: ...
    def procedures(self) -> ProcedureDefinitions:
        """The procedures, read at each call."""
        ...


@dataclass(frozen=True)
class RunParts:
    """Given by whoever starts a run, or looks at what one would do."""

    runtime: Runtime
    runs: RunStore
    tell: Callable[[str, Entry], None] = lambda run, entry: None
    """Told of every entry of the journal, of the run and of runs within it."""
    output: Callable[[str, Place, StepProgress], None] = lambda run, place, progress: None
    """Told of what targets write while they run: run, place, progress."""
    only: tuple[str, ...] = ()
    """Servers that the run is limited to; empty = it is not."""

    @property
    def unplanned(self) -> bool:
        """Whether deploys may begin at once, their plan being their own first step: nobody is there to read it."""
        return False

    @property
    def fleet(self) -> FleetManager:
        """Connections and live state."""
        return self.runtime.fleet

    @property
    def state(self) -> FleetState:
        """What is known of the servers."""
        return self.runtime.fleet.state

    @property
    def executor(self) -> Executor:
        """The one gate."""
        return self.runtime.executor

    @property
    def actor(self) -> Actor:
        """Who runs it."""
        return self.runtime.actor

    def find(self, name: str) -> ProcedureDefinition | None:
        """A procedure by its name."""
        return self.runtime.procedures().find(name)
