"""``server add|edit|remove|list|check|install-agent|accept-key``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.domain.errors import (
    ExitCode,
    HostKeyUnknownError,
    KomodoError,
    NotConfirmedError,
    NotFoundError,
    UsageError,
)
from komodo_tui.domain.operations import ServerOperation
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.units import latency_text
from komodo_tui.headless.acts import print_plan, print_record, run, submit
from komodo_tui.headless.asking import given
from komodo_tui.headless.overview import WORDS
from komodo_tui.headless.session import not_reached
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.outcomes import exit_code
from komodo_tui.operations.overview import problems, summarize

if TYPE_CHECKING:
    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.headless.output import Output
    from komodo_tui.headless.session import Runtime, Session

_LIST = (
    Column("NAME"),
    Column("ADDRESS", flexible=True),
    Column("TAGS", flexible=True),
    Column("DESCRIPTION", flexible=True),
)


async def server(session: Session) -> int:
    """Do the verb's own verb."""
    verb = session.arguments.server_verb
    return await _VERBS[verb](session)


async def _list(session: Session) -> int:
    async with session.runtime() as runtime:
        definitions = runtime.servers.fleet()
        if session.out.json:
            session.out.document(definitions)
        else:
            rows = [
                [Cell(d.name, "bold"), Cell(d.address), Cell(" ".join(d.tags)), Cell(d.description)]
                for d in definitions
            ]
            session.out.table(_LIST, rows)
        for problem in runtime.definitions.problems():
            session.out.say(f"komodo-tui: left out: {problem}")
    return ExitCode.DONE


async def _add(session: Session) -> int:
    arguments = session.arguments
    definition = ServerDefinition(
        name=arguments.name,
        address=arguments.address,
        tags=tuple(arguments.tag or ()),
        description=arguments.description or "",
        agent_socket=arguments.agent_socket or "",
    )
    operation = ServerOperation(verb="add", server=definition.name, definition=definition)
    async with session.runtime() as runtime:
        if arguments.dry_run or arguments.no_install:
            return await run(session, runtime, operation)
        records = [await _submit(session, runtime, operation)]
        if records[0].outcome != "success":
            return _told(session, runtime, records)
        return await _bring_up(session, runtime, records)


async def _bring_up(session: Session, runtime: Runtime, records: list[ActionRecord]) -> int:
    """Connect to the server just added; accept its key and install its agent where that is what is missing."""
    name = session.arguments.name
    await session.settle(runtime)
    live = runtime.fleet.state.servers[name]
    if isinstance(live.error, HostKeyUnknownError):
        operation = ServerOperation(
            verb="accept_host_key",
            server=name,
            detail=await _fingerprint(session, live.error, session.arguments.accept_key),
        )
        records.append(await _submit(session, runtime, operation, asked=True))
        await session.settle(runtime)
    if live.status in ("agent_missing", "agent_mismatch"):
        try:
            records.append(await _submit(session, runtime, ServerOperation(verb="install_agent", server=name)))
        except NotConfirmedError as error:
            again = f"{name} is defined, only its agent is missing: komodo-tui server install-agent {name} --yes"
            raise NotConfirmedError(error.message, hint=again) from error
        await session.settle(runtime)
    return _told(session, runtime, records)


def _told(session: Session, runtime: Runtime, records: list[ActionRecord]) -> int:
    """Report what was done and how the server is now."""
    live = runtime.fleet.state.servers.get(session.arguments.name)
    if session.out.json:
        document: dict[str, Any] = {"actions": records, "server": summarize(live) if live else None}
        session.out.document(document)
    bad = next((record for record in records if record.outcome != "success"), None)
    if bad is not None:
        return exit_code(bad)
    if live is not None and not live.live:
        raise not_reached(f"{live.name} is defined but not up", [live])
    if live is not None and not session.out.json:
        _print_check(session.out, live)
    return ExitCode.DONE


async def _edit(session: Session) -> int:
    arguments = session.arguments
    async with session.runtime() as runtime:
        before = _definition(runtime, arguments.name)
        if arguments.tag and arguments.no_tags:
            raise UsageError("server edit: --tag and --no-tags exclude each other")
        wanted = {
            "address": arguments.address,
            "tags": () if arguments.no_tags else tuple(arguments.tag) if arguments.tag else None,
            "description": arguments.description,
            "agent_socket": arguments.agent_socket,
        }
        changes = {field: value for field, value in wanted.items() if value is not None}
        if not changes:
            raise UsageError("server edit: nothing to change is named", hint="give --address, --tag, --description…")
        operation = ServerOperation(
            verb="edit",
            server=before.name,
            definition=msgspec.structs.replace(before, **changes),
            rev=runtime.servers.revision(before.name),
        )
        return await run(session, runtime, operation)


