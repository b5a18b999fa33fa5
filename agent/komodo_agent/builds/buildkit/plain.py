"""BuildKit's own words as the lines that ``docker build --progress plain`` would print. Pure.

With them every builder's output is alike, is read by the same :class:`~..wire.build_steps.StepReader`, and looks as
people know it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .trace import Log, Status, Trace, Vertex

_MOST = 2000
"""Steps that are told apart."""
_PAUSE = 5.0
"""Seconds between two lines on how far something is."""
_FOR_EVER = float("inf")
_LONGEST_LINE = 1 << 16
_UNITS = ("B", "kB", "MB", "GB", "TB")
_CANCELLED = "context canceled"


class _Known:
    def __init__(self, index: int, vertex: Vertex) -> None:
        self.index = index
        self.vertex = vertex
        self.partial = b""
        self.spans: dict[float, float] = {}
        self.failed = False
        self.told: dict[str, float] = {}
        """What it does → until when that need not be told again."""


class PlainLines:
    """Takes what BuildKit tells in its order; gives lines."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def feed(self, trace: Trace) -> Iterator[str]:
        """The lines of one message."""
        for vertex in trace.vertexes:
            yield from self._begun(vertex)
        for status in trace.statuses:
            yield from self._status(status)
        for log in trace.logs:
            yield from self._log(log)
        for warned in trace.warnings:
            known = self._known.get(warned.vertex)
            if known is not None and warned.short:
                yield f"#{known.index} WARN: {warned.short.splitlines()[0]}"
        for vertex in trace.vertexes:
            yield from self._ended(vertex)

    def _begun(self, vertex: Vertex) -> Iterator[str]:
        if not vertex.started or vertex.digest in self._known or len(self._known) >= _MOST:
            return
        known = self._known[vertex.digest] = _Known(len(self._known) + 1, vertex)
        yield f"#{known.index} {_one_line(vertex.name)}"

    def _status(self, status: Status) -> Iterator[str]:
        known = self._known.get(status.vertex)
        if known is None or len(known.told) >= _MOST:
            return
        at = status.completed or status.at
        if not status.completed and at < known.told.setdefault(status.id, at + _PAUSE):
            return
        if known.told.get(status.id) == _FOR_EVER:
            return
        known.told[status.id] = _FOR_EVER if status.completed else at + _PAUSE
        size = f" {_size(status.current)}" if status.current else ""
        size += f" / {_size(status.total)}" if size and status.total and not status.completed else ""
        took = at - status.started if status.started else 0.0
        words = f"{size}{f' {took:.1f}s' if took > 0.01 else ''}{' done' if status.completed else ''}"
        yield f"#{known.index} {_one_line(status.id)}{words}"

    def _log(self, log: Log) -> Iterator[str]:
        known = self._known.get(log.vertex)
        if known is None:
            return
        *whole, known.partial = (known.partial + log.data).split(b"\n")
        if len(known.partial) > _LONGEST_LINE:
            whole.append(known.partial)
            known.partial = b""
        since = max(log.at - known.vertex.started, 0.0)
        for line in whole:
            yield _said(known.index, since, line)

    def _ended(self, vertex: Vertex) -> Iterator[str]:
        known = self._known.get(vertex.digest)
        if known is None or not vertex.completed or known.failed:
            return
        # BuildKit looks at some steps first and comes back to them: each time counts
        if known.spans.get(vertex.started) == vertex.completed or len(known.spans) >= _MOST:
            return
        known.spans[vertex.started] = vertex.completed
        if known.partial:
            yield _said(known.index, max(vertex.completed - vertex.started, 0.0), known.partial)
            known.partial = b""
        if vertex.error:
            known.failed = True
            cancelled = vertex.error.endswith(_CANCELLED)
            yield f"#{known.index} {'CANCELED' if cancelled else f'ERROR: {_one_line(vertex.error)}'}"
        elif vertex.cached:
            yield f"#{known.index} CACHED"
        else:
            seconds = sum(max(end - start, 0.0) for start, end in known.spans.items())
            yield f"#{known.index} DONE {seconds:.1f}s"


def _said(index: int, since: float, line: bytes) -> str:
    return f"#{index} {since:.3f} {line.decode('utf-8', 'replace')}".rstrip("\r")


def _one_line(words: str) -> str:
    return " ".join(words.split("\n"))


def _size(count: int) -> str:
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{count}B" if not unit else f"{value:.2f}{_UNITS[unit]}"
