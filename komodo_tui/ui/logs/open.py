"""One call for pages: the logs of one or several containers, merged, on their own page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import App

    from komodo_tui.domain.operations import Target
    from komodo_tui.ui.page import Page

PAGE = "logs"

_WANTED: WeakKeyDictionary[App[object], tuple[Target, ...]] = WeakKeyDictionary()


def open_logs(page: Page, targets: Sequence[Target]) -> None:
    """Show the logs of these containers (``id`` or ``name`` given in each), merged in order of time.

    Esc there leads back to ``page``. Targets without a container are left out; without any a message says so.
    """
    wanted = tuple(dict.fromkeys(target for target in targets if target.id or target.name))
    if not wanted:
        page.shell.flash("no container to show the log of", "warn")
        return
    _WANTED[page.app] = wanted
    page.shell.go(PAGE, wanted[0])


def is_wanted(app: App[object]) -> bool:
    """Whether :func:`open_logs` asked for something that has not been taken yet."""
    return app in _WANTED


def take_wanted(app: App[object]) -> tuple[Target, ...]:
    """What :func:`open_logs` asked for since the last call; empty for nothing."""
    return _WANTED.pop(app, ())
