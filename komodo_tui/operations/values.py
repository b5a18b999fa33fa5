"""Variables and secrets: kept, listed, looked up for ``[[NAME]]``, and changed by acts that never hold a value."""

from __future__ import annotations

import asyncio
import base64
import shlex
import time
import uuid
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import KomodoError, NotFoundError, RefusedError, UsageError
from komodo_tui.domain.interpolation import BUILD, Value, scoped
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.values import (
    DOCKER_HUB,
    LONGEST,
    SHORTEST_MASKED,
    ValueKind,
    VariableDefinition,
    check_host,
    check_name,
    check_scope,
    registry_host,
    registry_name,
    registry_of,
    scope_words,
    split_name,
)
from komodo_tui.operations.container_plans import Draft
from komodo_tui.operations.outcomes import cancelled, done, failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.interpolation import Lookup
    from komodo_tui.domain.operations import StepResult
    from komodo_tui.domain.values import ValueOperation
    from komodo_tui.operations.job_steps import Report
    from komodo_tui.store.definitions import DefinitionStore
    from komodo_tui.store.secrets import Secret, SecretStore

_KIND = "variable"
_HUB_ADDRESS = "https://index.docker.io/v1/"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """The login of a registry, as the secrets keep it."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Login(username={self.username!r})"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One of them, as lists show it."""

    kind: ValueKind
    scope: str
    name: str
    value: str = ""
    """Of a variable; the user's name of a login; a secret's is never told."""


class StoredValues:
    """All of them. Synchronous but for its users; raises StoreError where a file cannot be read or written."""

    def __init__(
        self, definitions: DefinitionStore, secrets: SecretStore, built: Callable[[str], str] | None = None
    ) -> None:
        """``built`` finds the image of a build, by the build's name; empty where it was never built."""
        self._built = built
        self._definitions = definitions
        self._secrets = secrets
        self._handed_in: dict[str, Secret] = {}

    def hand_in(self, value: Secret) -> str:
        """Leave a value for the operation that will set it; returns its token.

        Raises:
            UsageError: it is empty or too long, or has a zero byte.
        """
        text = value.reveal()
        if not text:
            raise UsageError("the value is empty", hint="remove it instead")
        if len(text) > LONGEST or "\0" in text:
            raise UsageError(f"the value has more than {LONGEST} characters, or a zero byte")
        token = uuid.uuid4().hex
        self._handed_in[token] = value
        return token

    def shown(self, operation: ValueOperation) -> str:
        """What to say where a secret that was handed in is too short to be masked; else nothing."""
        value = self._handed_in.get(operation.token)
        if operation.kind != "secret" or value is None or len(value.reveal()) >= SHORTEST_MASKED:
            return ""
        return f"shorter than {SHORTEST_MASKED} characters: it is not masked where a program prints it"

    def drop(self, token: str) -> None:
        """Forget a value that was handed in and not used."""
        self._handed_in.pop(token, None)

    def listed(self) -> list[Listed]:
        """All of them, the global ones first, by scope and name."""
        found = []
        for stored in self._definitions.all(_KIND, VariableDefinition):
            scope, name = split_name(stored.value.name)
            found.append(Listed(kind="variable", scope=scope, name=name, value=stored.value.value))
        for full in self._secrets.names():
            if host := registry_host(full):
                found.append(Listed(kind="registry", scope="", name=host, value=self._login(host).username))
                continue
            scope, name = split_name(full)
            found.append(Listed(kind="secret", scope=scope, name=name))
        return sorted(found, key=lambda one: (one.scope, one.name, one.kind))

    def kind_of(self, full: str) -> ValueKind | None:
        """What stands under this full name; None for nothing."""
        if self._definitions.get(_KIND, full, VariableDefinition) is not None:
            return "variable"
        if full not in self._secrets.names():
            return None
        return "registry" if registry_host(full) else "secret"

    def registry_auth(self, image: str) -> str:
        """What ``X-Registry-Auth`` takes for this image: a secret. Empty where no login is kept for its registry."""
        host = registry_of(image)
        if registry_name(host) not in self._secrets.names():
            return ""
        login = self._login(host)
        address = _HUB_ADDRESS if host == DOCKER_HUB else host
        document = {"username": login.username, "password": login.password, "serveraddress": address}
        return base64.urlsafe_b64encode(msgspec.json.encode(document)).decode()

    def _login(self, host: str) -> Login:
        try:
            return msgspec.json.decode(self._secrets.get(registry_name(host)).reveal(), type=Login)
        except msgspec.MsgspecError:
            return Login(username="", password="")

    def lookup(self, stack: str, server: str) -> Lookup:
        """For one stack on one server; reads the stores at the first name and keeps the names there are."""
        names: list[set[str]] = []

        def find(full: str) -> Value | None:
            if not names:
                names.append(set(self._secrets.names()))
            if registry_host(full):
                return None
            if full in names[0]:
                return Value(self._secrets.get(full).reveal(), secret=True)
            variable = self._definitions.get(_KIND, full, VariableDefinition)
            return Value(variable.value.value) if variable is not None else None

        inner = scoped(stack, server, find)

        def look(name: str) -> Value | None:
            if not name.startswith(BUILD):
                return inner(name)
            image = self._built(name.removeprefix(BUILD)) if self._built is not None else ""
            return Value(image) if image else None

        return look

    def change(self, operation: ValueOperation) -> None:
        """Write it. Raises NotFoundError, RefusedError."""
        full = operation.full_name
        if operation.verb == "set":
            value = self._handed_in.pop(operation.token, None)
            if value is None:
                raise RefusedError(f"the value of {operation.name} is not there any more", hint="give it again")
            if operation.kind != "variable":
                self._secrets.set(full, value)
                return
            stored = self._definitions.get(_KIND, full, VariableDefinition)
            rev = stored.rev if stored is not None else None
            self._definitions.put(_KIND, full, VariableDefinition(name=full, value=value.reveal()), rev)
        elif operation.kind != "variable":
            self._secrets.delete(full)
        else:
            self._definitions.delete(_KIND, full, None)


