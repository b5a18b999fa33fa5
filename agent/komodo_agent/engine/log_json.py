"""The json-file driver's format: one JSON object a line, ``{"log":"…\\n","stream":"stdout","time":"…"}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..wire.logs import MAX_LINE, TIME
from .log_lines import STDERR, STDOUT, Joiner, fixed_time

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 4 << 20
"""Bytes after which what has no end is no entry."""
_BEGIN = b'{"log":'


class Entry(msgspec.Struct, gc=False):
    """What the driver writes for a line, or for a piece of one; ``log`` ends with a line feed when the line does."""

    time: str
    log: str = ""
    stream: str = "stdout"


_decoder = msgspec.json.Decoder(Entry)
decode = _decoder.decode
_decode_lines = _decoder.decode_lines


def first_time(data: bytes) -> bytes:
    """TIME of the first readable entry; empty when there is none."""
    return _time_of_any(data.split(b"\n"))


def last_time(data: bytes) -> bytes:
    """TIME of the last readable entry; empty when there is none."""
    return _time_of_any(reversed(data.split(b"\n")))


def entry_time(entry: Entry) -> bytes:
    """TIME of an entry.

    Raises:
        ValueError: it has none.
    """
    return fixed_time(entry.time.encode("ascii", "replace"))


def _time_of_any(lines: Iterable[bytes]) -> bytes:
    for raw in lines:
        try:
            return entry_time(decode(raw))
        except (msgspec.DecodeError, ValueError):
            continue
    return b""


class JsonLines:
    """Turns the bytes of a json-file, cut anywhere, into finished lines.

    Args:
        tag: TAG of the source.
    """

    def __init__(self, tag: bytes) -> None:
        self._joiner = Joiner(tag)
        self._rest = b""
        self._damaged_lines = 0
        self._damaged_size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in this piece."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._rest += data
            if len(self._rest) > _LONGEST:
                self._skip(self._rest)
                self._rest = b""
            return []
        whole = self._rest + data[:end]
        self._rest = data[end:]
        out: list[bytes] = []
        try:
            entries = _decode_lines(whole)
        except msgspec.DecodeError:
            # entry by entry: one that is damaged must not take its neighbours with it
            for raw in whole.split(b"\n"):
                self._one(raw, out)
        else:
            self._format(entries, out)
        return out

    def finish(self) -> list[bytes]:
        """The file has ended: a last entry without its line feed counts if it is whole."""
        out: list[bytes] = []
        rest, self._rest = self._rest, b""
        self._one(rest, out)
        return out

    def flush(self) -> list[bytes]:
        """The log has ended: a line without its end counts as it is."""
        out = self.finish()
        self._joiner.flush(out)
        return out

    def take_damage(self) -> tuple[int, int]:
        """Entries that could not be read since the last call, and their bytes."""
        damage = self._damaged_lines, self._damaged_size
        self._damaged_lines = self._damaged_size = 0
        return damage

    def _format(self, entries: list[Entry], out: list[bytes]) -> None:
        pending, prefixes = self._joiner.pending, self._joiner.prefixes
        out_prefix, err_prefix = prefixes[STDOUT], prefixes[STDERR]
        append = out.append
        for entry in entries:
            text, time = entry.log, entry.time
            is_error, size = entry.stream == "stderr", len(text)
            if (
                0 < size <= MAX_LINE
                and text.find("\n") == size - 1
                and text[-2:-1] != "\r"
                and len(time) == TIME
                and (STDERR if is_error else STDOUT) not in pending
            ):
                append((err_prefix if is_error else out_prefix) + f"{time} {text}".encode("utf-8", "replace"))
            else:
                self._add(entry, STDERR if is_error else STDOUT, out)

    def _add(self, entry: Entry, stream: bytes, out: list[bytes]) -> None:
        text = entry.log.encode("utf-8", "replace")
        try:
            time = entry_time(entry)
        except ValueError:
            self._skip(text)
        else:
            self._joiner.add(stream, time, text, out)

    def _one(self, raw: bytes, out: list[bytes]) -> None:
        """One entry. After a crash a torn one, or a hole of zeros, may stand before it on its line."""
        raw = raw.strip()
        while raw:
            try:
                entry = decode(raw)
            except msgspec.DecodeError:
                begin = raw.find(_BEGIN, 1)
                self._skip(raw[:begin] if begin > 0 else raw)
                raw = raw[begin:] if begin > 0 else b""
            else:
                self._format([entry], out)
                return

    def _skip(self, raw: bytes) -> None:
        self._damaged_lines += 1
        self._damaged_size += len(raw)
