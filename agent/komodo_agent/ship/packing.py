"""Whether packing the bytes that are sent pays, measured as they go. Pure but for the clock its caller reads."""

from __future__ import annotations

LEVEL = 1
"""Of zlib: a layer packs nearly as well as at 6, in a third of the time."""
_SLOW = 0.012
"""Seconds a MiB may take to be sent before packing is even tried: zlib needs about as long for one."""
_PROBE_EVERY = 16
_WEIGHT = 0.3
"""How much the newest figure counts."""
_MIB = 1 << 20


class Packing:
    """Chooses for each piece; keeps running figures a MiB: seconds to send, seconds to pack, and what is left of it."""

    def __init__(self) -> None:
        self._sending: float | None = None
        self._cost: float | None = None
        self._ratio = 1.0
        self._pieces = 0

    def wanted(self) -> bool:
        """Whether to pack the next piece."""
        self._pieces += 1
        if self._sending is None or self._sending < _SLOW:
            return False
        if self._cost is None or self._pieces % _PROBE_EVERY == 0:
            return True
        return self._cost + self._sending * self._ratio < self._sending

    def sent(self, stored: int, seconds: float) -> None:
        """So many bytes went out in so long."""
        if stored:
            self._sending = _mean(self._sending, seconds * _MIB / stored)

    def packed(self, plain: int, stored: int, seconds: float) -> None:
        """So many bytes became so many."""
        if plain:
            self._cost = _mean(self._cost, seconds * _MIB / plain)
            self._ratio = _mean(self._ratio, stored / plain)


def _mean(before: float | None, now: float) -> float:
    return now if before is None else before + _WEIGHT * (now - before)
