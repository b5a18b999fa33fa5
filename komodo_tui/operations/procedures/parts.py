"""What runs of procedures work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.operations import Actor
    from komodo_tui.domain.procedures.journal import Entry
    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.executor import Executor
    from komodo_tui.operations.procedures.journal import Place
    from komodo_tui.operations.progress import StepProgress
    from komodo_tui.operations.repo_definitions import RepoDefinitions
    from komodo_tui.operations.stack_definitions import StackDefinitions
    from komodo_tui.operations.stack_prepare import StackPreparer
    from komodo_tui.store.history import History
    from komodo_tui.store.runs import RunStore


@dataclass(frozen=True)
class RunParts:
    """Given by whoever starts a run."""

    fleet: FleetManager
    executor: Executor
    history: History
    runs: RunStore
    actor: Actor
    stacks: StackDefinitions
    preparer: StackPreparer
    repos: RepoDefinitions
    find: Callable[[str], ProcedureDefinition | None]
    """A procedure by its name."""
    tell: Callable[[str, Entry], None]
    """Told of every entry of the journal, of the run and of runs within it."""
    output: Callable[[str, Place, StepProgress], None]
    """Told of what targets write while they run: run, place, progress."""
