"""Whether a terminal is about to appear. Apart from all else of terminals, which takes long to load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from textual.app import App

_coming: WeakKeyDictionary[App[Any], int] = WeakKeyDictionary()


def is_coming(app: App[Any]) -> bool:
    """Whether one was asked for that is not on the screen yet."""
    return _coming.get(app, 0) > 0


def count(app: App[Any], by: int) -> None:
    """One more (1) was asked for, or one less (-1) is waited for."""
    _coming[app] = _coming.get(app, 0) + by
