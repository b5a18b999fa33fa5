"""``plan`` and ``apply``: definitions of servers and stacks from YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import ExitCode, NotConfirmedError
from komodo_tui.domain.operations import DefineProcedureOperation, ServerOperation
from komodo_tui.domain.procedures.check import check
from komodo_tui.domain.repos import DefineRepoOperation
from komodo_tui.domain.stacks import DefineStackOperation
from komodo_tui.domain.units import count_text
from komodo_tui.headless.acts import print_record, submit
from komodo_tui.operations.outcomes import exit_code
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.store.fleet_files import read_fleet

if TYPE_CHECKING:
    from komodo_tui.domain.operations import Plan
    from komodo_tui.headless.session import Runtime, Session
    from komodo_tui.store.fleet_files import FleetFile

Change = ServerOperation | DefineStackOperation | DefineProcedureOperation | DefineRepoOperation


async def plan(session: Session) -> int:
    """What ``apply`` would change."""
    async with session.runtime() as runtime:
        changes = _changes(runtime, read_fleet([Path(p) for p in session.arguments.file]), session.arguments.delete)
        _show(session, changes)
    return ExitCode.DONE


async def apply(session: Session) -> int:
    """Change the definitions, each through the executor; nothing where anything in the files is wrong."""
    arguments = session.arguments
    async with session.runtime() as runtime:
        changes = _changes(runtime, read_fleet([Path(p) for p in arguments.file]), arguments.delete)
        plans = [runtime.executor.plan(change) for change in changes]
        if arguments.dry_run or not plans:
            _show(session, changes)
            return ExitCode.DONE
        await _confirmed(session, plans, changes)
        records = []
        for change in changes:
            made = runtime.executor.plan(change)  # anew: what went before may have changed what it has to do
            records.append(await submit(session, runtime, made, made.phrase or True))
        if session.out.json:
            session.out.document(records)
        else:
            for record in records:
                print_record(session.out, record)
        return next((code for code in map(exit_code, records) if code), ExitCode.DONE)


def _changes(runtime: Runtime, wanted: FleetFile, delete: bool) -> list[Change]:
    """Servers first when they come, last when they go."""
    servers, stacks = runtime.servers.known(), runtime.stacks.known()
    added: list[Change] = []
    for server in wanted.servers:
        if servers.get(server.name) != server:
            verb, rev = ("edit", runtime.servers.revision(server.name)) if server.name in servers else ("add", None)
            added.append(ServerOperation(verb=verb, server=server.name, definition=server, rev=rev))  # type: ignore[arg-type]
    for stack in wanted.stacks:
        if stack.name not in stacks:
            added.append(DefineStackOperation(verb="add", name=stack.name, definition=stack))
        elif stacks[stack.name] != stack:
            rev = runtime.stacks.stored(stack.name).rev
            added.append(DefineStackOperation(verb="edit", name=stack.name, definition=stack, rev=rev))
    added += _changed_procedures(runtime, wanted)
    added += _changed_repos(runtime, wanted, delete)
    if not delete:
        return added
    kept_stacks, kept_servers = {s.name for s in wanted.stacks}, {s.name for s in wanted.servers}
    gone: list[Change] = [
        DefineStackOperation(verb="remove", name=name, rev=runtime.stacks.stored(name).rev)
        for name in stacks if name not in kept_stacks
    ]  # fmt: skip
    gone += [
        ServerOperation(verb="remove", server=name, rev=runtime.servers.revision(name))
        for name in servers if name not in kept_servers
    ]  # fmt: skip
    kept_procedures = {p.name for p in wanted.procedures}
    gone += [
        DefineProcedureOperation(verb="remove", name=name, rev=runtime.procedures().stored(name).rev)
        for name in runtime.procedures().known() if name not in kept_procedures
    ]  # fmt: skip
    return [*added, *gone]


def _changed_procedures(runtime: Runtime, wanted: FleetFile) -> list[Change]:
    known = runtime.procedures().known() if wanted.procedures else {}
    for procedure in wanted.procedures:  # all of them first: one may run another
        check(procedure, lambda name: next((p for p in wanted.procedures if p.name == name), known.get(name)))
    changes: list[Change] = []
    for procedure in wanted.procedures:
        plain = msgspec.to_builtins(procedure)
        if procedure.name not in known:
            changes.append(DefineProcedureOperation(verb="add", name=procedure.name, definition=plain))
        elif known[procedure.name] != procedure:
            rev = runtime.procedures().stored(procedure.name).rev
            changes.append(DefineProcedureOperation(verb="edit", name=procedure.name, definition=plain, rev=rev))
    return changes


def _changed_repos(runtime: Runtime, wanted: FleetFile, delete: bool) -> list[Change]:
    repos = RepoDefinitions(runtime.definitions)
    known = repos.known()
    changes: list[Change] = []
    for repo in wanted.repos:
        if repo.name not in known:
            changes.append(DefineRepoOperation(verb="add", name=repo.name, definition=repo))
        elif known[repo.name] != repo:
            rev = repos.stored(repo.name).rev
            changes.append(DefineRepoOperation(verb="edit", name=repo.name, definition=repo, rev=rev))
    gone = known.keys() - {repo.name for repo in wanted.repos} if delete else ()
    changes += [DefineRepoOperation(verb="remove", name=name, rev=repos.stored(name).rev) for name in sorted(gone)]
    return changes


def _line(change: Change) -> str:
    if isinstance(change, DefineStackOperation):
        return f"{change.verb} stack {change.name}"
    if isinstance(change, DefineProcedureOperation):
        return f"{change.verb} procedure {change.name}"
    if isinstance(change, DefineRepoOperation):
        return f"{change.verb} repo {change.name}"
    return f"{change.verb} server {change.server}"


def _show(session: Session, changes: list[Change]) -> None:
    lines = [_line(change) for change in changes]
    if session.out.json:
        session.out.document({"changes": lines})
        return
    for text in lines or ["nothing to change"]:
        session.out.line(text)


async def _confirmed(session: Session, plans: list[Plan], changes: list[Change]) -> None:
    """One question for all; raises NotConfirmedError."""
    arguments = session.arguments
    if arguments.yes or all(made.confirm == "none" for made in plans):
        return
    title = f"apply {count_text(len(changes), 'change')}"
    if not session.asking.possible:
        raise NotConfirmedError(f"{title}: not confirmed", hint="nobody can be asked here: add --yes")
    for change in changes:
        session.out.say(_line(change))
    answer = await session.asking.ask(f"{title.capitalize()}? [y/N] ")
    if (answer or "").strip().lower() not in ("y", "yes"):
        raise NotConfirmedError(f"{title}: not confirmed")
