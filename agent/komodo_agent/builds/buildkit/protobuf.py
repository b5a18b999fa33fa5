"""Protocol buffers, as much of them as BuildKit's few messages need. Pure.

Source: https://protobuf.dev/programming-guides/encoding/. A message is a row of fields; a field is its number with
the kind of its value, then the value. Unknown fields are passed over, so that newer engines may say more.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_MASK = (1 << 64) - 1
_LITTLE = {FIXED64: struct.Struct("<Q"), FIXED32: struct.Struct("<L")}


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of each field: a number (as it stands, without its sign) or bytes.

    Raises:
        ValueError: this is no message.
    """
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if not number:
            raise ValueError("a field has the number 0")
        value: int | bytes
        if kind == VARINT:
            value, at = _varint(data, at)
        elif kind == BYTES:
            size, at = _varint(data, at)
            if size > end - at:
                raise ValueError("a field ends after its message")
            value, at = data[at : at + size], at + size
        elif kind in _LITTLE:
            form = _LITTLE[kind]
            if form.size > end - at:
                raise ValueError("a field ends after its message")
            value, at = form.unpack_from(data, at)[0], at + form.size
        else:
            raise ValueError(f"a field of kind {kind}")
        yield number, value


def signed(value: int | bytes) -> int:
    """A number that may be below zero (``int64``); 0 where it is none."""
    if isinstance(value, bytes):
        return 0
    return value - (1 << 64) if value >> 63 else value


def text(value: int | bytes) -> str:
    """A string; empty where it is none."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def raw(value: int | bytes) -> bytes:
    """Bytes; empty where it is none."""
    return value if isinstance(value, bytes) else b""


def number(field: int, value: int) -> bytes:
    """A field with a number; nothing where it is 0, as the format has it."""
    return _encoded(field << 3) + _encoded(value & _MASK) if value else b""


def block(field: int, value: bytes) -> bytes:
    """A field with bytes, a string or a message, also where that is empty."""
    return _encoded(field << 3 | BYTES) + _encoded(len(value)) + value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(_LONGEST_VARINT):
        if at >= len(data):
            raise ValueError("a number ends after its message")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value & _MASK, at
    raise ValueError("a number has more than 64 bits")


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
