"""Lines of the wire format: built, joined over the engine's pieces, filtered and packed into frames. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import timestamps
from ..wire.logs import MAX_LINE, PREFIX, TAG, TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAME = 64 << 10
"""Bytes of a full frame."""
STDOUT, STDERR = b"o", b"e"
_TIME_FROM = TAG + 1
_TIME_TO = TAG + 1 + TIME
_DISORDER = 100_000_000
"""Nanoseconds by which the lines of one log may be out of order: the engine stamps stdout and stderr in two threads."""


def time_of(line: bytes) -> bytes:
    """TIME of a finished line."""
    return line[_TIME_FROM:_TIME_TO]


def fixed_time(raw: bytes) -> bytes:
    """Any time the engine writes as TIME: UTC with nine decimals.

    Raises:
        ValueError: it is no time.
    """
    if len(raw) == TIME and raw.endswith(b"Z"):
        return raw
    return timestamps.fixed(timestamps.parse(raw.decode("ascii", "replace"))).encode()


class Joiner:
    """Makes lines of pieces. The engine cuts at 16 KiB and gives all pieces of a line the same time.

    Args:
        tag: TAG of the source.
    """

    def __init__(self, tag: bytes) -> None:
        self.prefixes = {STDOUT: tag + STDOUT, STDERR: tag + STDERR}
        self.pending: dict[bytes, _Pending] = {}
        """By stream: the line that has not ended yet."""

    def add(self, stream: bytes, time: bytes, text: bytes, out: list[bytes]) -> None:
        """Take a piece; a line feed at its end ends the line. Lines that are complete are appended to ``out``."""
        pending = self.pending.get(stream)
        if pending is not None and pending.time != time:
            # its end was never written: the container was killed, or the log rotated away
            del self.pending[stream]
            self._finish(stream, pending, out)
            pending = None
        ended = text.endswith(b"\n")
        if ended:
            text = text[:-1]
        if pending is None:
            pending = _Pending(time)
        pending.add(text)
        if ended:
            self.pending.pop(stream, None)
            self._finish(stream, pending, out)
        else:
            self.pending[stream] = pending

    def flush(self, out: list[bytes]) -> None:
        """Take what is pending for ended."""
        for stream, pending in self.pending.items():
            self._finish(stream, pending, out)
        self.pending.clear()

    def _finish(self, stream: bytes, pending: _Pending, out: list[bytes]) -> None:
        head = self.prefixes[stream] + pending.time + b" "
        text = pending.text()
        if b"\n" not in text:
            out.append(head + text + b"\n")
            return
        for each in text.split(b"\n"):
            out.append(head + each.removesuffix(b"\r") + b"\n")


class _Pending:
    """A line that grows, kept up to :data:`MAX_LINE`."""

    __slots__ = ("_parts", "_size", "time")

    def __init__(self, time: bytes) -> None:
        self.time = time
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, text: bytes) -> None:
        if self._size <= MAX_LINE:
            self._parts.append(text[: MAX_LINE + 1 - self._size])
        self._size += len(text)

    def text(self) -> bytes:
        whole = b"".join(self._parts)
        if self._size <= MAX_LINE:
            return whole.removesuffix(b"\r")
        cut = MAX_LINE
        while cut and whole[cut] & 0xC0 == 0x80:  # not in the middle of a character
            cut -= 1
        return whole[:cut] + f"…[{self._size - cut} bytes more]".encode()


class Resume:
    """Leaves out the lines a client has, by their order in the log.

    Everything after the ``count``-th line of exactly the time ``after`` is new, whatever its time. When the log no
    longer holds that line, everything later than ``after`` is.
    """

    def __init__(self, after: bytes, count: int) -> None:
        self.after = after
        self._count = max(1, count)
        self._until = timestamps.fixed(timestamps.parse(after.decode()) + _DISORDER).encode()
        self._held: list[bytes] = []
        self._seen = 0
        self.decided = False
        """Whether it is known where the new lines begin."""
        self.covered = False
        """Whether the log reaches back to that time: else lines may be missing."""

    def admit(self, lines: list[bytes]) -> list[bytes]:
        """Those of the next lines that are new; holds them back while that is not decided."""
        if self.decided:
            return lines
        for index, line in enumerate(lines):
            time = time_of(line)
            if time <= self.after:
                self.covered = True
            if time == self.after:
                self._seen += 1
                self._held.clear()
                if self._seen >= self._count:
                    self.decided = True
                    return lines[index + 1 :]
            elif time > self._until:
                return self.give_up() + lines[index:]
            elif self._seen or time > self.after:
                self._held.append(line)
        return []

    @property
    def holds(self) -> bool:
        """Whether lines wait for the decision."""
        return bool(self._held)

    def give_up(self) -> list[bytes]:
        """Nothing more comes for now: what was held back is new."""
        self.decided = True
        held, self._held = self._held, []
        return held


class Window:
    """Lines not before ``since`` and not after ``until`` (TIME, both inclusive; empty = no bound)."""

    def __init__(self, since: bytes, until: bytes) -> None:
        self._since = since
        self._until = until
        self._past_since = _later(since)
        self._past_until = _later(until)
        self.over = False
        """Whether no later line can be within."""

    def admit(self, lines: list[bytes]) -> list[bytes]:
        """Those of the next lines that are within."""
        if self._since and lines:
            settled = time_of(lines[0]) > self._past_since
            lines = [line for line in lines if time_of(line) >= self._since]
            if settled:
                self._since = b""
        if self._until and lines:
            self.over = time_of(lines[-1]) > self._past_until
            lines = [line for line in lines if time_of(line) <= self._until]
        return lines


def before(time: bytes) -> bytes:
    """The time before which no line can be that stands after one of this time."""
    return timestamps.fixed(max(0, timestamps.parse(time.decode()) - _DISORDER)).encode()


def _later(time: bytes) -> bytes:
    return timestamps.fixed(timestamps.parse(time.decode()) + _DISORDER).encode() if time else b""


def frames(lines: list[bytes]) -> Iterator[bytes]:
    """Lines packed into frames of at most :data:`FRAME` bytes; a longer line has a frame of its own."""
    whole = b"".join(lines)
    if len(whole) <= FRAME:
        if whole:
            yield whole
        return
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if size + len(line) > FRAME and batch:
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    yield b"".join(batch)


def text_of(line: bytes) -> bytes:
    """TEXT of a finished line."""
    return line[PREFIX:-1]
