"""The engine's log stream, asked with ``timestamps=1``: multiplexed frames, or raw bytes for containers with a tty."""

from __future__ import annotations

from struct import Struct
from typing import Protocol

from ..wire.logs import MAX_LINE, TIME
from .log_lines import STDERR, STDOUT, Joiner, fixed_time

_HEADER = Struct(">BxxxL")
_STREAM_STDERR, _STREAM_ERROR = 2, 3
_LONGEST_FRAME = 16 << 20
_PIECE = 16 << 10
"""Bytes at which the engine cuts a line."""
_Z = ord("Z")


class LogStreamError(Exception):
    """The engine's stream makes no sense, or says that it failed; the message is the engine's."""


class LineReader(Protocol):
    """Turns the bytes of the engine's answer, cut anywhere, into finished lines."""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in this piece.

        Raises:
            LogStreamError: it is no log stream.
        """

    def flush(self) -> list[bytes]:
        """The answer has ended: what has no end counts as it is."""


class Demultiplexer:
    """Splits ``STREAM(1) 000 SIZE(4) PAYLOAD`` frames (Engine API, ``ContainerAttach``), whole buffers at a time."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Stream numbers and payloads of the frames that are complete now.

        Raises:
            LogStreamError: these are no frames.
        """
        data = self._rest + data if self._rest else data
        found: list[tuple[int, bytes]] = []
        at, end = 0, len(data)
        unpack = _HEADER.unpack_from
        while end - at >= 8:
            stream, size = unpack(data, at)
            if stream > _STREAM_ERROR or size > _LONGEST_FRAME:
                raise LogStreamError("the engine sent something that is no log")
            begin = at + 8
            if begin + size > end:
                break
            at = begin + size
            found.append((stream, data[begin:at]))
        self._rest = data[at:]
        return found


class FrameLines:
    """Lines of a container without a tty: a frame is a line, or one of a line's pieces.

    Args:
        tag: TAG of the source.
    """

    def __init__(self, tag: bytes) -> None:
        self._frames = Demultiplexer()
        self._joiner = Joiner(tag)

    def feed(self, data: bytes) -> list[bytes]:
        """See :meth:`LineReader.feed`."""
        out: list[bytes] = []
        pending, prefixes = self._joiner.pending, self._joiner.prefixes
        out_prefix, err_prefix = prefixes[STDOUT], prefixes[STDERR]
        for stream, payload in self._frames.feed(data):
            is_error = stream == _STREAM_STDERR
            size = len(payload)
            if (
                TIME < size <= MAX_LINE
                and payload[TIME - 1] == _Z
                and payload.find(b"\n") == size - 1
                and payload[-2:-1] != b"\r"
                and stream != _STREAM_ERROR
                and (STDERR if is_error else STDOUT) not in pending
            ):
                out.append((err_prefix if is_error else out_prefix) + payload)
            elif stream == _STREAM_ERROR:
                raise LogStreamError(payload.decode("utf-8", "replace").strip())
            else:
                time, text = split_time(payload)
                self._joiner.add(STDERR if is_error else STDOUT, time, text, out)
        return out

    def flush(self) -> list[bytes]:
        """See :meth:`LineReader.flush`."""
        out: list[bytes] = []
        self._joiner.flush(out)
        return out


class TtyLines:
    """Lines of a container with a tty: raw bytes, ``TIME SP text CR LF``.

    A line of several pieces has its time before each of them, in the middle of the line.

    Args:
        tag: TAG of the source.
    """

    def __init__(self, tag: bytes) -> None:
        self._joiner = Joiner(tag)
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """See :meth:`LineReader.feed`."""
        out: list[bytes] = []
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._add(line + b"\n", out)
        if len(self._rest) > 8 * _PIECE:
            self._shorten(out)
        return out

    def flush(self) -> list[bytes]:
        """See :meth:`LineReader.flush`."""
        out: list[bytes] = []
        if self._rest:
            self._add(self._rest, out)
        self._rest = b""
        self._joiner.flush(out)
        return out

    def _add(self, line: bytes, out: list[bytes]) -> None:
        raw, space, _ = line.partition(b" ")
        if len(line) > _PIECE and space:
            line = raw + space + line[len(raw) + 1 :].replace(raw + space, b"")
        time, text = split_time(line)
        self._joiner.add(STDOUT, time, text, out)

    def _shorten(self, out: list[bytes]) -> None:
        """Hand on all whole pieces of a line that does not end, so that it need not be kept here."""
        raw, space, _ = self._rest.partition(b" ")
        last = self._rest.rfind(raw + space)
        if last > 0:
            self._add(self._rest[:last], out)
            self._rest = self._rest[last:]
        elif len(self._rest) > _LONGEST_FRAME:
            raise LogStreamError("the engine sent a line without an end")


def split_time(payload: bytes) -> tuple[bytes, bytes]:
    """TIME and text of ``time SP text``.

    Raises:
        LogStreamError: it does not begin with a time.
    """
    raw, _, text = payload.partition(b" ")
    try:
        return fixed_time(raw.rstrip(b"\r\n")), text if _ else b"\n"
    except ValueError as error:
        raise LogStreamError("the engine sent a line without its time") from error
