"""The YAML that ``docker-compose config`` of version 1 prints, read without a YAML parser: servers may have none.

That program writes one style alone: two spaces a level, a key or an item a line, long text folded into lines that are
neither. What is read is what :mod:`.model` looks at: maps and lists of plain values. Pure.
"""

from __future__ import annotations

import re
from copy import copy
from typing import Any

_LINE = re.compile(r"(?P<indent> *)(?P<item>- )?(?:(?P<key>[^\s:'\"-][^:]*):(?: (?P<value>.*))?|(?P<plain>.+))")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "{}": {}, "[]": []}


def read_old(text: str) -> dict[str, Any]:
    """The document as maps, lists and text. What cannot be understood is left out."""
    root: dict[str, Any] = {}
    # each level: indent of its keys or items, and the map or list that they belong to
    levels: list[tuple[int, Any]] = [(0, root)]
    waiting: tuple[dict[str, Any], str, int] | None = None
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        indent, is_item = len(match["indent"]), match["item"] is not None
        if waiting is not None:
            holder, key, at = waiting
            if indent > at or (is_item and indent == at):
                holder[key] = [] if is_item else {}
                levels.append((indent, holder[key]))
            waiting = None
        while len(levels) > 1 and not _fits(levels[-1], indent, is_item):
            levels.pop()
        at, container = levels[-1]
        if at != indent:
            continue  # folded text
        if is_item and isinstance(container, list):
            if match["key"] is None:
                container.append(_value(match["plain"]))
                continue
            entry: dict[str, Any] = {}
            container.append(entry)
            indent, container = indent + 2, entry
            levels.append((indent, entry))
        if match["key"] is not None and isinstance(container, dict):
            container[match["key"]] = _value(match["value"]) if match["value"] is not None else None
            if match["value"] is None:
                waiting = (container, match["key"], indent)
    return root


def _fits(level: tuple[int, Any], indent: int, is_item: bool) -> bool:
    at, container = level
    if isinstance(container, list):
        return indent > at or (indent == at and is_item)
    return indent >= at


def _value(text: str) -> Any:
    if text in _WORDS:
        return copy(_WORDS[text])
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1].replace("''", "'") if quoted else text
