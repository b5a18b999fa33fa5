"""The definitions: servers, and later stacks, builds, repos, procedures, in one file that people can read.

Every document carries a revision. A change names the revision it was made from; if another is on disk by then, it is
refused and nothing is overwritten. What this version does not know (kinds, fields) is kept as it is.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from tinydb import TinyDB
from tinydb.table import Document

from komodo_tui.domain.alerters import Alerter
from komodo_tui.domain.builds import BuildDefinition
from komodo_tui.domain.errors import NotFoundError, RefusedError, StoreError
from komodo_tui.domain.log_rules import LogRule
from komodo_tui.domain.repos import RepoDefinition
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.single import DeploymentDefinition
from komodo_tui.domain.stacks import StackDefinition
from komodo_tui.domain.syncs import SyncDefinition
from komodo_tui.domain.values import VariableDefinition
from komodo_tui.store.documents import LockedStorage, LockedTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

T = TypeVar("T", bound=msgspec.Struct)

SCHEMA = 1
_META = "_meta"
_TABLES = {"server": "servers", "stack": "stacks", "procedure": "procedures", "variable": "variables",
           "repo": "repos", "deployment": "deployments", "build": "builds",
           "sync": "syncs", "alerter": "alerters", "maintenance": "maintenance",
           "log_rule": "log_rules"}  # fmt: skip
_TYPES: dict[str, type[msgspec.Struct]] = {
    "server": ServerDefinition,
    "stack": StackDefinition,
    "variable": VariableDefinition,
    "repo": RepoDefinition,
    "deployment": DeploymentDefinition,
    "build": BuildDefinition,
    "sync": SyncDefinition,
    "alerter": Alerter,
    "log_rule": LogRule,
}


class ConflictError(RefusedError):
    """Somebody changed it since it was read."""


class Stored(msgspec.Struct, Generic[T], frozen=True):
    """A definition and the revision it stands at."""

    value: T
    rev: int


class DefinitionStore:
    """All definitions. Every call is synchronous and safe from any thread and process."""

    def __init__(self, path: Path) -> None:
        self._storage = LockedStorage(path)
        self._database = _Database(self._storage)

    @property
    def notices(self) -> list[str]:
        """What was damaged on disk and mended; empty when all is well."""
        return list(self._storage.notices)

    def servers(self) -> list[Stored[ServerDefinition]]:
        """All servers, by name. One that cannot be read is left out and told by :meth:`problems`."""
        return self.all("server", ServerDefinition)

    def all(self, kind: str, of: type[T]) -> list[Stored[T]]:
        """All definitions of a kind, by name."""
        found = []
        for name, document in sorted(self._documents(kind).items()):
            try:
                found.append(Stored(_read(kind, name, document, of), _rev(document)))
            except msgspec.ValidationError:
                continue
        return found

    def get(self, kind: str, name: str, of: type[T]) -> Stored[T] | None:
        """One definition, or None.

        Raises:
            StoreError: it is there and cannot be read.
        """
        document = self._documents(kind).get(name)
        if document is None:
            return None
        try:
            return Stored(_read(kind, name, document, of), _rev(document))
        except msgspec.ValidationError as error:
            raise StoreError(f"the {kind} {name} cannot be read: {error}", hint="mend it in the file") from error

    def problems(self) -> list[str]:
        """Definitions that cannot be read, each with the reason."""
        found = []
        types = dict(_TYPES)
        if self._documents("maintenance"):
            from komodo_tui.domain.maintenance import MaintenanceDefinition  # late: it loads what reads schedules

            types["maintenance"] = MaintenanceDefinition
        for kind, of in types.items():
            for name, document in sorted(self._documents(kind).items()):
                try:
                    _read(kind, name, document, of)
                except msgspec.ValidationError as error:
                    found.append(f"{kind} {name}: {error}")
        return found

    def put(self, kind: str, name: str, value: msgspec.Struct, rev: int | None) -> int:
        """Save a definition and return its new revision. ``rev`` None means: it must be new.

        Raises:
            ConflictError: it exists already, is gone, or stands at another revision.
            StoreError: the file cannot be written.
        """
        fields = msgspec.to_builtins(value)
        new = (rev or 0) + 1

        def change(table: dict[str, Mapping[str, Any]]) -> None:
            old = table.get(name)
            _check(kind, name, old, rev)
            unknown = {k: v for k, v in (old or {}).items() if k not in type(value).__struct_fields__}
            table[name] = {**unknown, **fields, "rev": new, "changed": time.time()}

        self._change(kind, change)
        return new

    def delete(self, kind: str, name: str, rev: int | None) -> None:
        """Remove a definition. ``rev`` None means: whatever revision it stands at.

        Raises:
            NotFoundError: there is none of that name.
            ConflictError: it stands at another revision.
        """

        def change(table: dict[str, Mapping[str, Any]]) -> None:
            if name not in table:
                raise NotFoundError(f"there is no {kind} {name}")
            if rev is not None:
                _check(kind, name, table[name], rev)
            del table[name]

        self._change(kind, change)

    def close(self) -> None:
        """Give the file back."""
        self._database.close()

    def _documents(self, kind: str) -> Mapping[str, Mapping[str, Any]]:
        table = self._storage.read().get(_TABLES[kind], {})
        return {name: document for name, document in table.items() if isinstance(document, dict)}

    def _change(self, kind: str, change: Any) -> None:
        with self._storage.exclusive():
            self._check_schema()
            table = self._database.table(_TABLES[kind])
            table._update_table(change)

    def _check_schema(self) -> None:
        meta = self._storage.read().get(_META, {}).get("schema")
        version = meta.get("version") if isinstance(meta, dict) else None
        if version is None:
            self._database.table(_META).upsert(Document({"version": SCHEMA}, "schema"))  # type: ignore[arg-type]
        elif not isinstance(version, int) or version > SCHEMA:
            raise StoreError(
                f"{self._storage.path} was written by a newer komodo-tui (schema {version})",
                hint="update komodo-tui on this machine; nothing was changed",
            )


class _Database(TinyDB):
    """TinyDB over an open storage, with our tables."""

    table_class = LockedTable

    def __init__(self, storage: LockedStorage) -> None:
        super().__init__(storage=lambda: storage)


def _read(kind: str, name: str, document: Mapping[str, Any], of: type[T]) -> T:
    known = {key: value for key, value in document.items() if key in of.__struct_fields__}
    return msgspec.convert({"name": name, **known}, of)


def _rev(document: Mapping[str, Any]) -> int:
    rev = document.get("rev")
    return rev if isinstance(rev, int) else 0


def _check(kind: str, name: str, old: Mapping[str, Any] | None, rev: int | None) -> None:
    if rev is None and old is not None:
        raise ConflictError(f"there is a {kind} {name} already", hint="edit it, or choose another name")
    if rev is not None and old is None:
        raise ConflictError(f"the {kind} {name} was removed meanwhile", hint="add it anew if you still want it")
    if rev is not None and old is not None and _rev(old) != rev:
        raise ConflictError(
            f"the {kind} {name} was changed meanwhile (revision {_rev(old)}, yours was made from {rev})",
            hint="look at it again and repeat your change",
        )
