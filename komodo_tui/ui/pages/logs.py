"""The Logs page: the logs of one or several containers as one, followed live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.ui.logs.open import take_wanted
from komodo_tui.ui.page import Page

if TYPE_CHECKING:
    from komodo_tui.domain.operations import Target


class LogsPage(Page):
    """Shows what :func:`~komodo_tui.ui.logs.open.open_logs` asked for."""

    TITLE = "Logs"

    def reveal(self, target: Target) -> None:
        """Follow this container, or those that were asked for with it."""
        self.targets = take_wanted(self.app) or (target,)
