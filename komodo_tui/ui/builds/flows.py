"""From a key to a build, to what follows it, and to its end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from komodo_tui.domain.builds import BuildOperation, builders_of
from komodo_tui.domain.operations import Plan, PlanStep, Target
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.build_follow import follower_of, not_well
from komodo_tui.operations.build_history import NOT_FOLLOWED, BuildHistory
from komodo_tui.operations.build_prepare import BuildPreparer, pick_server
from komodo_tui.operations.build_runs import BuildOutput
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.store.build_logs import BuildLogs
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.error import ErrorDialog
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem

if TYPE_CHECKING:
    from komodo_tui.domain.builds import BuildDefinition
    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.operations.build_follow import BuildFollower
    from komodo_tui.ui.builds.book import BuildRow
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


def output_of(runtime: Runtime) -> BuildOutput:
    """Where the output of builds is."""
    return BuildOutput(runtime.fleet, BuildLogs(runtime.state_dir.root), runtime.history)


async def build_now(runtime: Runtime, shell: Shell, build: BuildDefinition, version: str = "") -> None:
    """Build it on the least loaded of its servers, and do what is to follow.

    Raises:
        KomodoError: it cannot be planned, or was refused.
    """
    state = runtime.fleet.state
    build = await _as_defined(runtime, build.name)
    known = {name: live.definition for name, live in state.servers.items()}
    server = pick_server(build, builders_of(build, known), state)
    preparer = BuildPreparer(RepoDefinitions(runtime.definitions), runtime.values, BuildHistory(runtime.history))
    follower = follower_of(runtime)
    await asyncio.to_thread(follower.places, build)  # what is to follow is known, or nothing is built
    operation = await asyncio.to_thread(preparer.prepare, build, server, version)
    record = await shell.acts.run(operation, told=True)
    if record is None:
        return
    await output_of(runtime).keep(record)
    if record.outcome == "success" and operation.follow_up:
        await _follow(follower, shell, build, record)


async def _as_defined(runtime: Runtime, name: str) -> BuildDefinition:
    """As it is now, whatever the page read last. Raises NotFoundError."""
    return (await asyncio.to_thread(BuildDefinitions(runtime.definitions).stored, name)).value


async def follow_again(runtime: Runtime, shell: Shell, row: BuildRow) -> None:
    """Do what was to follow the last build that succeeded, as far as it was not done.

    Raises:
        KomodoError: it is not known what that is.
    """
    good = row.good
    if good is None:
        return
    follower, build = follower_of(runtime), await _as_defined(runtime, row.definition.name)
    record = await asyncio.to_thread(runtime.history.get, good.id)
    left = await asyncio.to_thread(follower.left, build, record)
    if not left:
        shell.flash(f"nothing is left to be done after {build.name} {good.version}", "ok")
        return
    if good.follow_up is not None and good.follow_up.ended is not None:
        await asyncio.to_thread(follower.again, good.id)
    await _follow(follower, shell, build, record)


async def _follow(follower: BuildFollower, shell: Shell, build: BuildDefinition, record: ActionRecord) -> None:

    async def submit(plan: Plan, act_id: str) -> ActionRecord:
        return await shell.acts.submit(plan, plan.phrase or True, follow=False, act_id=act_id)

    bad = not_well(await follower.follow(build, record, submit))
    if bad:
        lines = [f"{one.what}: {one.why}" for one in bad]
        await shell.ask(
            ErrorDialog("build", f"{build.name} is built, but not all that was to follow went well",
                        hint="The Actions tab keeps it, with its output.", detail="\n".join(lines), copy=shell.copy)
        )  # fmt: skip


async def _sure(shell: Shell, row: BuildRow) -> bool:
    """Whether the build is to be stopped: what it has done so far is lost."""
    target = Target(server=row.server, name=row.definition.name)
    step = PlanStep(target=target, text=f"stop the build of {target.name}", warning="what it has done so far is lost")
    plan = Plan(
        operation=BuildOperation(build=row.definition, server=row.server, version=""), verb="stop", steps=(step,),
        title=f"Stop the build of {target}", confirm="yes", undo="build it again",
    )  # fmt: skip
    answer: bool | str | None = await shell.ask(ConfirmDialog(plan))
    return bool(answer)


async def cancel(runtime: Runtime, shell: Shell, row: BuildRow) -> None:
    """Ask, and stop the build that is under way, whoever began it.

    Raises:
        KomodoError: it cannot be.
    """
    if row.job is not None and not await _sure(shell, row):
        return
    mine = {record.id for record in runtime.executor.running()}
    run = next((run for run in row.runs if run.outcome is None and run.id in mine), None)
    if run is not None:
        shell.flash(f"stopping the build of {row.definition.name}", "busy")
        await runtime.executor.cancel(run.id)
    elif row.job is not None:
        target = Target(server=row.server, name=row.definition.name)
        shell.flash(f"stopping the build of {target}", "busy")
        record = await runtime.executor.stop_job(target, row.job.id, "build", runtime.actor)
        if record.outcome != "success":
            shell.flash(f"{shell.look.glyphs.fail} {record.title}: {record.steps[0].error}", "bad")
    else:
        shell.flash(f"{row.definition.name} is not being built")


async def menu(runtime: Runtime, shell: Shell, row: BuildRow) -> str | None:
    """Every act on a build; returns which one was picked."""
    busy = "it is being built" if row.job is not None else ""
    items = [
        MenuItem("build", "build", "B", f"the next version after {row.good.version}" if row.good else "", busy),
        MenuItem("cancel", "stop the build", "S", "", "" if busy else "it is not being built"),
        MenuItem(
            "follow",
            "do what follows, again",
            "f",
            "ship, push and redeploy the last one",
            "" if row.state == NOT_FOLLOWED else "nothing of it failed",
        ),
        MenuItem("edit", "edit the definition", "e"),
        MenuItem("copy", "copy the definition", "c"),
        MenuItem("forget", "forget the definition", "X", "its images stay"),
    ]
    if runtime.settings.read_only:
        items = [replace(item, disabled="read-only mode is on") for item in items]
    return await shell.ask(MenuDialog(row.definition.name, items))
