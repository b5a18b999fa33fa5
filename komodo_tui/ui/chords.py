"""Two-key commands: a prefix, then a letter within a moment. Textual has none built in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from komodo_tui.ui.look import look_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.timer import Timer

WAIT = 1.2
"""Seconds the second key may take."""


@dataclass(frozen=True)
class Chord:
    """What a second key does."""

    help: str
    run: Callable[[], None]


class WhichKey(Static):
    """The second keys there are, at the bottom while one is awaited."""

    DEFAULT_CSS = """
    WhichKey { display: none; dock: bottom; height: auto; max-height: 12; padding: 0 1; margin: 0 0 1 0;
        background: $panel; }
    """

    def show(self, prefix: str, chords: Mapping[str, Chord]) -> None:
        """List them in columns."""
        style = look_of(self).palette.style
        width = max((len(chord.help) for chord in chords.values()), default=0) + 6
        columns = max(1, (self.app.size.width - 2) // width)
        text = Text(no_wrap=True)
        for n, (key, chord) in enumerate(chords.items()):
            if n and n % columns == 0:
                text.append("\n")
            text.append(f"{prefix} {key}", style("accent bold"))
            text.append(f" {chord.help}".ljust(width - 3), style("foreground"))
        self.update(text)
        self.display = True


class Chords:
    """Holds a prefix until its second key comes, or the moment passes."""

    def __init__(self, panel: WhichKey, table: Mapping[str, Mapping[str, Chord]]) -> None:
        self._panel = panel
        self._table = table
        self._prefix = ""
        self._timer: Timer | None = None

    def take(self, key: str) -> bool:
        """Whether the key belongs to a chord, and is dealt with."""
        if self._prefix:
            prefix, chords = self._prefix, self._table[self._prefix]
            self.cancel()
            if key == "escape":
                return True
            chord = chords.get(key)
            if chord is not None:
                chord.run()
                return True
            return key == prefix
        if key not in self._table:
            return False
        self._prefix = key
        self._panel.show(key, self._table[key])
        self._timer = self._panel.set_timer(WAIT, self.cancel)
        return True

    def cancel(self) -> None:
        """Wait no more."""
        self._prefix = ""
        self._panel.display = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
