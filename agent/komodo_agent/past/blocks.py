"""A block: the codes of all subjects over one stretch of time, as bytes that tell whether they are whole."""

from __future__ import annotations

import struct
import zlib
from array import array

import msgspec

from . import codes

_HEADER = struct.Struct("<4sIqIII")
"""Magic, step in seconds, first slot, slots, bytes after the header, their CRC-32."""
_MAGIC = b"KPB1"
_LENGTH = struct.Struct("<I")
MOST_BYTES = 32 << 20
"""No block is longer; a header that says so is damaged."""


class Columns(msgspec.Struct):
    """The series of one subject within a block."""

    names: tuple[str, ...]
    codes: list[array]  # type: ignore[type-arg]  # msgspec evaluates it, and array is no generic at run time before 3.12

    @classmethod
    def empty(cls, names: tuple[str, ...]) -> Columns:
        """Of no length yet."""
        return cls(names, [array("H") for _ in names])


class Block(msgspec.Struct):
    """``length`` slots of ``step`` seconds; slot n covers [n * step, (n + 1) * step) of Unix time."""

    step: int
    first: int
    length: int
    subjects: dict[str, Columns]


class Extent(msgspec.Struct, frozen=True):
    """Where a block is in a file and what it covers."""

    offset: int
    size: int
    step: int
    first: int
    length: int


class _Index(msgspec.Struct, array_like=True):
    """Where in a block each subject is."""

    names: list[tuple[str, ...]]
    """Names of series: most subjects have the same."""
    subjects: dict[str, tuple[int, int, int]]
    """By subject: which of the names, offset and size."""


_index_decoder = msgspec.msgpack.Decoder(_Index)


def dump(block: Block) -> bytes:
    """The block as bytes."""
    body = bytearray()
    names: dict[tuple[str, ...], int] = {}
    places: dict[str, tuple[int, int, int]] = {}
    for subject, columns in block.subjects.items():
        packed = codes.pack(columns.codes)
        places[subject] = (names.setdefault(columns.names, len(names)), len(body), len(packed))
        body += packed
    head = msgspec.msgpack.encode(_Index(list(names), places))
    rest = _LENGTH.pack(len(head)) + head + bytes(body)
    return _HEADER.pack(_MAGIC, block.step, block.first, block.length, len(rest), zlib.crc32(rest)) + rest


def extents(data: bytes) -> tuple[list[Extent], int]:
    """The whole blocks at the beginning of a file's contents, and where they end: what follows is damaged."""
    found: list[Extent] = []
    offset = 0
    while len(data) - offset >= _HEADER.size:
        magic, step, first, length, size, crc = _HEADER.unpack_from(data, offset)
        start = offset + _HEADER.size
        if magic != _MAGIC or size > MOST_BYTES or len(data) < start + size:
            break
        if zlib.crc32(memoryview(data)[start : start + size]) != crc:
            break
        found.append(Extent(offset, _HEADER.size + size, step, first, length))
        offset = start + size
    return found, offset


def load(data: bytes, extent: Extent, wanted: str | None = None) -> Block:
    """A block of a file's contents, with one subject or all.

    Raises:
        ValueError: it is no block of ours.
    """
    start = extent.offset + _HEADER.size
    (head,) = _LENGTH.unpack_from(data, start)
    begin = start + _LENGTH.size + head
    index = _read_index(data[start + _LENGTH.size : begin])
    subjects: dict[str, Columns] = {}
    for subject, (kind, offset, size) in index.subjects.items():
        if wanted is None or subject == wanted:
            names = index.names[kind]
            packed = data[begin + offset : begin + offset + size]
            subjects[subject] = Columns(names, codes.unpack(packed, len(names), extent.length))
    return Block(extent.step, extent.first, extent.length, subjects)


def subjects(data: bytes, extent: Extent) -> frozenset[str]:
    """Which subjects a block has.

    Raises:
        ValueError: it is no block of ours.
    """
    start = extent.offset + _HEADER.size
    (head,) = _LENGTH.unpack_from(data, start)
    return frozenset(_read_index(data[start + _LENGTH.size : start + _LENGTH.size + head]).subjects)


def _read_index(data: bytes) -> _Index:
    try:
        return _index_decoder.decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
