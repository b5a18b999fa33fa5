"""What BuildKit tells of a build while it runs: its ``StatusResponse``. Pure.

Source: ``api/services/control/control.proto`` of moby/buildkit. The engine wraps each one in a line of its answer to
``POST /build``: ``{"id": "moby.buildkit.trace", "aux": "<base64>"}``.
"""

from __future__ import annotations

from typing import NamedTuple

from .protobuf import fields, raw, signed, text

_MOST = 10_000
"""Things of each kind in one message; BuildKit sends a few at a time."""


class Vertex(NamedTuple):
    """A step, as far as it is. Times are seconds since 1970; 0 = not yet."""

    digest: str
    name: str
    cached: bool = False
    started: float = 0.0
    completed: float = 0.0
    error: str = ""


class Status(NamedTuple):
    """Something a step does: a layer it fetches, files it takes."""

    vertex: str
    id: str
    current: int = 0
    total: int = 0
    started: float = 0.0
    completed: float = 0.0
    at: float = 0.0


class Log(NamedTuple):
    """What a step printed."""

    vertex: str
    data: bytes
    at: float = 0.0


class Warned(NamedTuple):
    """What BuildKit thinks of a line of the Dockerfile."""

    vertex: str
    short: str


class Trace(NamedTuple):
    """One message."""

    vertexes: tuple[Vertex, ...] = ()
    statuses: tuple[Status, ...] = ()
    logs: tuple[Log, ...] = ()
    warnings: tuple[Warned, ...] = ()


def read_trace(data: bytes) -> Trace:
    """Decode one.

    Raises:
        ValueError: it is none.
    """
    vertexes: list[Vertex] = []
    statuses: list[Status] = []
    logs: list[Log] = []
    warnings: list[Warned] = []
    for count, (key, value) in enumerate(fields(data)):
        if count > _MOST:
            raise ValueError("one message tells of too many things")
        part = raw(value)
        if key == 1:
            vertexes.append(_vertex(part))
        elif key == 2:
            statuses.append(_status(part))
        elif key == 3:
            logs.append(_log(part))
        elif key == 4:
            warnings.append(_warning(part))
    return Trace(tuple(vertexes), tuple(statuses), tuple(logs), tuple(warnings))


def _vertex(data: bytes) -> Vertex:
    found = dict(fields(data))
    return Vertex(
        digest=text(found.get(1, b"")), name=text(found.get(3, b"")), cached=bool(found.get(4)),
        started=_time(found.get(5)), completed=_time(found.get(6)), error=text(found.get(7, b"")),
    )  # fmt: skip


def _status(data: bytes) -> Status:
    found = dict(fields(data))
    return Status(
        vertex=text(found.get(2, b"")), id=text(found.get(1, b"")), current=signed(found.get(4, 0)),
        total=signed(found.get(5, 0)), at=_time(found.get(6)), started=_time(found.get(7)),
        completed=_time(found.get(8)),
    )  # fmt: skip


def _log(data: bytes) -> Log:
    found = dict(fields(data))
    return Log(vertex=text(found.get(1, b"")), data=raw(found.get(4, b"")), at=_time(found.get(2)))


def _warning(data: bytes) -> Warned:
    found = dict(fields(data))
    return Warned(vertex=text(found.get(1, b"")), short=text(found.get(3, b"")))


def _time(value: int | bytes | None) -> float:
    """A ``google.protobuf.Timestamp``: seconds and nanoseconds."""
    if not isinstance(value, bytes):
        return 0.0
    found = dict(fields(value))
    return signed(found.get(1, 0)) + signed(found.get(2, 0)) / 1e9
