"""JSON in log lines: folded to one readable line, or opened to an indented document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.domain.text import clean
from komodo_tui.ui.logs.styled import Styled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from komodo_tui.ui.logs.styled import StyledSpan

_LEVEL = ("level", "lvl", "severity", "log.level", "loglevel", "levelname")
_MESSAGE = ("msg", "message", "event", "text", "body")
_TIME = ("time", "ts", "timestamp", "@timestamp", "t", "asctime")
_TONES = {
    "trace": "dim", "debug": "dim", "info": "info", "notice": "info", "warn": "warn", "warning": "warn", "error": "bad",
    "err": "bad", "fatal": "bad", "critical": "bad", "panic": "bad", "emergency": "bad", "alert": "bad",
}  # fmt: skip
_NUMBERS = {10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal"}
"""What bunyan and pino write."""
_DEPTH = 40
"""Levels that are indented; what is deeper stays on one line."""
_SHORT = 200
"""Characters of one value in a folded line."""

Row = tuple[tuple[str, str], ...]
"""One line of a document: text and tones, as the renderers have them."""


def find(text: str) -> tuple[str, Any] | None:
    """The JSON object or array a line ends with: what stands before it, and its value; None when there is none."""
    end = text.rstrip()
    if not end.endswith(("}", "]")):
        return None
    close = end[-1]
    start = end.find("{" if close == "}" else "[")
    if start < 0:
        return None
    try:
        value = msgspec.json.decode(end[start:])
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    return (end[:start], value) if value else None


def fold(text: str) -> Styled | None:
    """``ERROR timeout dep=pg ms=5000`` of a line that ends with a JSON object; None for others.

    Its own time is left out: the engine's stands before the line.
    """
    found = find(text)
    if found is None or not isinstance(found[1], dict):
        return None
    before, rest = found[0].rstrip(), dict(found[1])
    level = _level(_take(rest, _LEVEL))
    message = _take(rest, _MESSAGE)
    _take(rest, _TIME)
    builder = _Builder()
    if before:
        builder.add(before + " ", "")
    if level:
        builder.add(f"{level.upper():<5} ", _TONES.get(level.lower(), ""))
    if message is not None:
        builder.add(_short(message) + " ", "")
    for key, value in rest.items():
        builder.add(_one_line(key) + "=", "dim")
        builder.add(_short(value) + " ", "")
    return builder.done()


def pretty(text: str, limit: int = 2000) -> list[Row] | None:
    """The document, indented by two; None when the line ends with none. At most ``limit`` rows."""
    found = find(text)
    if found is None:
        return None
    rows: list[Row] = [((found[0].rstrip(), ""),)] if found[0].strip() else []
    for row in _rows(found[1], "", "", ""):
        if len(rows) >= limit:
            rows.append((("…", "dim"),))
            break
        rows.append(row)
    return rows


def _rows(value: Any, indent: str, key: str, comma: str) -> Iterator[Row]:
    """The rows of one value."""
    head = ((indent, ""), (key, "accent"), (": " if key else "", "dim"))
    if isinstance(value, dict | list) and value and len(indent) < 2 * _DEPTH:
        pairs = list(value.items()) if isinstance(value, dict) else [("", item) for item in value]
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        yield (*head, (opening, "dim"))
        for number, (name, item) in enumerate(pairs, 1):
            label = _quoted(name) if isinstance(value, dict) else ""
            yield from _rows(item, indent + "  ", label, "," if number < len(pairs) else "")
        yield ((indent, ""), (closing + comma, "dim"))
    else:
        yield (*head, (_scalar(value), _tone(value)), (comma, "dim"))


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return clean(msgspec.json.encode(value).decode())


def _quoted(text: str) -> str:
    # Encoding again keeps escapes as they are written: \u001b stays six harmless characters.
    return clean(msgspec.json.encode(text).decode())


def _tone(value: Any) -> str:
    if isinstance(value, str):
        return "ok"
    return "busy" if value is None or isinstance(value, bool) else "warn"


def _take(values: dict[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        if name in values and not isinstance(values[name], dict | list):
            return values.pop(name)
    return None


def _level(value: Any) -> str:
    if isinstance(value, int):
        return _NUMBERS.get(value, str(value))
    return _one_line(value)[:12] if isinstance(value, str) else ""


def _short(value: Any) -> str:
    text = (_one_line(value) or '""') if isinstance(value, str) else _scalar(value)
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def _one_line(text: str) -> str:
    """Decoded JSON may hold anything: line feeds become a sign, all else is cleaned."""
    return clean(text.replace("\r\n", "↵").replace("\n", "↵"))


class _Builder:
    """Collects text and the tones of its parts."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._spans: list[StyledSpan] = []
        self._at = 0

    def add(self, text: str, tone: str) -> None:
        if tone:
            self._spans.append((self._at, self._at + len(text), tone))
        self._parts.append(text)
        self._at += len(text)

    def done(self) -> Styled:
        return Styled("".join(self._parts).rstrip(), self._spans)
