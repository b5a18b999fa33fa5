"""Whether packing the bytes that are sent pays, measured as they go. Pure but for the clock its caller reads."""

from __future__ import annotations

LEVEL = 1
"""Of zlib: a layer packs nearly as well as at 6, in a third of the time."""
SAMPLE = 32 << 10
"""Bytes of a piece that are packed to see how well that goes."""
_SLOW = 0.012
"""Seconds a MiB may take to be sent before packing is even thought of: zlib needs about as long for one."""
_FIRST_LOOK, _LAST_LOOK = 8, 256
"""Pieces between two samples: more and more while they say no."""
_WEIGHT = 0.3
"""How much the newest figure counts."""
_MIB = 1 << 20


class Packing:
    """Chooses for each piece; keeps running figures a MiB: seconds to send, seconds to pack, and what is left of it."""

    def __init__(self) -> None:
        self._sending: float | None = None
        self._cost: float | None = None
        self._ratio = 1.0
        self._wait = 0
        self._pause = _FIRST_LOOK

    def look_due(self) -> bool:
        """Whether to pack a sample of the next piece, and tell :meth:`packed` of it."""
        if self._sending is None or self._sending < _SLOW:
            return False
        self._wait -= 1
        return self._wait < 0

    def pays(self) -> bool:
        """Whether to pack the next piece."""
        if self._sending is None or self._cost is None or self._sending < _SLOW:
            return False
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
        self._pause = _FIRST_LOOK if self.pays() else min(self._pause * 2, _LAST_LOOK)
        self._wait = self._pause


def _mean(before: float | None, now: float) -> float:
    return now if before is None else before + _WEIGHT * (now - before)
