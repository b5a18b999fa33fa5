"""``repo list``, ``status``, ``pushes``, ``clone``, ``pull``, ``fetch``, ``remove``."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.domain.errors import ExitCode, KomodoError, UsageError
from komodo_tui.domain.repos import UNKNOWN_HEAD, BranchHead, RepoOperation, newest_head, servers_of, standing
from komodo_tui.domain.units import time_text
from komodo_tui.headless.acts import run
from komodo_tui.headless.pushes import push, pushes
from komodo_tui.headless.session import warn_away
from komodo_tui.headless.stacks import reached
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.store.pushes import branches_seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_agent.wire.repos import RepoState
    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.headless.output import Tone
    from komodo_tui.headless.session import Runtime, Session

_RECOVERY = 1.0
_TONES: dict[str, Tone] = {"ok": "good", "warn": "warn", "bad": "bad", "dim": "dim"}
_COLUMNS = (
    Column("REPO"), Column("SERVER"), Column("BRANCH"), Column("COMMIT"), Column("STATE", flexible=True),
    Column("LAST MESSAGE", flexible=True),
)  # fmt: skip


async def repo(session: Session) -> int:
    """Do the verb's own verb."""
    does = {"list": _list, "status": _status, "pushes": pushes, "push": push}
    return await does.get(session.arguments.repo_verb, _act)(session)


async def _act(session: Session) -> int:
    arguments = session.arguments
    async with session.runtime() as runtime:
        definition, servers = _of(runtime, arguments.name, arguments.server)
        await runtime.start(servers)
        await session.settle(runtime)
        reached(runtime, servers)
        operation = RepoOperation(
            verb=arguments.repo_verb, repo=definition, servers=servers, discard=getattr(arguments, "discard", False)
        )
        if operation.verb == "commit":
            who = runtime.actor.sudo_user or runtime.actor.name
            author = arguments.author or f"{who} <{who}@{socket.gethostname()}>"
            operation = msgspec.structs.replace(operation, message=arguments.message, author=author)
        code = await run(session, runtime, operation)
        await runtime.recovered(_RECOVERY)
        return code


def _of(runtime: Runtime, name: str, only: Sequence[str]) -> tuple[RepoDefinition, tuple[str, ...]]:
    """The repo, and its servers or those of them that are named. Raises NotFoundError, UsageError."""
    definition = RepoDefinitions(runtime.definitions).stored(name).value
    known = {server.name: server for server in runtime.servers.fleet()}
    servers = servers_of(definition, known)
    strange = [server for server in only if server not in servers]
    if strange:
        raise UsageError(f"repo {name} is not on {strange[0]!r}", hint=f"it is on {', '.join(servers)}")
    return definition, tuple(only) or servers


async def _list(session: Session) -> int:
    async with session.servers() as runtime:
        defined = RepoDefinitions(runtime.definitions).known()
        seen = await asyncio.to_thread(branches_seen, runtime.state_dir.pushes)
        found = await _ask(session, runtime, [n for n, s in runtime.fleet.state.servers.items() if s.live])
        known = {server.name: server for server in runtime.servers.fleet()}
        warn_away(session.out, runtime)
    rows: list[tuple[str, str, RepoState | None]] = []
    for name, definition in defined.items():
        try:
            servers = [server for server in servers_of(definition, known) if server in found]
        except UsageError as error:
            session.out.say(f"komodo-tui: {error.message}")
            continue
        rows += [(name, server, found[server].get(name)) for server in servers]
    states = {name: [found.get(server, {}).get(name) for server in found] for name in defined}
    heads = {name: newest_head(one, states[name], seen.get(name)) for name, one in defined.items()}
    wanted = {(name, server) for name, server, _ in rows}
    rows += [(n, s, state) for s, states in found.items() for n, state in states.items() if (n, s) not in wanted]
    if session.out.json:
        session.out.document({"repos": defined, "clones": [{"repo": n, "server": s, "state": t} for n, s, t in rows]})
    else:
        session.out.table(_COLUMNS, [_row(n, s, t, defined.get(n), heads.get(n, UNKNOWN_HEAD)) for n, s, t in rows])
    return ExitCode.DONE


async def _status(session: Session) -> int:
    async with session.runtime() as runtime:
        definition, servers = _of(runtime, session.arguments.name, session.arguments.server)
        await runtime.start(servers)
        await session.settle(runtime)
        reached(runtime, servers)
        found = await _ask(session, runtime, servers)
        seen = await asyncio.to_thread(branches_seen, runtime.state_dir.pushes)
    states = {server: found.get(server, {}).get(definition.name) for server in servers}
    head = newest_head(definition, states.values(), seen.get(definition.name))
    if session.out.json:
        session.out.document(
            [{"server": s, "state": t, "standing": standing(definition, t, head)[0]} for s, t in states.items()]
        )
    else:
        session.out.table(_COLUMNS, [_row(definition.name, s, t, definition, head) for s, t in states.items()])
        for server, state in states.items():
            for file in state.dirty if state else ():
                session.out.line(f"{server}: {file.state:2} {file.path}")
            for words in (*state.warnings, *filter(None, (state.problem,))) if state else ():
                session.out.line(f"{server}: ! {words}")
    well = all(standing(definition, state, head)[1] == "ok" for state in states.values())
    return ExitCode.DONE if well else ExitCode.FAILED


async def _ask(session: Session, runtime: Runtime, servers: Sequence[str]) -> dict[str, dict[str, RepoState]]:
    """By server, then by name; a server that cannot say is left out and told of."""

    async def one(server: str) -> list[RepoState]:
        client: Any = await runtime.fleet.link(server).client()
        found: list[RepoState] = await client.repos()
        return found

    answers = await asyncio.gather(*map(one, servers), return_exceptions=True)
    found = {}
    for server, answer in zip(servers, answers, strict=True):
        if isinstance(answer, KomodoError):
            session.out.say(f"komodo-tui: {server} is left out: {answer.message}")
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found[server] = {state.name: state for state in answer}
    return found


def _row(
    name: str, server: str, state: RepoState | None, definition: RepoDefinition | None, head: BranchHead
) -> list[Cell]:
    words, tone = standing(definition, state, head)
    commit = state.commit if state is not None else None
    branch = state.branch if state is not None else definition.branch if definition is not None else ""
    last = f"{time_text(commit.when)} {commit.author}: {commit.subject}" if commit else ""
    return [
        Cell(name, "bold" if definition else "dim"), Cell(server), Cell(branch or "(main)"),
        Cell(commit.id[:10] if commit else "-"), Cell(words, _TONES[tone]), Cell(last),
    ]  # fmt: skip
