"""``deploy``, ``rollback``, ``destroy``, ``adopt``: the verbs that change what runs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode, UsageError
from komodo_tui.domain.stacks import DefineStackOperation
from komodo_tui.headless.acts import print_plan, print_record, run, submit
from komodo_tui.headless.asking import given
from komodo_tui.headless.session import not_reached
from komodo_tui.operations.outcomes import exit_code

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from komodo_tui.domain.stacks import StackDefinition, StackOperation
    from komodo_tui.headless.session import Runtime, Session


_RECOVERY = 1.0


async def deploy(session: Session) -> int:
    """Preview on every server, ask, then one server after the other."""
    arguments = session.arguments
    async with on_stack(session) as (runtime, stack, servers):
        operation = await runtime.preparer.deploy(stack, servers, pull=arguments.pull, refresh=arguments.update)
        return await run(session, runtime, operation)


async def rollback(session: Session) -> int:
    """Return to a revision."""
    arguments = session.arguments
    async with on_stack(session) as (runtime, stack, servers):
        operation = await runtime.preparer.rollback(stack, servers, arguments.to)
        return await run(session, runtime, operation)


async def destroy(session: Session) -> int:
    """Remove what a deploy made, but for volumes."""
    arguments = session.arguments
    async with on_stack(session) as (runtime, stack, servers):
        operation = await runtime.preparer.act(
            "destroy", stack.name, stack.project_name, servers, volumes=arguments.volumes
        )
        return await run(session, runtime, operation)


async def act(session: Session) -> int:
    """Start, stop, restart, pause, unpause a stack or some of its services, or pull their images."""
    arguments = session.arguments
    async with on_stack(session) as (runtime, stack, servers):
        operation = await runtime.preparer.act(
            arguments.stack_verb, stack.name, stack.project_name, servers, services=tuple(arguments.service)
        )
        return await run(session, runtime, operation)


async def adopt(session: Session) -> int:
    """Record what runs, then define the stack."""
    arguments = session.arguments
    if len(arguments.server) > 1:
        raise UsageError("adopt: one server at a time")
    async with session.fleet(lambda known: arguments.server or tuple(known)[:1]) as runtime:
        server = next(iter(runtime.fleet.state.servers))
        reached(runtime, [server])
        name = arguments.name or arguments.project
        operation, stack = await runtime.preparer.adopt(server, arguments.project, name)
        definition = DefineStackOperation(verb="add", name=name, definition=stack)
        runtime.executor.plan(definition)  # says now what would be in its way
        return await _adopt(session, runtime, operation, definition)


async def _adopt(
    session: Session, runtime: Runtime, operation: StackOperation, definition: DefineStackOperation
) -> int:
    if session.arguments.dry_run:
        return await run(session, runtime, operation)
    plan = runtime.executor.plan(operation)
    if plan.confirm != "none" and session.asking.possible and not session.arguments.yes:
        print_plan(session.out.say, plan)
    answer = await given(plan, session.arguments, session.asking)
    records = [await submit(session, runtime, plan, answer)]
    if records[0].outcome == "success":
        records.append(await submit(session, runtime, runtime.executor.plan(definition), given=True))
    if session.out.json:
        session.out.document(records)
    else:
        for record in records:
            print_record(session.out, record)
    return next((code for code in map(exit_code, records) if code), ExitCode.DONE)


@asynccontextmanager
async def on_stack(session: Session) -> AsyncIterator[tuple[Runtime, StackDefinition, tuple[str, ...]]]:
    """The stack named, and its servers (or those of them named), all of them reached.

    Raises:
        NotFoundError: there is no such stack. UsageError: a server it does not run on.
        UnreachableError: a server is away: nothing was changed.
    """
    arguments = session.arguments
    async with session.runtime() as runtime:
        stack = runtime.deployables.find(arguments.stack)
        servers = runtime.preparer.places(stack, arguments.server)
        await runtime.start(servers)
        await session.settle(runtime)
        reached(runtime, servers)
        yield runtime, stack, servers
        await runtime.recovered(_RECOVERY)


def reached(runtime: Runtime, servers: Sequence[str]) -> None:
    """Raise UnreachableError unless all of them are there."""
    away = [live for name in servers if not (live := runtime.fleet.state.servers[name]).live]
    if away:
        raise not_reached("nothing was changed", away)
