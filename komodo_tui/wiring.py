"""The composition root: it alone puts store, fleet and operations together."""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_tui.domain.one_at_a_time import guard_msgspec
from komodo_tui.domain.settings import Settings
from komodo_tui.fleet.manager import FleetManager
from komodo_tui.fleet.prompts import NoPrompter
from komodo_tui.operations.actor import current_actor
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.definitions import ServerDefinitions
from komodo_tui.operations.deployment_definitions import Deployables, DeploymentDefinitions
from komodo_tui.operations.image_updates import ImageUpdates
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.operations.stack_definitions import StackDefinitions
from komodo_tui.operations.stack_prepare import StackPreparer
from komodo_tui.operations.stack_sources import StackSources
from komodo_tui.operations.values import StoredValues
from komodo_tui.store.alerts import AlertStore
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.history import History
from komodo_tui.store.paths import state_directory
from komodo_tui.store.secrets import SecretStore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from komodo_tui.domain.maintenance import OpenWindow
    from komodo_tui.domain.operations import ActionRecord, Actor
    from komodo_tui.fleet.local import EmbeddedAgent
    from komodo_tui.fleet.prompts import Prompter
    from komodo_tui.operations.executor import Executor
    from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
    from komodo_tui.store.paths import StateDirectory


guard_msgspec()  # before there is a second thread, and not before the agent of this machine was begun

_EXECUTOR = "komodo_tui.operations.executor"


class Questions:
    """Who answers what servers ask at login; a front end that asks on its screen names itself once it is there."""

    def __init__(self, prompter: Callable[[], Prompter]) -> None:
        self._prompter = prompter

    def answer_with(self, prompter: Callable[[], Prompter]) -> None:
        """From now on ask there; called at the first question of a fleet."""
        self._prompter = prompter

    def __call__(self) -> Prompter:
        return self._prompter()


@dataclass
class Runtime:
    """Everything a front end works with."""

    state_dir: StateDirectory
    settings: Settings
    definitions: DefinitionStore
    servers: ServerDefinitions
    history: History
    fleet: FleetManager
    actor: Actor
    questions: Questions
    stacks: StackDefinitions
    deployments: DeploymentDefinitions
    deployables: Deployables
    _procedures: Callable[[], ProcedureDefinitions]
    preparer: StackPreparer
    values: StoredValues
    alerts: AlertStore
    updates: ImageUpdates
    _read_settings: Callable[[], Settings]
    _build_executor: Callable[[Runtime], Executor]
    _executor: Executor | None = field(default=None, init=False, repr=False)
    _recovery: asyncio.Task[list[ActionRecord]] | None = field(default=None, init=False, repr=False)

    @property
    def executor(self) -> Executor:
        """The one gate of every act. Made when it is first asked for: what it takes is large, and nothing is drawn of
        it."""
        if self._executor is None:
            self._executor = self._build_executor(self)
        return self._executor

    def procedures(self) -> ProcedureDefinitions:
        """The procedures, read at each call."""
        return self._procedures()

    def read_settings(self) -> Settings:
        """The settings as the file says now, with what the command line adds. Blocks. Raises UsageError."""
        return self._read_settings()

    def use_settings(self, settings: Settings) -> None:
        """Go by other settings from now on; what was drawn or is under way stays as it is."""
        self.settings = settings
        if self._executor is not None:
            self._executor.use_settings(settings)
        self.updates.every = settings.updates.seconds

    async def start(self, only: Collection[str] | None = None) -> None:
        """Begin to connect to all servers, or to those named; returns without waiting for any.

        Acts that dead processes left unfinished are closed in the background as their servers answer.
        """
        wanted = [definition for definition in self.servers.fleet() if only is None or definition.name in only]
        await self.fleet.start(wanted)
        self._recovery = asyncio.create_task(self._recover(), name="recovery")

    async def _recover(self) -> list[ActionRecord]:
        await asyncio.to_thread(importlib.import_module, _EXECUTOR)
        return await self.executor.recover()

    async def recovered(self, timeout: float) -> None:
        """Wait until the background recovery has closed what it can, at most ``timeout`` seconds."""
        if self._recovery is not None:
            await asyncio.wait({self._recovery}, timeout=timeout)

    async def close(self) -> None:
        """End connections. Acts under way stay open in the history, for the next start to close."""
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.gather(self._recovery, return_exceptions=True)
        if self._executor is not None:
            await self._executor.close()
        await self.updates.close()
        await self.fleet.close()
        self.alerts.close()
        self.history.close()
        self.definitions.close()


