"""The tabs of the product, in their places. A page is imported when its tab is first shown, or ahead, in idle time."""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from komodo_tui.ui.page import Page


@dataclass(frozen=True)
class PageSpec:
    """A tab. Either ``target`` says where its page is, or ``note`` what will stand there."""

    id: str
    title: str
    short: str
    """Title where room is short."""
    key: str
    """Digit of the tab; empty: under ``0`` more."""
    letter: str
    """After ``g``."""
    target: str = ""
    """``module:Class`` of a :class:`~komodo_tui.ui.page.Page`."""
    note: str = ""

    def load(self) -> type[Page]:
        """The class of the page, its module imported now."""
        module, _, name = (self.target or "komodo_tui.ui.pages.later:LaterPage").partition(":")
        found: type[Page] = getattr(importlib.import_module(module), name)
        return found


_BEFORE = 2.0
"""Seconds after the first screen: connections come first."""
_BETWEEN = 0.1


async def load_ahead() -> None:
    """Import the modules of all pages in a thread, one after another: then their tabs open without a wait."""
    await asyncio.sleep(_BEFORE)
    for spec in PAGES:
        await asyncio.to_thread(spec.load)
        await asyncio.sleep(_BETWEEN)


PAGES: tuple[PageSpec, ...] = (
    PageSpec("servers", "Servers", "Servers", "1", "s", target="komodo_tui.ui.pages.servers:ServersPage"),
    PageSpec("resources", "Resources", "Res", "2", "r",
             target="komodo_tui.ui.pages.resources:ResourcesPage"),
    PageSpec("containers", "Containers", "Containers", "3", "c",
             target="komodo_tui.ui.pages.containers:ContainersPage"),
    PageSpec("stacks", "Stacks", "Stacks", "4", "k", target="komodo_tui.ui.pages.stacks:StacksPage"),
    PageSpec("deployments", "Deployments", "Deploy", "5", "d",
             target="komodo_tui.ui.pages.deployments:DeploymentsPage"),
    PageSpec("builds", "Builds", "Builds", "6", "b", target="komodo_tui.ui.pages.builds:BuildsPage"),
    PageSpec("repos", "Repos", "Repos", "7", "o", target="komodo_tui.ui.pages.repos:ReposPage"),
    PageSpec("procedures", "Procedures", "Proc", "8", "p",
             target="komodo_tui.ui.pages.procedures:ProceduresPage"),
    PageSpec("actions", "Actions", "Actions", "9", "h",
             target="komodo_tui.ui.pages.actions:ActionsPage"),
    PageSpec("delivery", "Delivery", "Delivery", "", "f",
             target="komodo_tui.ui.pages.delivery:DeliveryPage"),
    PageSpec("registries", "Registries", "Registries", "", "x",
             target="komodo_tui.ui.pages.registries:RegistriesPage"),
    PageSpec("syncs", "Syncs", "Syncs", "", "y", target="komodo_tui.ui.pages.syncs:SyncsPage"),
    PageSpec("alerts", "Alerts", "Alerts", "", "a", target="komodo_tui.ui.pages.alerts:AlertsPage"),
    PageSpec("schedules", "Schedules", "Schedules", "", "e",
             target="komodo_tui.ui.pages.schedules:SchedulesPage"),
    PageSpec("timeline", "Timeline", "Timeline", "", "w",
             target="komodo_tui.ui.pages.timeline:TimelinePage"),
    PageSpec("logs", "Logs", "Logs", "", "l", target="komodo_tui.ui.pages.logs:LogsPage"),
    PageSpec("terminals", "Terminals", "Terminals", "", "t",
             target="komodo_tui.ui.pages.terminals:TerminalsPage"),
    PageSpec("variables", "Variables & secrets", "Variables", "", "v",
             target="komodo_tui.ui.pages.variables:VariablesPage"),
    PageSpec("settings", "Settings", "Settings", "", "i", target="komodo_tui.ui.pages.settings:SettingsPage"),
)  # fmt: skip
"""In the order of the tab strip; those without a key are reached by ``0``."""

BY_ID = {spec.id: spec for spec in PAGES}
