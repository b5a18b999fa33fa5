"""What a headless verb is given: its arguments, its output, and the fleet when it wants it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from komodo_tui.domain.errors import NotFoundError, UnreachableError
from komodo_tui.domain.selectors import select
from komodo_tui.domain.units import count_text
from komodo_tui.operations.overview import next_step

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Callable, Collection, Sequence

    from komodo_agent.wire.models import Container
    from komodo_tui.domain.operations import Actor
    from komodo_tui.domain.settings import Settings
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.fleet.prompts import Prompter
    from komodo_tui.headless.asking import Asking
    from komodo_tui.headless.output import Output
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

TIMEOUT = 10.0
"""Seconds to wait for servers to answer."""
_RECOVERY = 1.0
_FIRST_ANSWER = 0.3


class Runtime(Protocol):
    """The parts that verbs use; made by ``komodo_tui.wiring``."""

    state_dir: StateDirectory
    settings: Settings
    definitions: DefinitionStore
    servers: ServerDefinitions
    history: History
    fleet: FleetManager
    actor: Actor
    stacks: StackDefinitions
    deployments: DeploymentDefinitions
    deployables: Deployables
    preparer: StackPreparer
    values: StoredValues
    alerts: AlertStore
    updates: ImageUpdates

    @property
    def executor(self) -> Executor:
        """The one gate of every act."""
        ...

    def procedures(self) -> ProcedureDefinitions:
        """The procedures."""
        ...

    def read_settings(self) -> Settings:
        """The settings as the file says now."""
        ...

    def use_settings(self, settings: Settings) -> None:
        """Go by other settings from now on."""
        ...

    async def start(self, only: Collection[str] | None = None) -> None:
        """Begin to connect."""
        ...

    async def recovered(self, timeout: float) -> None:
        """Wait for the recovery of unfinished acts."""
        ...

    async def close(self) -> None:
        """End connections."""
        ...


class Session:
    """One run of one verb."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        output: Output,
        build: Callable[[Callable[[], Prompter]], Runtime],
        asking: Asking,
    ) -> None:
        """``build`` makes the runtime, given who answers the servers' questions."""
        self.arguments = arguments
        self.out = output
        self.asking = asking
        self._build = build

    @asynccontextmanager
    async def runtime(self) -> AsyncIterator[Runtime]:
        """State and settings, with no server connected."""
        runtime = self._build(lambda: self.asking)
        try:
            yield runtime
        finally:
            for notice in runtime.definitions.notices:
                self.out.say(f"komodo-tui: {notice}")
            await runtime.close()

    @asynccontextmanager
    async def fleet(
        self, choose: Callable[[Collection[str]], Collection[str] | None], *, measured: bool = True
    ) -> AsyncIterator[Runtime]:
        """The servers chosen of those defined (None: all), each of them up or known to have failed.

        ``measured``: wait a moment for their latencies, too.

        Raises:
            NotFoundError: a name that is no server's.
        """
        async with self.runtime() as runtime:
            known = [definition.name for definition in runtime.servers.fleet()]
            only = choose(known)
            for name in only or ():
                if name not in known:
                    raise NotFoundError(f"there is no server {name!r}", hint=f"known: {', '.join(known)}")
            await runtime.start(only)
            await self.settle(runtime, measured=measured)
            yield runtime
            await runtime.recovered(_RECOVERY)

    async def settle(self, runtime: Runtime, *, measured: bool = True) -> None:
        """Wait until each server is up or has failed, and no question is open."""
        timeout = self.arguments.timeout or TIMEOUT
        await runtime.fleet.settle(timeout)
        while self.asking.busy:  # a person types: the time does not count
            await self.asking.answered()
            await runtime.fleet.settle(timeout)
        if measured:
            await _measured(runtime)

    @asynccontextmanager
    async def servers(self) -> AsyncIterator[Runtime]:
        """The servers that ``--server`` names, else all."""
        async with self.fleet(lambda known: tuple(self.arguments.server) or None) as runtime:
            yield runtime


async def _measured(runtime: Runtime) -> None:
    """Let servers that have just come up answer once, so that their latency is known."""
    subscription = runtime.fleet.state.subscribe()
    try:
        async with asyncio.timeout(_FIRST_ANSWER):
            while any(server.live and server.latency is None for server in runtime.fleet.state.servers.values()):
                await subscription.wait()
                subscription.take()
    except TimeoutError:
        return
    finally:
        subscription.close()


def servers_of(words: Sequence[str], arguments: argparse.Namespace, known: Collection[str]) -> tuple[str, ...] | None:
    """The servers that have to be asked for these containers: those named by ``--server`` or by every word."""
    if arguments.server:
        return tuple(arguments.server)
    prefixes = [plain(word, known).partition("/")[0] for word in words]
    return tuple(dict.fromkeys(prefixes)) if all(prefix in known for prefix in prefixes) else None


def plain(word: str, known: Collection[str]) -> str:
    """``api-1@web-1``, as we print it, in the notation of selectors: ``web-1/api-1``."""
    what, at, server = word.rpartition("@")
    return f"{server}/{what}" if at and server in known else word


def pick(runtime: Runtime, words: Sequence[str]) -> list[tuple[str, Container]]:
    """The containers that the words pick.

    Raises:
        NotFoundError, UsageError: as selectors do.
        UnreachableError: nothing was found, and a server that could have it is away.
    """
    servers = runtime.fleet.state.servers
    rows = [(name, container) for name, server in servers.items() for container in server.containers.values()]
    try:
        return select([plain(word, servers) for word in words], rows)
    except NotFoundError as error:
        away = [server for server in servers.values() if not server.live]
        if away:
            raise not_reached(error.message, away) from error
        down = [server for server in servers.values() if not server.engine_live]
        if down and down[0].engine is not None:
            raise NotFoundError(error.message, hint=f"{down[0].name}: {down[0].engine.message}") from error
        raise


def not_reached(message: str, away: Sequence[ServerLive]) -> UnreachableError:
    """Why something could not be found or done: these servers are away."""
    first = away[0].error
    why = f"{away[0].name}: {first.message}" if first else f"{away[0].name} does not answer"
    more = f" (and {count_text(len(away) - 1, 'more server')})" if len(away) > 1 else ""
    return UnreachableError(f"{message}; {why}{more}", hint=next_step(away[0]))


def warn_away(out: Output, runtime: Runtime, *, engines: bool = True) -> None:
    """Say on standard error which servers are missing from what is printed; ``engines``: it comes from those.

    A machine that has no engine is missing nowhere, unless there is no other.
    """
    servers = runtime.fleet.state.servers.values()
    some = any(server.engine_live for server in servers)
    for server in servers:
        if not server.live:
            why = server.error.message if server.error else "no answer"
            out.say(f"komodo-tui: {server.name} is left out: {why}")
        elif engines and server.engine is not None and not server.engine_live:
            if some and server.engine.status == "absent":
                continue
            why = server.engine.message or f"its engine is {server.engine.status}"
            out.say(f"komodo-tui: {server.name} is left out: {why}")