def build_runtime(
    home: Path | None = None,
    prompter: Callable[[], Prompter] = NoPrompter,
    via: Literal["tui", "cli", "watch"] = "tui",
    *,
    read_only: bool = False,
    ascii_only: bool = False,
    embedded: EmbeddedAgent | None = None,
    ssh_config: Path | None = None,
) -> Runtime:
    """Read the settings and put the parts together; nothing is connected yet.

    ``prompter`` is called when a server asks its first question. ``embedded`` is this machine's agent where it has
    been begun already; ``ssh_config`` stands for ``~/.ssh/config``.

    Raises:
        StoreError: the state directory cannot be used.
        UsageError: the settings file is wrong; file, line and key are named.
    """
    paths = state_directory(home)

    def read_settings() -> Settings:
        settings = _settings(paths)
        return msgspec.structs.replace(
            settings, read_only=settings.read_only or read_only, ascii=settings.ascii or ascii_only
        )

    settings = read_settings()
    definitions = DefinitionStore(paths.definitions)
    servers = ServerDefinitions(definitions)
    history = History(paths.history)
    questions = Questions(prompter)
    stacks = StackDefinitions(definitions)
    deployments = DeploymentDefinitions(definitions)
    procedures = cache(lambda: _procedures(definitions))
    values = StoredValues(
        definitions, SecretStore(paths.secrets, paths.identity), lambda name: _built(definitions, history, name)
    )
    alerts = AlertStore(paths.root / "alerts.db", partial(_open_windows, definitions, servers))
    fleet = FleetManager(paths, questions, embedded=embedded, ssh_config=ssh_config)
    return Runtime(
        state_dir=paths,
        settings=settings,
        definitions=definitions,
        servers=servers,
        history=history,
        fleet=fleet,
        actor=current_actor(via),
        questions=questions,
        stacks=stacks,
        deployments=deployments,
        deployables=Deployables(stacks, deployments, BuildDefinitions(definitions)),
        _procedures=procedures,
        preparer=StackPreparer(fleet, servers, StackSources(values, RepoDefinitions(definitions))),
        values=values,
        alerts=alerts,
        updates=ImageUpdates(fleet, values, settings.updates.seconds),
        _read_settings=read_settings,
        _build_executor=_executor,
    )


def _executor(runtime: Runtime) -> Executor:
    from komodo_tui.operations.alerts.definitions import AlertingDefinitions  # late, all of these
    from komodo_tui.operations.executor import Executor
    from komodo_tui.operations.locking import TargetLocks
    from komodo_tui.operations.sync_definitions import SyncDefinitions
    from komodo_tui.store.follow_ups import FollowUpStore

    definitions, paths = runtime.definitions, runtime.state_dir
    return Executor(
        runtime.fleet,
        runtime.history,
        runtime.servers,
        runtime.settings,
        TargetLocks(paths.locks),
        runtime.stacks,
        runtime.procedures,
        runtime.values,
        runtime.alerts,
        repos=RepoDefinitions(definitions),
        deployments=runtime.deployments,
        builds=BuildDefinitions(definitions),
        syncs=SyncDefinitions(definitions),
        alerting=AlertingDefinitions(definitions),
        follow_ups=FollowUpStore(paths.follow_ups),
    )


def _open_windows(definitions: DefinitionStore, servers: ServerDefinitions, now: float) -> list[OpenWindow]:
    from komodo_tui.operations.alerts.definitions import open_windows  # late: only who judges asks

    return open_windows(definitions, servers, now)


def _procedures(definitions: DefinitionStore) -> ProcedureDefinitions:
    from komodo_tui.operations.procedure_definitions import ProcedureDefinitions  # late: few verbs ask for them

    return ProcedureDefinitions(definitions)


def _built(definitions: DefinitionStore, history: History, build: str) -> str:
    from komodo_tui.operations.build_history import built_image  # late: few stacks name a build

    return built_image(BuildDefinitions(definitions).find(build), history, build)


def _settings(paths: StateDirectory) -> Settings:
    if not paths.settings.exists():
        return Settings()
    from komodo_tui.store.settings_file import load_settings  # late: it loads the YAML parser

    return load_settings(paths.settings)
