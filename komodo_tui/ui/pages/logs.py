"""The Logs page: the logs of one or several containers as one, followed live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.ui.logs.console import LogConsole
from komodo_tui.ui.logs.open import is_wanted, take_wanted
from komodo_tui.ui.page import Page

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from komodo_tui.domain.operations import Target
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class LogsPage(Page):
    """Shows what :func:`~komodo_tui.ui.logs.open.open_logs` asked for.

    On a short screen it takes the room of the tabs too.
    """

    TITLE = "Logs"

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self.console = LogConsole(runtime, shell, id="log-console")
        self._on_screen = False
        self._alone = False
        """Whether the log has the whole of a tall screen (z)."""

    def compose(self) -> ComposeResult:
        """The log."""
        yield self.console

    def reveal(self, target: Target) -> None:
        """Follow this container, or those that were asked for with it; what is followed already goes on."""
        asked = take_wanted(self.app)
        wanted = asked.targets if asked is not None else (target,)
        around = asked.around if asked is not None else None
        if wanted != self.console.targets or not self.console.following or self.console.bound or around:
            self.console.follow(wanted, around)

    def on_page_show(self) -> None:
        """Go on with what was followed before, where nothing else is wanted."""
        self._on_screen = True
        self._chrome()
        self.console.view.focus()
        self.console.wake()
        self.console.look_at_containers()
        if not self.console.following and not is_wanted(self.app):
            self.console.begin()

    def on_page_hide(self) -> None:
        """Read no more until the page is back."""
        self._on_screen = False
        self._chrome()
        self.console.sleep()

    def on_resize(self) -> None:
        """A short screen has no room for tabs."""
        if self._on_screen:
            self._chrome()

    def _chrome(self) -> None:
        hidden = self._on_screen and (self._alone or self.screen.has_class("-short"))
        self.screen.query("#tabs, #fleet").set(display=not hidden)

    def tick(self, changes: Changes) -> None:
        """Containers stop and start."""
        if changes.containers or changes.servers:
            self.console.look_at_containers()

    def back(self) -> bool:
        """One level in the log, then the page before; what was followed is followed no more."""
        if not self.console.back():
            self.console.stop()
            self.call_later(self.app.run_action, "app.last_page")
        return True

    def zoom(self) -> None:
        """The opened line gets the page; without one, the log gets the screen."""
        if not self.console.zoom() and not self.screen.has_class("-short"):
            self._alone = not self._alone
            self._chrome()

    def restyle(self) -> None:
        """New colours."""
        self.console.redraw()
        self.console.detail.restyle()
