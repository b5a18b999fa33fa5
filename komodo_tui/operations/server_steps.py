"""Changes of the fleet itself: the definitions on disk, the running connections, agents and keys."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.alerts import AlertOperation
from komodo_tui.domain.errors import HostKeyUnknownError, KomodoError, NotFoundError, RefusedError
from komodo_tui.domain.operations import DefineProcedureOperation, ServerOperation
from komodo_tui.domain.repos import DefineRepoOperation
from komodo_tui.domain.shipping import ShipOperation
from komodo_tui.domain.single import DefineDeploymentOperation
from komodo_tui.domain.stacks import DefineStackOperation
from komodo_tui.domain.values import ValueOperation
from komodo_tui.domain.volumes import VolumeOperation
from komodo_tui.operations.outcomes import cancelled, done, failed, interrupted
from komodo_tui.operations.server_plans import LOCAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.operations import Operation, StepResult, Target
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.definitions import ServerDefinitions
    from komodo_tui.operations.job_steps import Report


class ServerStep:
    """One change. The definitions file is written first; the connections follow it."""

    def __init__(
        self,
        operation: ServerOperation,
        target: Target,
        definitions: ServerDefinitions,
        fleet: FleetManager,
        report: Report,
    ) -> None:
        self.target = target
        self._operation = operation
        self._definitions = definitions
        self._fleet = fleet
        self._report = report
        self._cancelled = False
        self._told: list[str] = []

    async def run(self) -> StepResult:
        """Do it."""
        if self._cancelled:
            return cancelled(self.target)
        self._report("running")
        began = time.monotonic()
        try:
            result = await self._change()
        except KomodoError as error:
            result = failed(self.target, error)
        result = msgspec.structs.replace(result, seconds=round(time.monotonic() - began, 3), output="".join(self._told))
        self._report("done" if result.ok else "failed", result.error)
        return result

    async def cancel(self) -> None:
        """Do not begin. Once begun it is seen through: each change is short, or safe to repeat."""
        self._cancelled = True

    async def _change(self) -> StepResult:
        operation, name = self._operation, self.target.server
        connected = name in self._fleet.state.servers  # a headless verb may not have connected to it
        if operation.verb == "add":
            await self._add(operation)
        elif operation.verb == "edit" and operation.definition is not None:
            await self._definitions.replace(operation.definition, operation.rev)
            if connected:
                await self._fleet.update(operation.definition)
        elif operation.verb == "remove":
            await self._definitions.remove(name, operation.rev)
            if connected:
                with suppress(NotFoundError):  # who follows the definitions was faster
                    await self._fleet.remove(name)
                if not self._definitions.known():  # this machine is there by itself again
                    await self._fleet.add(LOCAL)
        elif operation.verb == "install_agent":
            hello = await self._fleet.link(name).install_agent(self._tell)
            return done(self.target, version=hello.version)
        elif operation.verb == "accept_host_key":
            await self._accept_key()
        return done(self.target)

    async def _add(self, operation: ServerOperation) -> None:
        if self.target.server == operation.server and operation.definition is not None:
            await self._definitions.add(operation.definition)
            await self._fleet.add(operation.definition)
        else:  # this machine, until now there by itself: connected already where anything is
            await self._definitions.add(LOCAL)

    async def _accept_key(self) -> None:
        error = self._fleet.state.servers[self.target.server].error
        if not isinstance(error, HostKeyUnknownError) or error.fingerprint != self._operation.detail:
            raise RefusedError(f"server {self.target.server} offers another key now", hint="check it again")
        await self._fleet.link(self.target.server).accept_host_key(error)

    def _tell(self, text: str) -> None:
        self._told.append(f"{text}\n")
        self._report("running", text, output=self._told[-1])


def found_done(operation: Operation | None, target: Target, known: Mapping[str, ServerDefinition]) -> StepResult:
    """How far a change got whose program ended, by what is on disk now."""
    if isinstance(
        operation, DefineStackOperation | DefineDeploymentOperation | DefineProcedureOperation | DefineRepoOperation
    ):
        return interrupted(target, "whether the definition was written is not known", hint="look at the definition")
    if isinstance(operation, ValueOperation):
        return interrupted(target, "whether the value was written is not known", hint="set it again")
    if isinstance(operation, AlertOperation):
        return interrupted(target, "whether it was written is not known", hint="komodo-tui alerts")
    if isinstance(operation, VolumeOperation):
        return interrupted(
            target, "the transfer broke off: a file is whole only under its own name", hint="do it again"
        )
    if isinstance(operation, ShipOperation):
        return interrupted(target, "the image is there as a whole, or not at all", hint="ship it again: it goes on")
    if isinstance(operation, ServerOperation):
        definition = known.get(target.server)
        if operation.verb == "remove":
            return done(target) if definition is None else interrupted(target, "it was not removed")
        if operation.verb in ("add", "edit"):
            wanted = operation.definition if target.server == operation.server else LOCAL
            return done(target) if definition == wanted else interrupted(target, "the definition was not written")
    return interrupted(target, "how far it came is not known", hint=f"`komodo-tui server check {target.server}`")