async def _remove(session: Session) -> int:
    async with session.runtime() as runtime:
        name = session.arguments.name
        operation = ServerOperation(verb="remove", server=name, rev=runtime.servers.revision(name))
        return await run(session, runtime, operation)


async def _install(session: Session) -> int:
    name = session.arguments.name
    async with session.fleet(lambda known: (name,)) as runtime:
        return await run(session, runtime, ServerOperation(verb="install_agent", server=name))


async def _accept(session: Session) -> int:
    name = session.arguments.name
    async with session.fleet(lambda known: (name,)) as runtime:
        live = runtime.fleet.state.servers[name]
        if live.live:
            session.out.say(f"{name} is up: its key is known already")
            return ExitCode.DONE
        if not isinstance(live.error, HostKeyUnknownError):
            raise live.error or not_reached("no key was offered", [live])
        fingerprint = await _fingerprint(session, live.error, session.arguments.fingerprint)
        return await run(session, runtime, ServerOperation(verb="accept_host_key", server=name, detail=fingerprint))


async def _fingerprint(session: Session, error: HostKeyUnknownError, compared: str) -> str:
    """The fingerprint a person has compared: given as an option, or typed after looking at what is offered.

    Raises:
        HostKeyUnknownError: nobody compared it.
    """
    if compared:
        return compared
    session.out.say(f"{error.host}:{error.port} offers a key that was never seen before:")
    session.out.say(f"  {error.algorithm} {error.fingerprint}")
    session.out.say("  the server's own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    if session.asking.possible and (await session.asking.ask("Is it the same? [yes/N] ") or "").strip() == "yes":
        return error.fingerprint
    raise error


async def _check(session: Session) -> int:
    arguments = session.arguments
    async with session.fleet(lambda known: tuple(arguments.names) or None) as runtime:
        servers = list(runtime.fleet.state.servers.values())
        if session.out.json:
            session.out.document([{"server": summarize(s), "problems": problems(s)} for s in servers])
        else:
            for live in servers:
                _print_check(session.out, live)
                if live.status == "agent_missing":
                    await _print_prospects(session.out, runtime, live)
        away = [live for live in servers if not live.live]
    return ExitCode.UNREACHABLE if away else ExitCode.DONE


def _print_check(out: Output, live: ServerLive) -> None:
    glyph = out.paint(out.glyphs.ok, "good") if live.live else out.paint(out.glyphs.fail, "bad")
    out.write(f"{glyph} {out.paint(live.name, 'bold')} {out.paint(WORDS[live.status], '')}\n")
    out.line(f"    address  {live.definition.address}")
    if live.hello is not None:
        out.line(f"    agent    {live.hello.version} on {live.hello.hostname}, {latency_text(live.latency)}")
    if live.engine is not None and live.engine.status == "up":
        out.line(f"    engine   {live.engine.name} {live.engine.version}, {len(live.containers)} containers")
    for problem in problems(live):
        out.line(f"    {problem.level:<8} {problem.message}")
        if problem.hint:
            out.line(f"             {problem.hint}")


async def _print_prospects(out: Output, runtime: Runtime, live: ServerLive) -> None:
    """What an installation of the agent would find there."""
    try:
        probe = await runtime.fleet.link(live.name).probe()
    except KomodoError as error:
        out.line(f"    probe    {error.message}")
        return
    python = probe.python
    out.line(f"    login    {probe.user} on {probe.system} {probe.arch}")
    version = f"{python.path} {'.'.join(map(str, python.version))}" if python else "none of 3.10 or newer"
    out.line(f"    python   {version}")
    out.line(f"    docker   {probe.docker_problem or 'can be opened'}")


async def _submit(
    session: Session, runtime: Runtime, operation: ServerOperation, *, asked: bool = False
) -> ActionRecord:
    """One of several acts of one command; ``asked``: the person has just said yes to exactly this."""
    plan = runtime.executor.plan(operation)
    if asked:
        answer: str | bool = plan.phrase or True
    else:
        if plan.confirm != "none" and session.asking.possible and not session.arguments.yes:
            print_plan(session.out.say, plan)
        answer = await given(plan, session.arguments, session.asking)
    record = await submit(session, runtime, plan, answer)
    if not session.out.json:
        print_record(session.out, record)
    return record


def _definition(runtime: Runtime, name: str) -> ServerDefinition:
    found = next((definition for definition in runtime.servers.fleet() if definition.name == name), None)
    if found is None:
        raise NotFoundError(f"there is no server {name!r}", hint="`komodo-tui server list` names them")
    return found


_VERBS = {
    "add": _add,
    "edit": _edit,
    "remove": _remove,
    "rm": _remove,
    "list": _list,
    "check": _check,
    "install-agent": _install,
    "accept-key": _accept,
}
