"""Conditions and placeholders of procedures.

A condition is made of names, texts and numbers in quotes or bare, ``==  !=  in  not in  <  <=  >  >=``, ``and or not``,
parentheses, and ``matches(text, regex)``: ``env == "prod" and not failed``. Python's own parser reads it, nothing of
it is ever run as Python. Names are parameters, saved outputs, and ``failed`` (whether a step has failed so far).

A placeholder is ``{name}``. ``${name}`` and ``{{…}}`` are left alone: they belong to shells and templates.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.durations import parse_size
from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NAME = re.compile(r"[a-z][a-z0-9_]*")
_PLACEHOLDER = re.compile(r"(?<![\${])\{([a-z][a-z0-9_]*)\}(?!\})")
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda a, b: _same(a, b), ast.NotEq: lambda a, b: not _same(a, b),
    ast.In: lambda a, b: str(a) in b if isinstance(b, str) else a in b,
    ast.NotIn: lambda a, b: str(a) not in b if isinstance(b, str) else a not in b,
    ast.Lt: lambda a, b: operator.lt(_number(a), _number(b)), ast.LtE: lambda a, b: _number(a) <= _number(b),
    ast.Gt: lambda a, b: _number(a) > _number(b), ast.GtE: lambda a, b: _number(a) >= _number(b),
}  # fmt: skip
_LONGEST = 2000


def names_in(text: str) -> set[str]:
    """The names whose placeholders stand in a text."""
    return set(_PLACEHOLDER.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled.

    Raises:
        UsageError: a name has no value.
    """

    def value(match: re.Match[str]) -> str:
        try:
            return values[match[1]]
        except KeyError:
            raise UsageError(
                f"{{{match[1]}}} has no value", hint="give the parameter, or save an output under that name before"
            ) from None

    return _PLACEHOLDER.sub(value, text)


def fill_all(value: Any, values: Mapping[str, str]) -> Any:
    """The same for every text in plain lists and maps."""
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, dict):
        return {key: fill_all(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill_all(item, values) for item in value]
    return value


def texts_in(value: Any) -> Iterator[str]:
    """Every text in plain lists and maps, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)


def condition_names(text: str) -> set[str]:
    """The names a condition asks for. Raises UsageError where it cannot be read."""
    return {node.id for node in ast.walk(_parsed(text)) if isinstance(node, ast.Name)} - {"matches", "true", "false"}


def holds(text: str, values: Mapping[str, object]) -> bool:
    """Whether a condition holds; an empty one does.

    Raises:
        UsageError: it cannot be read, or a name has no value.
    """
    return True if not text.strip() else bool(_value(_parsed(text).body, values, text))


def _parsed(text: str) -> ast.Expression:
    if len(text) > _LONGEST:
        raise UsageError("the condition is too long")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash in a regular expression is no concern of Python's
            return ast.parse(text.strip() or "True", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"the condition {text!r} cannot be read", hint='like: env == "prod" and not failed') from error


def _value(node: ast.expr, values: Mapping[str, object], text: str) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool):
        return node.value
    if isinstance(node, ast.Name):
        return _named(node.id, values, text)
    if isinstance(node, ast.BoolOp):
        parts = (bool(_value(part, values, text)) for part in node.values)
        return all(parts) if isinstance(node.op, ast.And) else any(parts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _value(node.operand, values, text)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_value(item, values, text) for item in node.elts]
    if isinstance(node, ast.Compare):
        return _compared(node, values, text)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "matches":
        return _matches([_value(argument, values, text) for argument in node.args], text)
    raise UsageError(f"the condition {text!r} uses what conditions do not have", hint="compare names with and, or, not")


def _named(name: str, values: Mapping[str, object], text: str) -> object:
    if name in ("true", "false"):
        return name == "true"
    if name not in values:
        raise UsageError(f"the condition {text!r} asks for {name}, which has no value")
    return values[name]


def _compared(node: ast.Compare, values: Mapping[str, object], text: str) -> bool:
    left = _value(node.left, values, text)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right, test = _value(right_node, values, text), _COMPARE.get(type(op))
        if test is None or not test(left, right):
            return False
        left = right
    return True


def _same(left: Any, right: Any) -> bool:
    """Equal as values or as texts: a parameter is a text, ``retries == 3`` is meant all the same."""
    return bool(left == right) or _plain(left) == _plain(right)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        if isinstance(value, str) and value.strip():
            with suppress(UsageError):
                return float(parse_size(value))  # "4G"
        raise UsageError(f"{value!r} is no number, and < and > compare numbers") from None


def _matches(arguments: list[Any], text: str) -> bool:
    if len(arguments) != 2:
        raise UsageError(f"the condition {text!r}: matches takes a text and a regular expression")
    try:
        return re.search(str(arguments[1]), str(arguments[0])) is not None
    except re.error as error:
        raise UsageError(f"the condition {text!r}: {error}") from error