def draft_value(operation: ValueOperation, values: StoredValues) -> Draft:
    """Check a change against what there is.

    Raises:
        UsageError: name or scope cannot be used.
        NotFoundError: nothing of that name is there to remove.
        RefusedError: the other kind has that name.
    """
    if operation.kind == "registry":
        return _draft_login(operation, values)
    check_name(operation.name)
    check_scope(operation.scope)
    there = values.kind_of(operation.full_name)
    where = scope_words(operation.scope)
    if operation.verb == "remove" and there != operation.kind:
        raise NotFoundError(f"there is no {operation.kind} {operation.name} ({where})")
    if there not in (None, operation.kind):
        raise RefusedError(f"{operation.name} ({where}) is a {there}", hint=f"remove the {there} first")
    warnings = ["the value it has now is lost"] if there else []
    warnings += [words] if (words := values.shown(operation)) else []
    verb, program = operation.verb, "secret" if operation.kind == "secret" else "var"
    scope = ["--scope", operation.scope] if operation.scope else []
    step = PlanStep(
        # No server for most: the scope stands in its place, so that the history tells where a value counts.
        target=Target(server=operation.scope.removeprefix("server:") or "global", name=operation.name),
        text=f"{verb} {operation.kind} {operation.name} ({where})",
        command=shlex.join(["komodo-tui", program, "rm" if verb == "remove" else "set", operation.name, *scope]),
        warning="; ".join(warnings),
    )  # fmt: skip
    undo = "nothing brings the value back" if operation.kind == "secret" else "set it to what it was"
    title = f"{verb.capitalize()} {operation.kind} {operation.name} ({where})"
    return Draft(title, f"{verb} {operation.kind}", (step,), undo if there else "remove it")


def _draft_login(operation: ValueOperation, values: StoredValues) -> Draft:
    host, verb = operation.name, operation.verb
    check_host(host)
    there = values.kind_of(operation.full_name) is not None
    if verb == "remove" and not there:
        raise NotFoundError(f"no login is kept for {host}")
    step = PlanStep(
        target=Target(server="global", name=host),
        text=f"{'keep the login' if verb == 'set' else 'forget the login'} of registry {host}",
        command=shlex.join(["komodo-tui", "registry", "login" if verb == "set" else "logout", host]),
        warning="the login it has now is lost" if there else "",
    )
    return Draft(f"{verb.capitalize()} login of {host}", f"{verb} registry", (step,), "log in again")


class ValueStep:
    """One change; an act's only step."""

    def __init__(self, operation: ValueOperation, target: Target, values: StoredValues, report: Report) -> None:
        self.target = target
        self._operation = operation
        self._values = values
        self._report = report
        self._cancelled = False

    async def run(self) -> StepResult:
        """Do it."""
        if self._cancelled:
            self._values.drop(self._operation.token)
            return cancelled(self.target)
        began = time.monotonic()
        try:
            await asyncio.to_thread(self._values.change, self._operation)
            result = done(self.target)
        except KomodoError as error:
            result = failed(self.target, error)
        self._report("done" if result.ok else "failed", result.error)
        return msgspec.structs.replace(result, seconds=round(time.monotonic() - began, 3))

    async def cancel(self) -> None:
        """Do not begin."""
        self._cancelled = True
