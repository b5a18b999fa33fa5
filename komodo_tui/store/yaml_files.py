"""YAML that people edit, read safely: limits on size and depth, no duplicate keys, errors that name file, line, key.

Only ``true`` and ``false`` are truth values, as in YAML 1.2: ``yes`` and ``no`` are words.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import yaml

from komodo_tui.domain.errors import UsageError
from komodo_tui.store.yaml_words import may_be, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_NODES = 100_000
"""Counted through aliases: a few hundred bytes of them can stand for millions of values."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>[^`]*)`(?: - at `(?P<path>[^`]*)`)?")
_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def read_yaml(path: Path, of: type[T]) -> T:
    """Read a file into a struct that forbids unknown fields. An empty file is an empty map.

    Raises:
        UsageError: it cannot be read, is no YAML, or does not fit; file, line and key are named.
    """
    return parse_yaml(read_content(path), of, name=str(path))


def read_content(path: Path) -> bytes:
    """The bytes of a file somebody named. Raises UsageError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def parse_yaml(content: bytes, of: type[T], *, name: str) -> T:
    """Like :func:`read_yaml`, for content that is at hand; ``name`` stands for the file in messages."""
    document = _Document(name)
    value = document.load(content)
    try:
        return msgspec.convert({} if value is None else value, of)
    except msgspec.ValidationError as error:
        raise document.misfit(str(error), of, value) from error


class _Document:
    """One file: its values, and the line each stands on."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: dict[tuple[str, ...], int] = {}
        self._nodes = 0

    def load(self, content: bytes) -> Any:
        if len(content) > MAX_BYTES:
            raise UsageError(f"{self._name} is larger than {MAX_BYTES >> 20} MiB")
        try:
            loader = _Loader(content)
            try:
                node = loader.get_single_node()
                return None if node is None else self._value(loader, node, ())
            finally:
                loader.dispose()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark is not None else ""
            what = getattr(error, "problem", None) or str(error).splitlines()[0]
            raise UsageError(f"{self._name}{where}: {what}") from error
        except (RecursionError, ValueError) as error:
            raise UsageError(f"{self._name}: nested too deeply, or not YAML") from error

    def _value(self, loader: Any, node: Any, path: tuple[str, ...]) -> Any:
        self._nodes += 1
        line = node.start_mark.line + 1
        self._lines.setdefault(path, line)
        if len(path) > MAX_DEPTH or self._nodes > MAX_NODES:
            raise UsageError(f"{self._name}, line {line}: nested too deeply, or too many values")
        if isinstance(node, yaml.SequenceNode):
            return [self._value(loader, child, (*path, str(n))) for n, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, path)
        return _scalar(loader, node)

    def _mapping(self, loader: Any, node: Any, path: tuple[str, ...]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, child in node.value:
            key = _scalar(loader, key_node)
            line = key_node.start_mark.line + 1
            if not isinstance(key, (str, int, float, bool)):
                raise UsageError(f"{self._name}, line {line}: a key has to be a word")
            if key in found:
                raise UsageError(f"{self._name}, line {line}: {key!r} stands there twice", hint="remove one")
            self._lines[(*path, str(key))] = line
            found[key] = self._value(loader, child, (*path, str(key)))
        return found

    def misfit(self, message: str, of: type, value: Any) -> UsageError:
        """The error for a value that msgspec refused."""
        unknown = _UNKNOWN.match(message)
        if unknown:
            field = unknown["field"]
            path = self._found(_steps(unknown["path"] or "$"), value, lambda there: _at(there, field) is not None)
            near = get_close_matches(field, _fields(of, path), n=1)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(_fields(of, path))}"
            return UsageError(
                f"{self._name}{self._line((*path, field))}: unknown key {'.'.join((*path, field))}", hint=hint
            )
        parts = _AT.match(message)
        what = parts["what"] if parts else message
        path = self._found(_steps(parts["path"] or "$") if parts else (), value, lambda there: may_be(what, there))
        for step in path:
            of = _inner(of, step)
        words, hint = told(".".join(path) or "the file", what, _below(value, path), of)
        return UsageError(f"{self._name}{self._line(path)}: {words}", hint=hint)

    def _line(self, path: tuple[str, ...]) -> str:
        """The line of the nearest part of the path that has one."""
        while path and path not in self._lines:
            path = path[:-1]
        return f", line {self._lines[path]}" if path in self._lines else ""

    def _found(self, path: tuple[str, ...], value: Any, test: Callable[[Any], bool]) -> tuple[str, ...]:
        """The path as the file has it: msgspec writes ``...`` for a key of a map, so what stands there has to fit."""
        fitting = [
            known
            for known in self._lines
            if len(known) == len(path) and all(b in (a, "...") for a, b in zip(known, path, strict=True))
        ]
        return next((known for known in fitting if test(_below(value, known))), fitting[0] if fitting else path)


def _scalar(loader: Any, node: Any) -> Any:
    if node.tag == "tag:yaml.org,2002:bool" and node.value.lower() not in ("true", "false"):
        return node.value
    return loader.construct_object(node)


def _at(value: Any, key: str) -> Any:
    """What stands under a key (which may be a number in the file) or at a place of a list; None = nothing."""
    if isinstance(value, list):
        return value[int(key)]
    return next((below for name, below in value.items() if str(name) == key), None) if isinstance(value, dict) else None


def _below(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = _at(value, step)
    return value


def _steps(path: str) -> tuple[str, ...]:
    """``$.confirm.tags[...].harm`` as its parts."""
    return tuple(name or index for name, index in _STEP.findall(path))


def _fields(of: Any, path: tuple[str, ...]) -> list[str]:
    """The fields of the struct at a path below ``of``; maps and lists are looked through."""
    for step in path:
        of = _inner(of, step)
    of = _struct(of)
    return [field.encode_name for field in msgspec.structs.fields(of)] if of is not None else []


def _inner(of: Any, step: str) -> Any:
    struct = _struct(of)
    if struct is not None:
        return next((field.type for field in msgspec.structs.fields(struct) if field.encode_name == step), None)
    arguments = getattr(of, "__args__", ())
    return (
        arguments[-1] if len(arguments) < 3 and arguments and arguments[-1] is not ... else next(iter(arguments), None)
    )


def _struct(of: Any) -> type[msgspec.Struct] | None:
    if isinstance(of, UnionType):  # a struct that may be left out
        return next((found for part in of.__args__ if (found := _struct(part)) is not None), None)
    return of if isinstance(of, type) and issubclass(of, msgspec.Struct) else None
