"""What a value that does not fit should have been, in the words of who wrote it."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args, get_origin

_EXPECTED = re.compile(r"^Expected `(?P<wanted>[^`]+)`(?P<more>.*?)(?:, got `(?P<got>[^`]+)`)?$", re.DOTALL)
_NO_CHOICE = re.compile(r"^Invalid (?:enum )?value (?P<value>.+)$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]*)`$")
_NAMES = {
    "array": "a list", "object": "a map (name: value)", "str": "a text", "int": "a whole number",
    "float": "a number", "bool": "true or false", "null": "nothing",
}  # fmt: skip
_SHOWN = 40
"""Characters of a value that stand in a message."""


_KINDS = {list: "array", dict: "object", str: "str", int: "int", float: "float", bool: "bool", type(None): "null"}


def may_be(message: str, value: Any) -> bool:
    """Whether msgspec's message may be about this value."""
    misfit = _EXPECTED.match(message)
    if misfit is not None and misfit["got"] is not None:
        return _KINDS.get(type(value)) == misfit["got"]
    choice = _NO_CHOICE.match(message)
    return choice is None or choice["value"].strip("'") == str(value)


def told(where: str, message: str, value: Any, of: Any) -> tuple[str, str]:
    """What is wrong and, where it can be told, what to write. ``message`` is msgspec's, ``of`` the type at this place.

    ``where`` is the key as it is read (``stacks.0.pull``), ``value`` what stands there.
    """
    missing = _MISSING.match(message)
    if missing:
        return f"{where}: {missing['field']} is missing", f"write {missing['field']}: …"
    choice = _NO_CHOICE.match(message)
    if choice:
        choices = _choices(of)
        return f"{where} cannot be {_shown(value)}", f"one of: {', '.join(choices)}" if choices else ""
    misfit = _EXPECTED.match(message)
    if misfit is None:
        return f"{where}: {message}", ""
    wanted = " or ".join(_NAMES.get(name, name) for name in misfit["wanted"].split(" | "))
    if misfit["got"] is None:  # the right kind, and too large or long
        return f"{where} has to be {wanted}{misfit['more']}, not {_shown(value)}", ""
    is_now = _NAMES.get(misfit["got"], misfit["got"])
    example = _example(where, misfit["wanted"], value)
    said = _shown(value) if isinstance(value, bool) else is_now
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        said = f"{_shown(value)} ({is_now})"
    return f"{where} has to be {wanted}, not {said}", f"write {example}" if example else ""


def _example(where: str, wanted: str, value: Any) -> str:
    """The same value as it could have been written."""
    key = where.rpartition(".")[2]
    if "array" in wanted.split(" | ") and isinstance(value, str | int | float) and len(str(value)) <= _SHOWN:
        return f"{key}: [{_shown(value)}]"
    if "str" in wanted.split(" | ") and isinstance(value, bool | int | float):
        return f'{key}: "{str(value).lower() if isinstance(value, bool) else value}"'
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    return f'"{value}"' if len(value) <= _SHOWN else f'"{value[:_SHOWN]}…"'


def _choices(of: Any) -> list[str]:
    """The words that a type allows, in their order; those of each part of a union."""
    if get_origin(of) is Literal:
        return [str(word) for word in get_args(of)]
    return [word for part in get_args(of) for word in _choices(part)]
