"""The fields of a step, a stage or a procedure as a form, and back. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

import msgspec

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.procedures.reference import fields_of
from komodo_tui.domain.procedures.steps import Words
from komodo_tui.ui.modals.form import Field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from komodo_tui.domain.procedures.reference import FieldHelp

S = TypeVar("S", bound=msgspec.Struct)

LEADING = ("match", "container", "stack", "repo", "build", "sync", "volume", "image", "what", "command", "script",
           "file", "folder", "message", "seconds", "values", "procedure", "healthy", "http", "tcp", "log",
           "containers", "servers")  # fmt: skip
"""Fields that say most about a step: they come first."""
_LONG = frozenset({"script"})
_NESTED = frozenset({"steps", "stages"})
_YES = {"": None, "yes": True, "no": False}


def form_fields(value: msgspec.Struct, suggestions: Mapping[str, Sequence[str]], leave: Sequence[str] = ()) -> list[
    Field
]:  # fmt: skip
    """One field of a form for each of the struct, with what stands in it now."""
    helps = sorted(fields_of(type(value)), key=lambda help: LEADING.index(help.name) if help.name in LEADING else 99)
    return [
        _field(help, getattr(value, help.name), tuple(suggestions.get(help.name, ())))
        for help in helps
        if help.name not in _NESTED and help.name not in leave
    ]


def _field(help: FieldHelp, value: Any, suggestions: tuple[str, ...]) -> Field:
    label = help.name.replace("_", " ")
    if help.type is bool:
        return Field(help.name, label, "bool", value=bool(value), help=help.help)
    if get_origin(help.type) is Literal:
        choices = tuple((str(choice), str(choice) or "as it is defined") for choice in get_args(help.type))
        return Field(help.name, label, "choice", value=str(value), help=help.help, choices=choices)
    if help.type == bool | None:
        now = "" if value is None else "yes" if value else "no"
        return Field(help.name, label, "choice", value=now, help=help.help,
                     choices=(("", "as its kind is"), ("yes", "yes"), ("no", "no")))  # fmt: skip
    if get_origin(help.type) is dict or help.name in _LONG:
        told = help.help or ("NAME=VALUE, one a line" if help.name not in _LONG else "")
        return Field(help.name, label, "lines", value=as_text(value), help=told)
    check = _number if help.type is int else None
    return Field(help.name, label, value=as_text(value), help=help.help, suggestions=suggestions, check=check)


def as_text(value: Any) -> str:
    """A value as it stands in one field."""
    if isinstance(value, dict):
        return "\n".join(f"{key}={text}" for key, text in value.items())
    if isinstance(value, tuple):
        return shlex.join(value) if any(_odd(word) for word in value) else " ".join(value)
    return str(value)


def _odd(word: str) -> bool:
    return not word or any(letter.isspace() or letter in "\"'\\," for letter in word)


def blamed(names: Sequence[str], told: str) -> str:
    """The field that a message is about: it begins with its name, or has it among its words; else the first."""
    words = told.split()
    ahead = (name for name in names if told.startswith(name))
    return next(ahead, next((name for name in names if name in words), names[0]))


def _number(text: str) -> str:
    return "" if text.isdecimal() else "a number"


def from_form(kind: type[S], values: Mapping[str, Any]) -> S:
    """The struct that a form describes; what is as by default is left out.

    Raises:
        UsageError: a value does not fit; the message begins with the field's name.
    """
    plain: dict[str, Any] = {}
    for help in fields_of(kind):
        if help.name in values:
            value = _value(help, values[help.name])
            if value != help.default:
                plain[help.name] = value
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise UsageError(str(error)) from error


def _value(help: FieldHelp, given: Any) -> Any:
    if isinstance(given, bool):
        return given
    text = str(given)
    if help.type == bool | None:
        return _YES[text]
    if help.type is int:
        return int(text or 0) if (text or "0").isdecimal() else _refuse(help.name, "a number")
    if get_origin(help.type) is dict:
        return dict(_pair(help.name, line) for line in text.splitlines() if line.strip())
    if help.type == Words and any(letter in text for letter in "\"'\\") and help.name != "command":
        return tuple(_split(help.name, text))
    if help.type == Words and not text:
        return ()
    return _split(help.name, text) if get_origin(help.type) is tuple else text


def _split(name: str, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{name}: {error}", hint="close the quotes") from error


def _pair(name: str, line: str) -> tuple[str, str]:
    key, equals, value = line.partition("=")
    if not equals:
        raise UsageError(f"{name}: {line!r} is no NAME=VALUE")
    return key.strip(), value.strip()


def _refuse(name: str, wanted: str) -> Any:
    raise UsageError(f"{name}: {wanted} is needed")
