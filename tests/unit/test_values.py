"""Variables and secrets: scopes, names, acts without values."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.domain.values import ValueOperation, check_username, full_name, parse_scope, registry_of, split_name
from komodo_tui.operations.values import Login, StoredValues, draft_value
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.secrets import Secret, SecretStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from komodo_tui.domain.values import ValueKind

PASSWORD = "correct horse battery"


@pytest.fixture
def values(tmp_path: Path) -> Iterator[StoredValues]:
    """Empty stores."""
    definitions = DefinitionStore(tmp_path / "definitions.json")
    yield StoredValues(definitions, SecretStore(tmp_path / "secrets.age", tmp_path / "identity.txt"))
    definitions.close()


def put(values: StoredValues, kind: ValueKind, name: str, value: str, scope: str = "") -> None:
    """Set one."""
    token = values.hand_in(Secret(value))
    values.change(ValueOperation(verb="set", kind=kind, name=name, scope=scope, token=token))


@pytest.mark.parametrize("scope", ["", "server:web-1", "server:a.b.c", "stack:shop", "stack:server.x"])
def test_full_names_come_apart_again(scope: str) -> None:
    assert split_name(full_name(scope, "TOKEN")) == (scope, "TOKEN")


@pytest.mark.parametrize("scope", ["web-1", "host:x", "server:", "server", "stack:a b", "server:../x"])
def test_scopes_that_are_none(scope: str) -> None:
    with pytest.raises(UsageError):
        parse_scope(scope)


def test_the_server_goes_before_the_stack_and_the_stack_before_all(values: StoredValues) -> None:
    put(values, "variable", "TAG", "everywhere")
    put(values, "secret", "TAG", "stack", "stack:shop")
    put(values, "variable", "TAG", "server", "server:web-1")
    assert values.lookup("shop", "web-1")("TAG") == ("server", False)
    assert values.lookup("shop", "web-2")("TAG") == ("stack", True)
    assert values.lookup("blog", "web-2")("TAG") == ("everywhere", False)
    assert values.lookup("blog", "web-2")("NONE") is None


def test_a_value_is_used_once_and_an_empty_one_not_at_all(values: StoredValues) -> None:
    token = values.hand_in(Secret("x"))
    operation = ValueOperation(verb="set", kind="variable", name="A", token=token)
    values.change(operation)
    with pytest.raises(RefusedError):
        values.change(operation)
    for bad in ("", "a\0b", "x" * (65 << 10)):
        with pytest.raises(UsageError):
            values.hand_in(Secret(bad))


def test_plans_refuse_the_other_kind_and_what_is_not_there(values: StoredValues) -> None:
    put(values, "secret", "TOKEN", PASSWORD)
    with pytest.raises(RefusedError, match="is a secret"):
        draft_value(ValueOperation(verb="set", kind="variable", name="TOKEN"), values)
    with pytest.raises(NotFoundError):
        draft_value(ValueOperation(verb="remove", kind="variable", name="TOKEN"), values)
    with pytest.raises(NotFoundError):
        draft_value(ValueOperation(verb="remove", kind="secret", name="TOKEN", scope="stack:shop"), values)
    with pytest.raises(UsageError):
        draft_value(ValueOperation(verb="set", kind="secret", name="a-b"), values)
    step = draft_value(ValueOperation(verb="set", kind="secret", name="TOKEN"), values).steps[0]
    assert "is lost" in step.warning


def test_a_secret_too_short_to_be_masked_is_told(values: StoredValues) -> None:
    for text, short in (("abc", True), ("abcd", False)):
        operation = ValueOperation(verb="set", kind="secret", name="PIN", token=values.hand_in(Secret(text)))
        assert ("not masked" in draft_value(operation, values).steps[0].warning) == short
    variable = ValueOperation(verb="set", kind="variable", name="PIN", token=values.hand_in(Secret("1")))
    assert values.shown(variable) == ""


def test_lists_never_have_secrets(values: StoredValues) -> None:
    put(values, "secret", "TOKEN", PASSWORD, "stack:shop")
    put(values, "variable", "TAG", "1")
    assert [(one.kind, one.scope, one.name, one.value) for one in values.listed()] == [
        ("variable", "", "TAG", "1"), ("secret", "stack:shop", "TOKEN", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("nginx", "docker.io"), ("library/nginx:1", "docker.io"), ("docker.io/library/nginx", "docker.io"),
        ("ghcr.io/a/b:1", "ghcr.io"), ("localhost/x", "localhost"), ("reg:5000/x@sha256:00", "reg:5000"),
        ("index.docker.io/x/y", "docker.io"),
    ],
)  # fmt: skip
def test_the_registry_of_an_image(image: str, host: str) -> None:
    assert registry_of(image) == host


def test_a_login_serves_its_registry_alone_and_no_name_reaches_it(values: StoredValues) -> None:
    login = msgspec.json.encode(Login(username="ana", password=PASSWORD)).decode()
    put(values, "registry", "reg.example:5000", login)
    auth = json.loads(base64.urlsafe_b64decode(values.registry_auth("reg.example:5000/shop/api:1")))
    assert auth == {"username": "ana", "password": PASSWORD, "serveraddress": "reg.example:5000"}
    assert values.registry_auth("reg.example/shop/api:1") == ""
    assert values.registry_auth("nginx") == ""
    assert [(one.kind, one.name, one.value) for one in values.listed()] == [("registry", "reg.example:5000", "ana")]
    assert values.lookup("shop", "web-1")("registry.reg.example_5000") is None
    assert PASSWORD not in repr(Login(username="ana", password=PASSWORD))


def test_the_command_line_keeps_a_secret_out_of_everything(tmp_path: Path) -> None:
    def program(*words: str, given: str = "", code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "komodo_tui", *words], env={**os.environ, "KOMODO_TUI_HOME": str(tmp_path)},
            input=given, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout + done.stderr

    said = program("secret", "set", "TOKEN", "--scope", "stack:shop", "--json", given=f"{PASSWORD}\n")
    said += program("secret", "list", "--json") + program("actions", "--json")
    assert '"TOKEN"' in said
    assert PASSWORD not in said
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or PASSWORD.encode() not in file.read_bytes(), file
    program("secret", "set", "TOKEN", PASSWORD, given="", code=2)  # never an argument
    program("secret", "rm", "TOKEN", code=1)
    program("secret", "rm", "TOKEN", "--scope", "stack:shop", code=4)
    program("secret", "rm", "TOKEN", "--scope", "stack:shop", "--yes")
    program("var", "set", "TAG", "1.9")
    assert json.loads(program("var", "list", "--json")) == [
        {"kind": "variable", "scope": "", "name": "TAG", "value": "1.9"}
    ]


@pytest.mark.parametrize("name", ["", " ", "ana:lee", "ana\nroot:x", "a\0b"])
def test_what_is_no_user_of_a_registry(name: str) -> None:
    """A colon ends the name in a login and in a file of passwords; a line end would make another user there."""
    with pytest.raises(UsageError):
        check_username(name)
    check_username("robot$shop+ci@example.com")
