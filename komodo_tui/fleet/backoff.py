"""How long to wait before the next try."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Backoff:
    """Full jitter: a random part of a limit that doubles, so that many servers never come back in step."""

    def __init__(self, first: float, longest: float, *, least: float = 0.0) -> None:
        """Seconds: the first limit, the last limit, and the shortest wait of all."""
        self._first = first
        self._longest = longest
        self._least = least
        self._tries = 0

    def next(self) -> float:
        """Seconds to wait before the next try."""
        limit = min(self._longest, self._first * 2.0 ** min(self._tries, 16))
        self._tries += 1
        return max(self._least, random.uniform(0.0, limit))

    def reset(self) -> None:
        """It worked."""
        self._tries = 0


FAST_RETRY, FAST_FOR, SLOW_RETRY = 3.0, 600.0, 15.0
"""Longest seconds between tries to reach a silent host: at first, for how many seconds, and after that. A try that
gets no answer costs a few packets, so a server that returns is seen within 5 s."""
HANDSHAKE_RETRY = 30.0
_LEAST = 0.1


class HostPauses:
    """The pauses between tries to reach one host."""

    def __init__(self, spread: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        """``spread`` gives the longest first pause after a loss: longer when many are lost at once."""
        self._spread = spread
        self._clock = clock
        self._silent = Backoff(1.0, FAST_RETRY, least=_LEAST)
        self._handshake = Backoff(1.0, HANDSHAKE_RETRY, least=0.5)
        self._down_since: float | None = None

    def next(self, *, connected: bool, handshake: bool) -> float:
        """Seconds to wait now: after a loss (``connected``), a broken handshake, or silence."""
        now = self._clock()
        if connected or self._down_since is None:
            self._down_since = now
            self._silent.reset()
        if connected:
            self._handshake.reset()
            return random.uniform(0.0, max(0.5, self._spread()))
        if handshake:
            return self._handshake.next()
        if now - self._down_since > FAST_FOR:
            return random.uniform(_LEAST, SLOW_RETRY)
        return self._silent.next()
