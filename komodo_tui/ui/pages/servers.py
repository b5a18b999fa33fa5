"""The Servers page: the fleet at a glance."""

from __future__ import annotations

from komodo_tui.ui.page import Page


class ServersPage(Page):
    """The fleet."""

    TITLE = "Servers"
