"""Values as 16-bit codes, and columns of codes as few bytes.

A code is the logarithm of the value in steps of 1 %, so that bytes and percents alike come back within 0.5 % of what
they were. Neighbours in time are mostly alike: columns are stored as differences, low bytes apart from high ones,
which zlib then makes small.
"""

from __future__ import annotations

import math
import sys
import zlib
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSING = 0xFFFF
_LEAST = 1e-3
"""The smallest value told from zero."""
_STEP = math.log(1.01)
_LOG_LEAST = math.log(_LEAST)
_GREATEST = 0xFFFE
_LEVEL = 6


def encode(value: float) -> int:
    """The code of a value; :data:`MISSING` for NaN, 0 for what is not above zero."""
    if value != value:  # NaN is the one value that differs from itself
        return MISSING
    if value < _LEAST / 2:
        return 0
    return min(1 + max(0, round((math.log(value) - _LOG_LEAST) / _STEP)), _GREATEST)


def decode(code: int) -> float:
    """The value of a code, NaN for :data:`MISSING`."""
    if code == MISSING:
        return math.nan
    return 0.0 if code == 0 else math.exp(_LOG_LEAST + (code - 1) * _STEP)


def pack(columns: Sequence[array[int]]) -> bytes:
    """Columns of one length as bytes; see :func:`unpack`."""
    differences = array("H")
    for column in columns:
        before = 0
        for code in column:
            change = (code - before + 0x8000 & 0xFFFF) - 0x8000
            differences.append((change << 1 ^ change >> 15) & 0xFFFF)
            before = code
    if sys.byteorder == "big":
        differences.byteswap()
    raw = differences.tobytes()
    return zlib.compress(raw[0::2] + raw[1::2], _LEVEL)


def unpack(data: bytes, columns: int, length: int) -> list[array[int]]:
    """The columns that were packed.

    Raises:
        ValueError: these are no ``columns`` of this length.
    """
    try:
        planes = zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    count = columns * length
    if len(planes) != count * 2:
        raise ValueError(f"{len(planes)} bytes instead of {count * 2}")
    found: list[array[int]] = []
    for start in range(0, count, length):
        column, before = array("H"), 0
        for low, high in zip(
            planes[start : start + length], planes[count + start : count + start + length], strict=True
        ):
            folded = low | high << 8
            before = before + (folded >> 1 ^ -(folded & 1)) & 0xFFFF
            column.append(before)
        found.append(column)
    return found
