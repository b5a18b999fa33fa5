"""What a widget draws with: the palette of the theme and the glyphs of the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from komodo_tui.ui.palette import DEFAULT_COLORS, Palette
from komodo_tui.ui.render.glyphs import UNICODE, Glyphs

if TYPE_CHECKING:
    from textual.widget import Widget


@dataclass(frozen=True)
class Look:
    """Palette and glyphs; replaced as a whole when the theme changes."""

    palette: Palette
    glyphs: Glyphs


DEFAULT_LOOK = Look(Palette(DEFAULT_COLORS), UNICODE)


@runtime_checkable
class HasLook(Protocol):
    """An app that has one."""

    look: Look


def look_of(widget: Widget) -> Look:
    """The look of the widget's app; the default in an app that has none (tests, tools)."""
    app = widget.app
    return app.look if isinstance(app, HasLook) else DEFAULT_LOOK
