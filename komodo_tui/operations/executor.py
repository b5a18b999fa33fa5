"""The one gate: every act of every front end passes here, and leaves an intent and an outcome on disk.

Read-only check → confirmation → lock of each target, across processes → intent → steps → exactly one outcome.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_agent.wire.jobs import JobRequest
from komodo_agent.wire.tasks import TaskJob
from komodo_tui.domain.alerts import AlertOperation, DefineAlertingOperation
from komodo_tui.domain.builds import BuildOperation, DefineBuildOperation
from komodo_tui.domain.errors import ReadOnlyError
from komodo_tui.domain.operations import ActionRecord, DefineProcedureOperation, ServerOperation
from komodo_tui.domain.repos import DefineRepoOperation
from komodo_tui.domain.shipping import ShipOperation
from komodo_tui.domain.single import DefineDeploymentOperation
from komodo_tui.domain.stacks import DefineStackOperation, StackOperation
from komodo_tui.domain.syncs import DefineSyncOperation
from komodo_tui.domain.values import ValueOperation
from komodo_tui.domain.volumes import VolumeOperation
from komodo_tui.operations.act import Act
from komodo_tui.operations.build_history import BuildHistory
from komodo_tui.operations.intents import new_intent
from komodo_tui.operations.job_steps import JobStep, OutcomeUnknownError
from komodo_tui.operations.logins import jobs_with_logins
from komodo_tui.operations.planner import Planner, check_given
from komodo_tui.operations.records import finish, new_record
from komodo_tui.operations.recovery import Recovery
from komodo_tui.operations.server_steps import ServerStep
from komodo_tui.operations.ship_relays import ShipSource
from komodo_tui.operations.ship_steps import ShipStep
from komodo_tui.operations.stack_definitions import DefinitionStep
from komodo_tui.operations.stopping import StopJob
from komodo_tui.operations.terminals import TerminalLog
from komodo_tui.operations.values import ValueStep
from komodo_tui.operations.volume_steps import VolumeStep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from komodo_agent.wire.jobs import JobSpec
    from komodo_tui.domain.operations import Actor, Operation, Plan, Target
    from komodo_tui.domain.settings import Settings
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.act import Step
    from komodo_tui.operations.alerts.definitions import AlertingDefinitions
    from komodo_tui.operations.build_definitions import BuildDefinitions
    from komodo_tui.operations.definitions import ServerDefinitions
    from komodo_tui.operations.deployment_definitions import DeploymentDefinitions
    from komodo_tui.operations.intents import Intent
    from komodo_tui.operations.locking import TargetLocks
    from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
    from komodo_tui.operations.progress import Progress
    from komodo_tui.operations.repo_definitions import RepoDefinitions
    from komodo_tui.operations.stack_definitions import Definitions, StackDefinitions
    from komodo_tui.operations.sync_definitions import SyncDefinitions
    from komodo_tui.operations.values import StoredValues
    from komodo_tui.store.alerts import AlertStore
    from komodo_tui.store.follow_ups import FollowUpStore
    from komodo_tui.store.history import History

_SHORT = 1.0
"""Seconds the answer to a command waits for its end."""


class Executor:
    """Plans, runs, cancels and recovers acts. An act belongs to it, not to the screen or call that asked for it."""

    def __init__(
        self,
        fleet: FleetManager,
        history: History,
        definitions: ServerDefinitions,
        settings: Settings,
        locks: TargetLocks,
        stacks: StackDefinitions | None = None,
        procedures: Callable[[], ProcedureDefinitions] | None = None,
        values: StoredValues | None = None,
        alerts: AlertStore | None = None,
        *,
        repos: RepoDefinitions | None = None,
        deployments: DeploymentDefinitions | None = None,
        builds: BuildDefinitions | None = None,
        syncs: SyncDefinitions | None = None,
        alerting: AlertingDefinitions | None = None,
        follow_ups: FollowUpStore | None = None,
    ) -> None:
        self._fleet = fleet
        self._history = history
        self._definitions = definitions
        self._settings = settings
        self._locks = locks
        self._procedures = procedures
        self._values = values
        self._kept: dict[type, Definitions[Any] | None] = {
            DefineStackOperation: stacks,
            DefineDeploymentOperation: deployments,
            DefineBuildOperation: builds,
            DefineRepoOperation: repos,
            DefineSyncOperation: syncs,
            DefineAlertingOperation: alerting,
        }
        """What a change of a definition is written to."""
        self._alerts = alerts
        self._follow_ups = follow_ups
        self._planner = Planner(
            fleet.state, definitions.known, settings, stacks.known if stacks else dict, procedures, values, alerts,
            repos=repos.known if repos else dict, deployments=deployments.known if deployments else dict,
            builds=builds.known if builds else dict,
            last_version=BuildHistory(history).last_version, syncs=syncs.known if syncs else dict, alerting=alerting,
        )  # fmt: skip
        self._recovery = Recovery(history, locks, fleet.link, definitions.known)
        self.terminals = TerminalLog(history, locks, settings)
        """Opens and closes terminals."""
        self._acts: dict[str, Act] = {}
        self._tasks: set[asyncio.Task[ActionRecord] | asyncio.Task[list[ActionRecord]]] = set()

    def use_settings(self, settings: Settings) -> None:
        """Go by other settings from now on; an act under way is not stopped."""
        self._settings = settings
        self._planner.use_settings(settings)
        self.terminals.use_settings(settings)

    def plan(self, operation: Operation) -> Plan:
        """What the operation would do now, with the exact commands. Changes nothing.

        Raises:
            UsageError: it makes no sense.
            NotFoundError: a target is not there.
            RefusedError: it cannot be done as things stand.
        """
        return self._planner.plan(operation)

    async def submit(
        self,
        plan: Plan,
        actor: Actor,
        *,
        given: str | bool = False,
        progress: Progress | None = None,
        act_id: str = "",
        run: str = "",
        at_once: int = 0,
    ) -> ActionRecord:
        """Do what was planned and shown; returns the finished record, whatever its outcome.

        ``act_id`` is a UUID chosen by a caller that has to find the record again; else one is made. ``run`` is the
        procedure's run that the act is part of. ``at_once``: steps under way at the same time, on all servers together;
        0 = no limit but that of each server.

        Cancelling the caller does not end the act: it goes on, and :meth:`cancel` stops it.

        Raises:
            ReadOnlyError, NotConfirmedError: nothing was done.
            LockedError: another act on a target is under way; nothing was done.
            RefusedError, NotFoundError: things are not as planned any more; nothing was done.
            StoreError: the intent cannot be written: nothing was done. Or the outcome cannot be: the next start will.
            OutcomeUnknownError: a server went away meanwhile; the outcome is entered when it answers again.
        """
        if self._settings.read_only:
            raise ReadOnlyError(f"{plan.title}: refused, read-only mode is on", hint="start without --read-only")
        check_given(plan, given)
        intent = new_intent(plan)
        record = msgspec.structs.replace(new_record(plan, actor, intent, act_id), run=run)
        act = Act(record, progress, self._settings.parallel, at_once)
        self._acts[act.record.id] = act
        task = asyncio.create_task(self._perform(act, plan, intent), name=f"act {act.record.id}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def running(self) -> tuple[ActionRecord, ...]:
        """The acts of this process that are under way, oldest first."""
        return tuple(act.record for act in self._acts.values())

    def under_way(self, record: ActionRecord) -> bool:
        """Whether some process still works on an act without outcome; if none does, recovery will close it."""
        return record.outcome is None and self._recovery.is_held(record)

    async def cancel(self, act_id: str) -> None:
        """Stop an act of this process: steps that wait are left out, jobs under way are asked to stop.

        Its outcome still comes, by :meth:`submit`. Does nothing for an act that has ended.
        """
        act = self._acts.get(act_id)
        if act is not None:
            await act.cancel()

    async def stop_job(self, target: Target, job_id: str, what: str, actor: Actor) -> ActionRecord:
        """Ask an agent to stop a job, whoever began it; who works on it enters its outcome. ``what``: ``build``, say.

        Raises ReadOnlyError, StoreError: nothing was done.
        """
        if self._settings.read_only:
            raise ReadOnlyError(f"stop {what}: refused, read-only mode is on", hint="start without --read-only")
        return await StopJob(self._history, self._fleet.link, target, job_id, what).run(actor)

    async def recover(self, patience: float | None = None) -> list[ActionRecord]:
        """Close the acts that processes which are gone left unfinished; returns those closed.

        A server that does not answer is waited for, ``patience`` seconds, or for ever (None); its acts stay open
        until some later call finds it. Jobs that still run are followed to their end.
        """
        return await self._recovery.run(patience)

    async def close(self) -> None:
        """Stop following acts. Those under way stay open in the history, for the next start to close."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _perform(self, act: Act, plan: Plan, intent: Intent) -> ActionRecord:
        try:
            with self._locks.hold(intent.locks, _who(act.record)):
                await self._recovery.settle_before(intent)
                self._planner.check_unchanged(plan)
                specs = await asyncio.to_thread(jobs_with_logins, plan, self._values)
                await asyncio.to_thread(self._begin, act.record, plan.operation)
                rolling = isinstance(plan.operation, StackOperation)
                results = await act.run(self._steps(act, plan, intent, specs), rolling=rolling)
                record = await finish(self._history, act.record.id, results)
                if _followed(plan.operation) and self._follow_ups is not None and record.outcome != "success":
                    await asyncio.to_thread(self._follow_ups.drop, record.id)
                return record
        finally:
            del self._acts[act.record.id]

    def _begin(self, record: ActionRecord, operation: Operation) -> None:
        """Write the intent, and before it what is to follow: so nothing is lost when this process ends in between."""
        if self._follow_ups is not None and _followed(operation):
            self._follow_ups.note(record.id, record.targets[0].name, record.started)
        self._history.begin(record)

    def _follow_later(self) -> None:
        """Close what is open once its server answers, as long as this process lives."""
        task = asyncio.create_task(self.recover(), name="recovery")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _steps(self, act: Act, plan: Plan, intent: Intent, specs: Sequence[JobSpec]) -> list[Step]:
        operation = plan.operation
        steps = [(step.target, act.report(index, step.target)) for index, step in enumerate(plan.steps)]
        if isinstance(operation, ServerOperation):
            return [ServerStep(operation, target, self._definitions, self._fleet, report) for target, report in steps]
        if isinstance(operation, ValueOperation) and self._values is not None:
            return [ValueStep(operation, target, self._values, report) for target, report in steps]
        if isinstance(operation, AlertOperation) and self._alerts is not None:
            from komodo_tui.operations.alerts.acts import AlertStep  # late: few acts are of this kind

            return [AlertStep(operation, target, self._alerts, act.record.actor, report) for target, report in steps]
        if isinstance(operation, VolumeOperation):
            link = partial(self._fleet.link, operation.server)
            return [VolumeStep(operation, target, link, report) for target, report in steps]
        if isinstance(operation, ShipOperation):
            shared = ShipSource()
            return [ShipStep(operation, target, self._fleet.link, report, shared) for target, report in steps]
        kept = self._kept.get(type(operation))
        if kept is not None:
            return [DefinitionStep(operation, target, kept, report) for target, report in steps]
        if isinstance(operation, DefineProcedureOperation) and self._procedures is not None:
            return [DefinitionStep(operation, target, self._procedures(), report) for target, report in steps]
        requests = [
            JobRequest(id=job_id, spec=spec, actor=str(act.record.actor), wait=_SHORT if _brief(spec) else 0.0)
            for job_id, spec in zip(intent.jobs, specs, strict=True)
        ]
        return [self._job_step(act, index, request) for index, request in enumerate(requests)]

    def _job_step(self, act: Act, index: int, request: JobRequest) -> JobStep:
        target = act.record.targets[index]
        return JobStep(lambda: self._fleet.link(target.server), target, request.id, request, act.report(index, target))

    def _ended(self, task: asyncio.Task[ActionRecord]) -> None:
        self._tasks.discard(task)
        # whoever asked may be gone, so the error is looked at here
        if not task.cancelled() and isinstance(task.exception(), OutcomeUnknownError):
            self._follow_later()


def _brief(spec: JobSpec) -> bool:
    """Whether it often ends at once, and its end tells all of it."""
    return isinstance(spec, TaskJob)


def _followed(operation: Operation) -> bool:
    """Whether something is to be done after it."""
    return isinstance(operation, BuildOperation) and operation.follow_up


def _who(record: ActionRecord) -> str:
    return f"{record.title}, by {record.actor}, process {os.getpid()}"
