"""Every kind of step with its fields and what they mean, read from where they are defined: for forms and for help."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import msgspec

from komodo_tui.domain.procedures import model, steps

if TYPE_CHECKING:
    from types import ModuleType

_REFERENCE = re.compile(r"[;,.]?\s*[Ss]ee :\w+:`[^`]*`")
_COMMON = (steps.Step, steps.Spread)


class FieldHelp(NamedTuple):
    """One field."""

    name: str
    type: Any
    default: Any
    """:data:`msgspec.NODEFAULT` where it has to be given."""
    help: str
    common: bool
    """Many kinds have it."""


class KindHelp(NamedTuple):
    """One kind."""

    kind: str
    type: type[steps.Step]
    help: str
    dangerous: bool
    idempotent: bool
    fields: tuple[FieldHelp, ...]
    """Its own first."""


@cache
def kinds() -> dict[str, KindHelp]:
    """All of them, in the order of the list of kinds."""
    found = {}
    for info in msgspec.structs.fields(steps.StepEntry):
        kind = info.name
        (struct,) = (arg for arg in get_args(info.type) if arg is not type(None))
        fields = fields_of(struct)
        bare = _bare(struct, fields)
        found[kind] = KindHelp(
            kind, struct, _sentence(struct.__doc__ or ""), steps.dangerous(bare), steps.idempotent(bare), fields
        )
    return found


def _bare(struct: type[steps.Step], fields: tuple[FieldHelp, ...]) -> steps.Step:
    """One with nothing but what has to be given."""
    needed: dict[str, Any] = {field.name: "" for field in fields if field.default is msgspec.NODEFAULT}
    return struct(**needed)


@cache
def fields_of(struct: type[msgspec.Struct]) -> tuple[FieldHelp, ...]:
    """The fields of a struct: its own before those that it shares."""
    helps: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        module = inspect.getmodule(base)
        if module is not None and base.__name__ in _documented(module):
            helps |= _documented(module)[base.__name__]
    shared = {name for base in _COMMON if issubclass(struct, base) for name in base.__struct_fields__}
    found = [
        FieldHelp(info.name, info.type, _default(info), helps.get(info.name, ""), info.name in shared)
        for info in msgspec.structs.fields(struct)
    ]
    return tuple(sorted(found, key=lambda field: field.common))


def _default(info: msgspec.structs.FieldInfo) -> Any:
    if info.default is not msgspec.NODEFAULT:
        return info.default
    return info.default_factory() if callable(info.default_factory) else msgspec.NODEFAULT


@cache
def _documented(module: ModuleType) -> dict[str, dict[str, str]]:
    """By class and field: the text that stands below the field."""
    if module not in _sources():
        return {}
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        helps: dict[str, str] = {}
        for field, text in zip(node.body, [*node.body[1:], None], strict=True):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            constant = text.value if isinstance(text, ast.Expr) else None
            told = constant.value if isinstance(constant, ast.Constant) else ""
            helps[field.target.id] = _sentence(told) if isinstance(told, str) else ""
        found[node.name] = helps
    return found


@cache
def _sources() -> tuple[ModuleType, ...]:
    bases = [getattr(steps, name) for name in steps.__all__]
    modules = {inspect.getmodule(base) for base in bases if isinstance(base, type)}
    return (model, *(module for module in modules if module is not None))


def _sentence(text: str) -> str:
    """A docstring as plain words."""
    return " ".join(_REFERENCE.sub("", text).replace("``", "").split())
