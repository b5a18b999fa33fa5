"""Secrets: one file in the age format (age-encryption.org/v1), or references to where others keep them.

The identity that opens the file lies beside the settings, mode 0600; the stock ``age`` tool reads both. A value is a
:class:`Secret`, which shows itself to nobody: it has to be asked for.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import NotFoundError, StoreError, UsageError
from komodo_tui.store.atomic import write_atomic
from komodo_tui.store.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")


class Secret:
    """A value that neither ``str`` nor ``repr`` gives away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: for the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


class SecretStore:
    """The secrets of one state directory. Synchronous, safe between processes."""

    def __init__(self, path: Path, identity: Path) -> None:
        self._path = path
        self._identity = identity
        self._lock = FileLock(path.with_name(path.name + ".lock"))

    def names(self) -> list[str]:
        """The names there are."""
        return sorted(self._read())

    def get(self, name: str) -> Secret:
        """One secret.

        Raises:
            NotFoundError: there is none of that name.
            StoreError: the file or the identity cannot be read.
        """
        values = self._read()
        if name not in values:
            raise NotFoundError(f"there is no secret {name}", hint=f"komodo-tui secret set {name}")
        return Secret(values[name])

    def set(self, name: str, value: Secret) -> None:
        """Save one."""
        if not _NAME.fullmatch(name):
            raise UsageError(f"secret name {name!r} cannot be used", hint="letters, digits, dot, dash, underscore")

        def change(values: dict[str, str]) -> None:
            values[name] = value.reveal()

        self._change(change)

    def delete(self, name: str) -> None:
        """Remove one; NotFoundError when there is none."""

        def change(values: dict[str, str]) -> None:
            if values.pop(name, None) is None:
                raise NotFoundError(f"there is no secret {name}")

        self._change(change)

    def _change(self, change: Callable[[dict[str, str]], None]) -> None:
        import pyrage

        with self._lock:
            values = self._read()
            change(values)
            identity = pyrage.x25519.Identity.from_str(self._load_identity(create=True))
            content = json.dumps(values, ensure_ascii=False).encode()
            write_atomic(self._path, pyrage.encrypt(content, [identity.to_public()]))

    def _read(self) -> dict[str, str]:
        import pyrage

        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StoreError(f"{self._path} cannot be read: {error.strerror}") from error
        identity = pyrage.x25519.Identity.from_str(self._load_identity(create=False))
        try:
            values = json.loads(pyrage.decrypt(content, [identity]))
        except (pyrage.DecryptError, ValueError) as error:
            raise StoreError(
                f"{self._path} cannot be opened with {self._identity}", hint="put the identity back that wrote it"
            ) from error
        return {str(name): str(value) for name, value in values.items()}

    def _load_identity(self, *, create: bool) -> str:
        import pyrage

        if not self._identity.exists() and create and not self._path.exists():
            write_atomic(self._identity, f"{pyrage.x25519.Identity.generate()}\n".encode())
        try:
            if self._identity.stat().st_mode & 0o077:
                raise StoreError(f"{self._identity} can be read by others", hint=f"chmod 600 {self._identity}")
            lines = self._identity.read_text().splitlines()
        except OSError as error:
            raise StoreError(f"the identity {self._identity} cannot be read: {error.strerror}") from error
        return next((line.strip() for line in lines if line.startswith("AGE-SECRET-KEY-")), "")


def resolve_reference(reference: str, store: SecretStore | None = None) -> Secret:
    """A secret kept elsewhere: ``env:NAME``, ``file:/path``, ``cmd:program argument…``, or ``secret:NAME`` of ours.

    Raises:
        NotFoundError: it is not there. UsageError: no such kind. Messages name the reference, never the value.
    """
    kind, _, rest = reference.partition(":")
    if kind == "secret" and store is not None:
        return store.get(rest)
    if kind == "env":
        if rest not in os.environ:
            raise NotFoundError(f"the environment has no {rest}")
        return Secret(os.environ[rest])
    if kind == "file":
        try:
            with open(rest, encoding="utf-8") as file:
                return Secret(file.read().rstrip("\n"))
        except (OSError, UnicodeDecodeError) as error:
            raise NotFoundError(f"the secret's file {rest} cannot be read") from error
    if kind == "cmd":
        return _run(rest)
    raise UsageError(f"{kind}: is no kind of secret", hint="env:, file:, cmd: or secret:")


def _run(command: str) -> Secret:
    import shlex

    try:
        done = subprocess.run(shlex.split(command), capture_output=True, timeout=30, check=True, text=True)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise NotFoundError(f"the secret's command {shlex.split(command)[:1]} failed") from error
    return Secret(done.stdout.rstrip("\n"))
