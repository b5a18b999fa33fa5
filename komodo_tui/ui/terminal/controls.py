"""What a pane does with an open terminal: send it keys, and look through what it has shown."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

from komodo_tui.domain.errors import KomodoError
from komodo_tui.ui.terminal import keys
from komodo_tui.ui.terminal.core import CoreLostError, Hit, Scrollbar

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Awaitable, Callable

    from komodo_tui.ui.terminal.core import Frame, KeyInput, MouseInput, PaneCore
    from komodo_tui.ui.terminal.painter import Painter
    from komodo_tui.ui.terminal.pump import Pump

EARLY = 1024
"""Keys and pastes kept for a program that is being started; what is more is dropped."""
T = TypeVar("T")
State = Literal["new", "opening", "running", "ended", "failed"]


class TerminalControls:
    """The part of :class:`~komodo_tui.ui.terminal.terminal.Terminal` that the keys and the mouse are for."""

    state: State
    frame: Frame | None
    _core: PaneCore | None
    _pump: Pump | None
    _painter: Painter
    _early: deque[Callable[[], None]]
    """What was typed before there was a program to type to."""

    @abstractmethod
    def say(self, text: str) -> None:
        """Show a sentence to who looks at it."""

    @abstractmethod
    def _fail(self, error: KomodoError) -> None:
        """Tell of an error."""

    # -- input --------------------------------------------------------------------------------------------------

    def _wait(self, send: Callable[[], None]) -> bool:
        """While it opens, input is kept for the program; whether that is so."""
        waits = self.state in ("new", "opening")
        if waits and len(self._early) < EARLY:
            self._early.append(send)
        return waits

    def _send_early(self) -> None:
        """The program is there now."""
        while self._early:
            self._early.popleft()()

    def _send(self, data: bytes | Callable[[], Awaitable[bytes]]) -> None:
        if self._pump is not None and self.state == "running" and not self._pump.send(data):
            self.say("the program does not read its input; what you type is dropped")

    def attend(self) -> None:
        """A key was pressed at it: pictures of a flood can wait, what the key does cannot."""
        self._painter.typed()

    def send_bytes(self, data: bytes) -> None:
        """Input as it is."""
        if self._wait(partial(self.send_bytes, data)):
            return
        self._send(data)

    def send_key(self, key: KeyInput) -> None:
        """A key press, encoded as the program expects it."""
        if self._wait(partial(self.send_key, key)):
            return
        keyboard = self.frame.keyboard if self.frame is not None else 0
        raw = keys.direct(key, keyboard)
        if raw is not None:
            self._send(raw)
        elif self._core is not None:
            self._send(partial(self._core.encode_key, keys.expressible(key, keyboard)))

    def send_mouse(self, mouse: MouseInput) -> None:
        """A mouse event, if the program tracks it."""
        if self._core is not None:
            self._send(partial(self._core.encode_mouse, mouse))

    def send_paste(self, text: str) -> None:
        """Pasted text."""
        if self._wait(partial(self.send_paste, text)):
            return
        if self._core is not None:
            self._send(partial(self._core.encode_paste, text))

    def send_focus(self, focused: bool) -> None:
        """The pane gained or lost the focus."""
        if self._core is not None:
            self._send(partial(self._core.encode_focus, focused))

    # -- history ------------------------------------------------------------------------------------------------

    async def _ask(self, question: Callable[[PaneCore], Awaitable[T]], otherwise: T) -> T:
        """Ask the core; a lost one fails the terminal and gives ``otherwise``."""
        if self._core is None:
            return otherwise
        try:
            return await question(self._core)
        except CoreLostError as error:
            self._fail(lost(error))
            return otherwise
        finally:
            self._painter.wake()

    async def scroll(self, delta: int) -> Scrollbar:
        """Move the view of the history by rows."""
        return await self._ask(lambda core: core.scroll(delta), Scrollbar())

    async def scroll_to(self, row: int) -> Scrollbar:
        """Put a row of the history on top."""
        return await self._ask(lambda core: core.scroll_to(row), Scrollbar())

    async def scroll_bottom(self) -> Scrollbar:
        """Follow the output."""
        return await self._ask(lambda core: core.scroll_bottom(), Scrollbar())

    async def search(self, text: str) -> list[Hit]:
        """Where a text is in history and screen."""
        return await self._ask(lambda core: core.search(text), [])

    async def text(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        """The text between two cells (row, column), the end inclusive."""
        return await self._ask(lambda core: core.text(*start, *end), "")


def lost(error: CoreLostError) -> KomodoError:
    """What is said of a core that cannot go on."""
    return KomodoError(str(error), hint="the program still runs; open the terminal again or close it")
