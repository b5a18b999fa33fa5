"""One call for pages: what happened around a time, on its own page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from textual.app import App

    from komodo_tui.ui.page import Page

PAGE = "timeline"


@dataclass(frozen=True)
class Moment:
    """What somebody wants to see the surroundings of."""

    at: float | None = None
    """Unix time; None: up to now."""
    server: str = ""
    """Whose figures come first; empty: none is meant."""
    subject: str = ""
    """The container whose figures come instead of the server's."""


_WANTED: WeakKeyDictionary[App[object], Moment] = WeakKeyDictionary()


def open_timeline(page: Page, moment: Moment) -> None:
    """Show what happened around it; Esc there leads back to ``page``."""
    _WANTED[page.app] = moment
    page.shell.go(PAGE)


def take_wanted(app: App[object]) -> Moment | None:
    """What :func:`open_timeline` asked for since the last call."""
    return _WANTED.pop(app, None)
