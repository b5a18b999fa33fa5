"""Keys typed faster than a field opens.

Textual gives a key to the widget that has the focus when the key arrives, and works bindings later. Of ``/web`` in one
burst (a slow link, a loaded machine, a paste) the ``w``, ``e`` and ``b`` would go to the list, as commands. So what
comes behind a key that opens a field waits until the field has the focus. The same is true of ``s`` and a first
command, and worse: an ``X`` in it would be the list's "remove". What was typed for a shell that does not open
is dropped. And what comes behind a Tab, or behind the Enter that goes to a form's next field, is meant for that field.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from komodo_tui.ui.commands import terminals_of
from komodo_tui.ui.terminal.coming import is_coming

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import App
    from textual.timer import Timer
    from textual.widget import Widget

OPENERS = frozenset({"slash", "colon", "ctrl+p", "question_mark"})
"""Keys that open something to type in."""
SHELLS = frozenset({"servers.shell", "container.shell", "container.attach", "deployment.shell"})
"""Ids of the bindings that open a terminal."""
DRAWER = "app.drawer"
"""Id of the binding that goes into those that are open."""
PATIENCE = 0.4
"""Seconds after which no field comes any more."""
PATIENCE_PAGE = 5.0
"""The same for a page that is made: without a focused widget its keys would go nowhere."""
PATIENCE_SHELL = 0.6
"""The same for a terminal pane that nobody has asked for yet; one that was asked for is waited for."""
MOVERS = frozenset({"tab", "shift+tab"})
"""Keys that give the focus to another field."""
_LOOK = 0.02
_FIELDS = ("Input", "TextArea")
"""Textual's own, by their names: they are loaded when one is shown."""
_EDITS = ("delete_", "cursor_", "undo", "redo")


def edit_of(focused: Widget | None, key: str) -> str:
    """The action by which a key edits the focused field, or moves in it; empty where it does not.

    Textual puts letters in at once, and works such a key when it has been to all that the field lies in: of ``ab``,
    backspace, ``c`` in one burst the ``c`` would go, not the ``b``.
    """
    if focused is None or not any(kind.__name__ in _FIELDS for kind in type(focused).__mro__):
        return ""
    actions = [binding.action for binding in focused._bindings.key_to_bindings.get(key, ())]
    return next((action for action in actions if action.startswith(_EDITS)), "")


class TypeAhead:
    """Holds keys for an app. All of it belongs to the app's own loop."""

    def __init__(self, app: App[int]) -> None:
        self._app = app
        self._held: deque[events.Key] | None = None
        self._left = 0.0
        self._of_terminal = False
        self._ready: Callable[[], bool] = self._typing
        self._moving: events.Key | None = None
        self._timer: Timer | None = None

    def take(self, event: events.Key) -> bool:
        """Whether the key has to wait; it comes back through ``app.on_event``."""
        if self._held is None:
            return False
        self._held.append(event)
        return True

    def sent(self, event: events.Key) -> None:
        """This key goes its way now; a field or a terminal may open by it, or the focus go to another field."""
        if self._moves(event):
            field, screen = self._app.focused, self._app.screen
            self._hold(PATIENCE, of_terminal=False)
            if event.key in MOVERS:
                self._moving = event
                self._ready = lambda: self._moving is None
            else:
                self._ready = lambda: self._app.focused is not field or self._app.screen is not screen
            return
        if self._typing():
            return
        if event.key in OPENERS:
            self._hold(PATIENCE, of_terminal=False)
        elif self._opens_shell(event.key):
            self._hold(PATIENCE_SHELL, of_terminal=True)

    def came_round(self, event: events.Key) -> None:
        """No widget wanted this key: the bindings have worked it."""
        if event is self._moving:
            self._moving = None

    def _moves(self, event: events.Key) -> bool:
        """Whether the key gives the focus to another field."""
        if event.key in MOVERS:
            focused = self._app.focused
            return focused is not None and not (
                getattr(focused, "captures_keys", False) or focused.check_consume_key(event.key, event.character)
            )
        return event.key == "enter" and bool(getattr(self._app.screen, "enter_goes_on", False))

    def wait_for_page(self, ready: Callable[[], bool]) -> None:
        """A page is being made: keys wait until it has the focus."""
        if self._held is None:
            self._hold(PATIENCE_PAGE, of_terminal=False)
            self._ready = ready

    def _hold(self, patience: float, *, of_terminal: bool) -> None:
        self._held = deque()
        self._left, self._of_terminal, self._ready = patience, of_terminal, self._typing
        self._timer = self._app.set_interval(_LOOK, self._look)

    def _opens_shell(self, key: str) -> bool:
        """Whether the key, as the keymap has it, is one of those that end in a terminal."""
        active = self._app.screen.active_bindings.get(key)
        if active is None or not active.enabled:
            return False
        if active.binding.id == DRAWER:
            return not hasattr(self._app.focused, "captures_keys") and bool(terminals_of(self._app).terminals)
        return active.binding.id in SHELLS

    def _typing(self) -> bool:
        """Whether the focused widget takes letters."""
        focused = self._app.focused
        if focused is None:
            return False
        return bool(getattr(focused, "captures_keys", False)) or focused.check_consume_key("a", "a")

    async def _look(self) -> None:
        if not self._app.screen_stack:
            return  # the program is ending
        self._left -= _LOOK
        if self._of_terminal and is_coming(
            self._app
        ):  # the first one loads what draws it, on a busy machine for seconds
            self._left = max(self._left, PATIENCE_SHELL)
        typing = self._ready()
        if self._left > 0 and not typing and not (self._of_terminal and self._refused()):
            return
        if self._timer is not None:
            self._timer.stop()
        held, self._held = self._held, None
        if self._of_terminal and not typing:
            return  # they were meant for a program: here they would be commands
        for event in held or ():
            await self._app.on_event(event)

    def _refused(self) -> bool:
        """Whether a dialog came instead of a terminal."""
        return len(self._app.screen_stack) > 1
