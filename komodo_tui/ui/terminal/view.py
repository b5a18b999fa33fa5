"""What a terminal tells those who look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class View(Protocol):
    """What looks at a terminal."""

    def draw(self, rows: Iterable[int]) -> None:
        """These rows of the picture changed."""
        ...

    def announce(self) -> None:
        """State, title or notice changed."""
        ...

    def ring(self) -> None:
        """The program rang the bell."""
        ...

    def offer_clipboard(self, text: str) -> None:
        """The program wants this in the clipboard."""
        ...
