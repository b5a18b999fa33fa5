"""What a page is: the part of the screen between header and footer, one for each tab.

A page is created when its tab is first shown and stays mounted; the others are merely not displayed. It keeps no copy
of live state: it reads ``runtime.fleet.state`` when it is shown and when :meth:`Page.tick` tells what changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import actions
from textual.widget import Widget

from komodo_tui.ui.timeline.open import Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual import events

    from komodo_tui.domain.operations import Target
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


_LOOKING = ("logs", "merged_logs", "whole_logs")
"""Actions that change nothing; where they are not to be had there is another reason."""


@dataclass(frozen=True)
class Command:
    """One entry of the palette."""

    label: str
    """What is searched and shown: ``restart api-1``."""
    run: Callable[[], None]
    kind: str = "act"
    """One word shown beside it: view, server, container, act."""
    help: str = ""


class Page(Widget):
    """Base of every page. Widgets in it never wait for a server: long work goes to ``shell.acts`` or a worker."""

    TITLE: ClassVar[str] = ""
    DEFAULT_CSS = "Page { height: 1fr; width: 1fr; layout: vertical; }"

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.runtime = runtime
        self.shell = shell

    def on_key(self, event: events.Key) -> None:
        """In read-only mode a key that would change something says why it does not."""
        if not self.runtime.settings.read_only:
            return
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            _, name, parameters = actions.parse(binding.action)
            if name not in _LOOKING and self.check_action(name, parameters) is False:
                self.shell.flash(f"{binding.description}: not in read-only mode", "warn")

    def on_page_show(self) -> None:
        """It came on screen: read everything anew and take the focus."""

    def on_page_hide(self) -> None:
        """It left the screen: stop what nobody sees (feeds of processes and devices, log followers)."""

    def tick(self, changes: Changes) -> None:
        """The frame tick, at most once a second, only while on screen. ``changes`` may be empty: ages still move."""

    def back(self) -> bool:
        """One level back (Esc, q): marks, then filter, then pane. Returns whether there was a level to leave."""
        return False

    def commands(self) -> Iterable[Command]:
        """Entries for the palette: the acts on what is selected."""
        return ()

    def reveal(self, target: Target) -> None:
        """Put the cursor on this and open it: somebody asked for it by name elsewhere."""

    def moment(self) -> Moment:
        """What ``w`` shows the surroundings of: what is selected, and when it happened."""
        return Moment()

    def zoom(self) -> None:
        """Give the focused pane the whole page, or take it back (z)."""

    def restyle(self) -> None:
        """Draw again in new colours. Widgets that cache strips are told here."""
