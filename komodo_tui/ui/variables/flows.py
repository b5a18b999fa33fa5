"""From a key to a changed variable or secret. A value goes straight from its field to the store's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import RefusedError, UsageError
from komodo_tui.domain.units import count_text
from komodo_tui.domain.values import ValueOperation, check_host, check_name, check_username, parse_scope, scope_words
from komodo_tui.operations.login_checks import check_login
from komodo_tui.operations.values import Login
from komodo_tui.store.secrets import Secret
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.resources.flows import checker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.domain.values import ValueKind
    from komodo_tui.operations.values import Listed, StoredValues
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

    Done = Callable[[ActionRecord], None]


async def new(shell: Shell, values: StoredValues, scopes: Sequence[str], done: Done) -> None:
    """Set one that is not there yet, or another value of one that is."""
    items = [
        MenuItem("secret", "secret", "s", "encrypted on disk, never shown"),
        MenuItem("variable", "variable", "v", "shown to everybody here"),
        MenuItem("registry", "registry login", "r", "for pulls on every server"),
    ]
    picked = await shell.ask(MenuDialog("Set a", items))
    if picked == "registry":
        await _log_in(shell, values, done)
    elif picked is not None:
        await _set(shell, values, "secret" if picked == "secret" else "variable", scopes, done)


async def edit(shell: Shell, values: StoredValues, row: Listed, done: Done) -> None:
    """Another value for this one."""
    if row.kind == "registry":
        await _log_in(shell, values, done, row)
        return
    await _set(shell, values, row.kind, (), done, row)


async def _set(
    shell: Shell, values: StoredValues, kind: ValueKind, scopes: Sequence[str], done: Done, row: Listed | None = None
) -> None:
    form = FormDialog(f"Set {kind}" + (f" {row.name}" if row else ""), _fields(kind, scopes, row), verb="set",
                      check=_alike)  # fmt: skip
    given = await shell.ask(form)
    if given is None:
        return
    operation = ValueOperation(
        verb="set", kind=kind, name=row.name if row else given["name"],
        scope=row.scope if row else parse_scope(given["scope"]), token=values.hand_in(Secret(str(given["value"]))),
    )  # fmt: skip
    await _run(shell, values, operation, done)


async def _run(shell: Shell, values: StoredValues, operation: ValueOperation, done: Done) -> None:
    words = values.shown(operation)
    try:
        record = await shell.acts.run(operation)
    finally:
        values.drop(operation.token)
    if record is not None:
        done(record)
        if words and record.outcome == "success":
            shell.flash(f"{operation.name} is {words}", "warn")


async def _log_in(shell: Shell, values: StoredValues, done: Done, row: Listed | None = None) -> None:
    fields = [
        Field("host", "registry", value=row.name if row else "", read_only=row is not None, check=checker(check_host),
              help="docker.io for Docker Hub, ghcr.io, registry.example:5000"),
        Field("username", "user", value=row.value if row else "", check=checker(check_username)),
        Field("password", "password", "secret", help="or a token; it is not shown, here or later"),
    ]  # fmt: skip
    given = await shell.ask(FormDialog("Registry login", fields, verb="keep", check=_login_wrong))
    if given is not None:
        login = Login(username=given["username"], password=given["password"])
        token = values.hand_in(Secret(msgspec.json.encode(login).decode()))
        await _run(shell, values, ValueOperation(verb="set", kind="registry", name=given["host"], token=token), done)


def _login_wrong(values: dict[str, object]) -> dict[str, str]:
    return {name: f"it needs a {name}" for name in ("username", "password") if not values[name]}


def _fields(kind: ValueKind, scopes: Iterable[str], row: Listed | None) -> list[Field]:
    fields = []
    if row is None:
        fields = [
            Field("name", "name", check=_name_wrong, help="as [[NAME]] has it"),
            Field("scope", "scope", value="global", suggestions=tuple(scopes), check=checker(parse_scope),
                  help="global, server:NAME or stack:NAME"),
        ]  # fmt: skip
    if kind == "variable":
        return [*fields, Field("value", "value", value=row.value if row else "")]
    return [*fields, Field("value", "value", "secret", help="it is not shown, here or later"),
            Field("again", "again", "secret")]  # fmt: skip


def _alike(values: dict[str, object]) -> dict[str, str]:
    if not values["value"]:
        return {"value": "it needs a value"}
    return {"again": "the two differ"} if values.get("again", values["value"]) != values["value"] else {}


def _name_wrong(text: str) -> str:
    try:
        check_name(text)
    except UsageError as error:
        return error.hint
    return ""


async def remove(shell: Shell, rows: Sequence[Listed], done: Done) -> None:
    """Remove these, one act each."""
    for row in rows:
        operation = ValueOperation(verb="remove", kind=row.kind, name=row.name, scope=row.scope)
        record = await shell.acts.run(operation)
        if record is None:
            return
        done(record)


async def check(shell: Shell, runtime: Runtime, host: str) -> None:
    """Try a login that is kept from each server, and say that it is taken everywhere.

    Raises:
        NotFoundError: none is kept. RefusedError: it is not taken, or could not be tried, from one of them.
    """
    servers = [name for name, live in runtime.fleet.state.servers.items() if live.engine_live]
    if not servers:
        shell.flash("no server with an engine is there to try it from", "warn")
        return
    shell.flash(f"trying the login of {host} from {count_text(len(servers), 'server')}", "busy")
    found = await check_login(runtime.fleet, runtime.values, host, servers)
    refused = [one for one in found if not one.accepted]
    if refused:
        why = "; ".join(f"from {one.server}: {one.why}" for one in refused)
        raise RefusedError(f"the login of {host} is not taken: {why}", hint="E sets another password")
    shell.flash(f"{host} takes the login, from {', '.join(servers)}", "ok")


async def copy(shell: Shell, row: Listed) -> None:
    """Copy the reference, the name, or a variable's value."""
    texts = {"reference": f"[[{row.name}]]", "name": row.name, "value": row.value}
    items = [
        MenuItem("reference", "reference", "r", texts["reference"]), MenuItem("name", "name", "n", row.name),
        MenuItem("value", "value", "v", row.value, "a secret's value is not shown" if row.kind == "secret" else ""),
    ]  # fmt: skip
    picked = await shell.ask(MenuDialog(f"Copy {row.name} ({scope_words(row.scope)})", items))
    if picked is not None:
        shell.copy(texts[picked], picked)
