"""The stacks as the user defined them, and the step that changes a definition."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import msgspec

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.stacks import DefineStackOperation, StackDefinition
from komodo_tui.operations.kept_definitions import KeptDefinitions
from komodo_tui.operations.outcomes import cancelled, done, failed

if TYPE_CHECKING:
    from komodo_tui.domain.operations import StepResult, Target
    from komodo_tui.operations.job_steps import Report

Op = TypeVar("Op", contravariant=True)


class StackDefinitions(KeptDefinitions[StackDefinition, DefineStackOperation]):
    """The stacks in the definitions store."""

    KIND = "stack"
    TYPE = StackDefinition


class Definitions(Protocol[Op]):
    """The definitions of one kind."""

    async def change(self, operation: Op) -> None: ...


class DefinitionStep(Generic[Op]):
    """Changes one definition; an act's only step."""

    def __init__(self, operation: Op, target: Target, definitions: Definitions[Op], report: Report) -> None:
        self.target = target
        self._operation = operation
        self._definitions = definitions
        self._report = report
        self._cancelled = False

    async def run(self) -> StepResult:
        """Do it."""
        if self._cancelled:
            return cancelled(self.target)
        began = time.monotonic()
        try:
            await self._definitions.change(self._operation)
            result = done(self.target)
        except KomodoError as error:
            result = failed(self.target, error)
        self._report("done" if result.ok else "failed", result.error)
        return msgspec.structs.replace(result, seconds=round(time.monotonic() - began, 3))

    async def cancel(self) -> None:
        """Do not begin."""
        self._cancelled = True
