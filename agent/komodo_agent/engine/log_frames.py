"""The engine's log stream, asked with ``timestamps=1``: multiplexed frames, or raw bytes for containers with a tty."""

from __future__ import annotations

import re
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
_GLUED = re.compile(rb"\r(?=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z )")
"""Where a line of pieces ends and the next begins, when the ``local`` driver left out the line feed."""


class LogStreamError(Exception):
    """The engine's stream makes no sense, or says that it failed; the message is the engine's."""


class LineReader(Protocol):
    """Turns the bytes of the engine's answer, cut anywhere, into finished lines."""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in this piece.

        Raises:
            LogStreamError: it is no log stream.
        """

    @property
    def unsettled(self) -> bool:
        """Whether :meth:`settle` would give a line."""

    def settle(self) -> list[bytes]:
        """Nothing comes for a moment: a line that must be whole, though its line feed was left out."""

    def flush(self) -> list[bytes]:
        """The log has ended: what has no end counts as it is."""


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
        short_ends: whether a piece of less than 16 KiB is a line's last one also without a line feed. Docker's
            ``local`` driver leaves the line feed of such lines out (20.10); Podman cuts its pieces shorter.
    """

    def __init__(self, tag: bytes, *, short_ends: bool = True) -> None:
        self._short_ends = short_ends
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
                if self._short_ends and len(text) < _PIECE and not text.endswith(b"\n"):
                    text += b"\n"
                self._joiner.add(STDERR if is_error else STDOUT, time, text, out)
        return out

    @property
    def unsettled(self) -> bool:
        """See :attr:`LineReader.unsettled`: the end of such a line shows at once."""
        return False

    def settle(self) -> list[bytes]:
        """See :meth:`LineReader.settle`."""
        return []

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

    @property
    def unsettled(self) -> bool:
        """See :attr:`LineReader.unsettled`: a terminal ends its lines with CR LF, so a CR at the end is most of it."""
        return len(self._rest) > _PIECE and self._rest.endswith(b"\r")

    def settle(self) -> list[bytes]:
        """See :meth:`LineReader.settle`."""
        out: list[bytes] = []
        if self.unsettled:
            rest, self._rest = self._rest, b""
            self._add(rest + b"\n", out)
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
        raw, space, text = line.partition(b" ")
        if len(text) > _PIECE:
            glued = _GLUED.search(text)
            following = text[glued.end() :] if glued else b""
            text = (text[: glued.end()] + b"\n" if glued else text).replace(raw + space, b"")
            self._joiner.add(STDOUT, _time(raw), text, out)
            if following:
                self._add(following, out)
            return
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
    raw, space, text = payload.partition(b" ")
    return _time(raw.rstrip(b"\r\n")), text if space else b"\n"


def _time(raw: bytes) -> bytes:
    try:
        return fixed_time(raw)
    except ValueError as error:
        raise LogStreamError("the engine sent a line without its time") from error
