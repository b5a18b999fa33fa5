"""The frame tick: look for changes often, show them seldom, and write nothing when there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.fleet.live import Changes, Subscription

POLL = 0.25
"""Seconds between looks."""
SLOW_LATENCY = 0.15
"""Seconds of round trip of the person's own SSH session from which repaints are halved."""


class Ticker:
    """Gathers the changes of a subscription and commits them at most once a ``period``.

    A change after a quiet time is shown at the next look, within :data:`POLL`, as are containers and servers that
    appear or go.
    """

    def __init__(self, subscription: Subscription, commit: Callable[[Changes], None], period: float) -> None:
        self._subscription = subscription
        self._commit = commit
        self.period = period
        self._last = float("-inf")
        self._ages = float("-inf")

    def poll(self, now: float) -> None:
        """Look; ``now`` is monotonic."""
        # A quarter of a period early is on time: the poll's own grid must not stretch one second to 1.25.
        if now - self._last < self.period - POLL / 2 and not self._subscription.structure:
            return
        changes = self._subscription.take()
        if not changes and now - self._ages < max(1.0, self.period):
            return
        self._last = self._ages = now
        self._commit(changes)

    def close(self) -> None:
        """Hear no more."""
        self._subscription.close()
