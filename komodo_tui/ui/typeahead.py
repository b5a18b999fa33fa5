"""Keys typed faster than a field opens.

Textual gives a key to the widget that has the focus when the key arrives, and works bindings later. Of ``/web`` in one
burst (a slow link, a loaded machine, a paste) the ``w``, ``e`` and ``b`` would go to the list, as commands. So what
comes behind a key that opens a field waits until the field has the focus.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual import events
    from textual.app import App
    from textual.timer import Timer

OPENERS = frozenset({"slash", "colon", "ctrl+p", "question_mark"})
"""Keys that open something to type in."""
PATIENCE = 0.4
"""Seconds after which no field comes any more."""
_LOOK = 0.02


class TypeAhead:
    """Holds keys for an app. All of it belongs to the app's own loop."""

    def __init__(self, app: App[int]) -> None:
        self._app = app
        self._held: deque[events.Key] | None = None
        self._left = 0.0
        self._timer: Timer | None = None

    def take(self, event: events.Key) -> bool:
        """Whether the key has to wait; it comes back through ``app.on_event``."""
        if self._held is None:
            return False
        self._held.append(event)
        return True

    def sent(self, event: events.Key) -> None:
        """This key goes its way now; a field may open by it."""
        if event.key in OPENERS and not self._typing():
            self._held = deque()
            self._left = PATIENCE
            self._timer = self._app.set_interval(_LOOK, self._look)

    def _typing(self) -> bool:
        """Whether the focused widget takes letters."""
        focused = self._app.focused
        if focused is None:
            return False
        return bool(getattr(focused, "captures_keys", False)) or focused.check_consume_key("a", "a")

    async def _look(self) -> None:
        self._left -= _LOOK
        if self._left > 0 and not self._typing():
            return
        if self._timer is not None:
            self._timer.stop()
        held, self._held = self._held, None
        for event in held or ():
            await self._app.on_event(event)
