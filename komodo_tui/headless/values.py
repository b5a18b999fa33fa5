"""``secret``, ``var`` and ``registry``."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import ExitCode, UsageError
from komodo_tui.domain.values import LONGEST, ValueOperation, check_host, check_name, check_username, parse_scope
from komodo_tui.headless.acts import run
from komodo_tui.headless.session import not_reached, warn_away
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.login_checks import check_login
from komodo_tui.operations.values import Login
from komodo_tui.store.secrets import Secret

if TYPE_CHECKING:
    from komodo_tui.domain.values import ValueKind
    from komodo_tui.headless.session import Runtime, Session
    from komodo_tui.operations.values import Listed


_HEADINGS = {"variable": ("NAME", "SCOPE", "VALUE"), "secret": ("NAME", "SCOPE"), "registry": ("HOST", "USER")}


async def values(session: Session) -> int:
    """Set, list or remove; no server is connected."""
    arguments = session.arguments
    kind: ValueKind = "secret" if arguments.verb == "secret" else "variable"
    async with session.runtime() as runtime:
        if arguments.value_verb == "list":
            return await _list(session, runtime, kind)
        scope = parse_scope(arguments.scope)
        check_name(arguments.name)
        token, verb = "", "remove"
        if arguments.value_verb == "set":
            verb = "set"
            if not arguments.dry_run:
                token = runtime.values.hand_in(await _value(session, kind))
        operation = ValueOperation(
            verb="set" if verb == "set" else "remove", kind=kind, name=arguments.name, scope=scope, token=token
        )
        if words := runtime.values.shown(operation):
            session.out.say(f"komodo-tui: {operation.name} is {words}")
        try:
            return await run(session, runtime, operation)
        finally:
            runtime.values.drop(token)


async def _list(session: Session, runtime: Runtime, kind: ValueKind) -> int:
    found = [one for one in await asyncio.to_thread(runtime.values.listed) if one.kind == kind]
    if session.out.json:
        session.out.document(found)
        return ExitCode.DONE
    session.out.table([Column(text) for text in _HEADINGS[kind]], [[*map(Cell, _texts(one))] for one in found])
    return ExitCode.DONE


def _texts(one: Listed) -> tuple[str, ...]:
    if one.kind == "registry":
        return one.name, one.value
    scope = one.scope or "global"
    return (one.name, scope, one.value) if one.kind == "variable" else (one.name, scope)


async def registry(session: Session) -> int:
    """Keep, list or forget logins; no server is connected."""
    arguments = session.arguments
    if arguments.value_verb == "check":
        return await _check(session)
    async with session.runtime() as runtime:
        if arguments.value_verb == "list":
            return await _list(session, runtime, "registry")
        check_host(arguments.name)
        if arguments.value_verb == "logout":
            return await run(session, runtime, ValueOperation(verb="remove", kind="registry", name=arguments.name))
        check_username(arguments.username)
        token = ""
        if not arguments.dry_run:
            password = (await _value(session, "registry")).reveal()
            login = Login(username=arguments.username, password=password)
            token = runtime.values.hand_in(Secret(msgspec.json.encode(login).decode()))
        operation = ValueOperation(verb="set", kind="registry", name=arguments.name, token=token)
        try:
            return await run(session, runtime, operation)
        finally:
            runtime.values.drop(token)


async def _check(session: Session) -> int:
    """Whether the registry takes the login, as seen from each server."""
    host = session.arguments.name
    check_host(host)
    async with session.servers() as runtime:
        warn_away(session.out, runtime)
        servers = [name for name, live in runtime.fleet.state.servers.items() if live.engine_live]
        if not servers:
            raise not_reached("nothing was asked", list(runtime.fleet.state.servers.values()))
        found = await check_login(runtime.fleet, runtime.values, host, servers)
    if session.out.json:
        session.out.document([check._asdict() for check in found])
    else:
        rows = [
            [
                Cell(c.server),
                Cell("accepted" if c.accepted else "refused", "good" if c.accepted else "bad"),
                Cell(c.why),
            ]
            for c in found
        ]
        session.out.table([Column("SERVER"), Column("LOGIN"), Column("WHY", flexible=True)], rows)
    return ExitCode.DONE if all(check.accepted for check in found) else ExitCode.FAILED


async def _value(session: Session, kind: ValueKind) -> Secret:
    """From the command line (variables alone), a hidden prompt, or standard input."""
    given = getattr(session.arguments, "value", None)
    name = session.arguments.name
    if given is not None:
        return Secret(given)
    if session.asking.possible:
        hidden = kind != "variable"
        typed = await session.asking.ask(f"Value of {name}: ", echo=not hidden)
        if hidden and await session.asking.ask(f"Value of {name}, again: ", echo=False) != typed:
            raise UsageError("the two values differ", hint="try again")
        return Secret(typed or "")
    try:
        text = await asyncio.to_thread(sys.stdin.read, LONGEST + 2)
    except UnicodeDecodeError as error:
        raise UsageError("the value is no text", hint="encode it, with base64 say") from error
    return Secret(text.removesuffix("\n"))
