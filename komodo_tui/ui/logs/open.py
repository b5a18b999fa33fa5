"""One call for pages: the logs of one or several containers, merged, on their own page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import App

    from komodo_tui.domain.operations import Target
    from komodo_tui.ui.page import Page

PAGE = "logs"


@dataclass(frozen=True)
class WantedLogs:
    """Which containers' logs somebody asked for."""

    targets: tuple[Target, ...]
    around: tuple[float, float] | None = None
    """Unix time, and seconds before and after it; None: the span that is usual."""


_WANTED: WeakKeyDictionary[App[object], WantedLogs] = WeakKeyDictionary()


def open_logs(page: Page, targets: Sequence[Target], *, around: tuple[float, float] | None = None) -> None:
    """Show the logs of these containers (``id`` or ``name`` given in each), merged in order of time.

    ``around`` is a Unix time and the seconds before and after it that are wanted; without it, what is usual.
    Esc there leads back to ``page``. Targets without a container are left out; without any a message says so.
    """
    wanted = tuple(dict.fromkeys(target for target in targets if target.id or target.name))
    if not wanted:
        page.shell.flash("no container to show the log of", "warn")
        return
    _WANTED[page.app] = WantedLogs(wanted, around)
    page.shell.go(PAGE, wanted[0])


def is_wanted(app: App[object]) -> bool:
    """Whether :func:`open_logs` asked for something that has not been taken yet."""
    return app in _WANTED


def take_wanted(app: App[object]) -> WantedLogs | None:
    """What :func:`open_logs` asked for since the last call."""
    return _WANTED.pop(app, None)
