"""What pages may ask of the program around them. :class:`~komodo_tui.ui.app.KomodoApp` is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from textual.screen import ModalScreen

    from komodo_tui.domain.errors import KomodoError
    from komodo_tui.domain.operations import Target
    from komodo_tui.ui.acting import Acts
    from komodo_tui.ui.look import Look

T = TypeVar("T")


class Shell(Protocol):
    """The services of the app to its pages."""

    look: Look

    @property
    def acts(self) -> Acts:
        """Plan, confirm, run and report acts."""
        ...

    def now(self) -> float:
        """Unix time; fixed in tests."""
        ...

    def go(self, page: str, target: Target | None = None) -> None:
        """Show a page by its id, and reveal something in it."""
        ...

    async def ask(self, dialog: ModalScreen[T]) -> T | None:
        """Show a dialog and wait for its result; None when it was left. Call it from a worker (:meth:`work`)."""
        ...

    def work(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine as a task of the app; a :class:`KomodoError` it raises is shown."""
        ...

    def show_error(self, error: KomodoError) -> None:
        """Show an error until it is dismissed."""
        ...

    def flash(self, text: str, tone: str = "info") -> None:
        """Say something short in the footer for a few seconds."""
        ...

    def copy(self, text: str, what: str) -> None:
        """Copy to the clipboard of the terminal, and say ``copied <what>``, or why it may not have arrived."""
        ...
