"""One entry of a list in a YAML file replaced, taken out or added: all else stays, comments and order too."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import yaml

from komodo_tui.domain.errors import UsageError
from komodo_tui.store.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def replace_entry(text: str, key: str, name: str, entry: dict[str, Any] | None) -> str:
    """The file with another entry of that ``name`` in the list at ``key``; None takes it out.

    Raises:
        UsageError: the file is no YAML, or has no such entry.
    """
    word, entries = next(_lists(_composed(text), key), (None, None))
    found = next((each for each in entries.value if _name_of(each) == name), None) if entries is not None else None
    if word is None or entries is None or found is None:
        raise UsageError(f"there is no {name} among its {key} any more")
    if entry is None:
        return _without(text, word, entries, found)
    if _flows(text, found):
        start, end = found.start_mark.index, found.end_mark.index
        return text[:start] + _in_a_line(entry) + text[end:]
    start, end = found.start_mark.index, _end(text, found)
    indented = textwrap.indent(yaml_text(entry).rstrip("\n"), " " * found.start_mark.column).lstrip(" ")
    return text[:start] + indented + text[end:]


def add_entry(text: str, key: str, entry: dict[str, Any]) -> str:
    """The file with one entry more at the end of the list at ``key``, which is made where it is missing.

    Raises:
        UsageError: the file is no YAML, or is written in a line.
    """
    root = _composed(text)
    _, entries = next(_lists(root, key), (None, None))
    if root is not None and _flows(text, root if entries is None or not entries.value else entries):
        raise UsageError(f"its {key} stand in one line, which is not edited", hint="write an entry to a line")
    if entries is None:
        return text + ("\n" if text and not text.endswith("\n") else "") + yaml_text({key: [entry]})
    if entries.value:
        start = end = _end(text, entries.value[-1])
        column = entries.start_mark.column
    else:
        start, end, column = entries.start_mark.index, entries.end_mark.index, 0
    lines = textwrap.indent(yaml_text([entry]).rstrip("\n"), " " * column)
    return f"{text[:start]}\n{lines}{text[end:] or chr(10)}"


def _composed(text: str) -> Any:
    try:
        return yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"this is no YAML any more: {error}") from error


def _without(text: str, word: yaml.Node, entries: yaml.SequenceNode, found: yaml.Node) -> str:
    if _flows(text, entries):
        if len(entries.value) > 1:
            raise UsageError("a list in one line is not edited", hint="write an entry to a line")
        return text[: entries.start_mark.index] + "[]" + text[entries.end_mark.index :]
    without = _cut(text, found)
    if len(entries.value) > 1:
        return without
    colon = text.index(":", word.end_mark.index) + 1
    return f"{without[:colon]} []{without[colon:]}"


def _cut(text: str, found: yaml.Node) -> str:
    start = text.rindex("-", 0, found.start_mark.index)
    start = text.rfind("\n", 0, start) + 1
    end = text.find("\n", _end(text, found))
    return text[:start] + (text[end + 1 :] if end >= 0 else "")


def _end(text: str, node: yaml.Node) -> int:
    """Where a node in block style ends: its mark is behind the comments and empty lines that follow it."""
    if _flows(text, node):
        return int(node.end_mark.index)
    lines = text[node.start_mark.index : node.end_mark.index].split("\n")
    column = node.start_mark.column
    while len(lines) > 1 and _beside(lines[-1], column):
        lines.pop()
    return int(node.start_mark.index) + len("\n".join(lines))


def _beside(line: str, column: int) -> bool:
    """Whether a line at the end of an entry does not belong to it: nothing, or a comment further out."""
    stripped = line.lstrip()
    return not stripped or (stripped.startswith("#") and len(line) - len(stripped) < column)


def _flows(text: str, node: yaml.Node) -> bool:
    return text[node.start_mark.index : node.start_mark.index + 1] in ("{", "[")


def _in_a_line(entry: dict[str, Any]) -> str:
    found: str = yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, allow_unicode=True, width=1 << 20)
    return found.strip()


def _lists(node: Any, key: str) -> Iterator[tuple[yaml.Node, yaml.SequenceNode]]:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key and isinstance(value, yaml.SequenceNode):
                yield name, value


def _name_of(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return next((str(value.value) for key, value in node.value if key.value == "name"), "")
    return ""
