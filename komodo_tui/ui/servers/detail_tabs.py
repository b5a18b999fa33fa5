"""The sub-tabs of a server's detail: what each shows and what it wants of the feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.text import Text

from komodo_tui.ui.servers import tables
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.look import Look

WORDS = "words, !not, ~fuzzy, /regex/"


@dataclass(frozen=True)
class DetailTab:
    """One sub-tab. ``rows`` is None where it is no table."""

    id: str
    title: str
    short: str
    rows: Callable[[ServerLive], dict[Hashable, Any]] | None = None
    feed: str = ""
    """What the feed has to carry while it is shown: ``processes`` or ``devices``."""


TABS = (
    DetailTab("graphs", "Graphs", "Graphs"),
    DetailTab("containers", "Containers", "Ctr", tables.container_rows),
    DetailTab("filesystems", "Filesystems", "Files", tables.filesystem_rows),
    DetailTab("devices", "Devices", "Dev", tables.device_rows, "devices"),
    DetailTab("processes", "Processes", "Proc", tables.process_rows, "processes"),
    DetailTab("system", "System", "Sys"),
)


def table_pane(tab: DetailTab, live: Callable[[], ServerLive | None], look: Look) -> ListPane[Any]:
    """The list of a tab that is a table."""
    glyphs = look.glyphs
    if tab.id == "containers":
        return _pane(
            tab, VirtualTable(tables.container_columns(glyphs), order=lambda r: r.container.name, sort="cpu"),
            lambda r: f"{r.container.name}\n{r.container.image}\n{r.container.stack}\n{r.container.state}",
            lambda: no_containers(live()),
        )  # fmt: skip
    if tab.id == "filesystems":
        return _pane(
            tab, VirtualTable(tables.filesystem_columns(live, glyphs), order=lambda f: f.path, sort="use"),
            lambda f: f"{f.path}\n{f.device}\n{f.kind}",
            lambda: unknown(live(), "No file system has been reported yet."),
        )  # fmt: skip
    if tab.id == "devices":
        return _pane(
            tab, VirtualTable(tables.device_columns(glyphs), order=lambda d: (d.kind, d.name)),
            lambda d: f"{d.kind}\n{d.name}",
            lambda: unknown(live(), "Asked for; the first rates come within two seconds."),
        )  # fmt: skip
    return _pane(
        tab, VirtualTable(tables.process_columns(), order=lambda p: p.pid, sort="cpu"),
        lambda p: f"{p.command}\n{p.user}\n{p.pid}",
        lambda: unknown(live(), "Asked for; the first list comes within two seconds."),
    )  # fmt: skip


def no_containers(live: ServerLive | None) -> str:
    """Why there are none, or how the first one is made."""
    engine = live.engine if live is not None else None
    if live is not None and live.live and engine is not None and engine.status != "up":
        return f"{engine.message or 'The engine is not up.'}\n\nHost figures and shells work without it."
    return unknown(live, "No containers here. N on the Containers tab makes one.")


def unknown(live: ServerLive | None, otherwise: str) -> str:
    """What an empty list of a server means."""
    if live is None or live.live:
        return otherwise
    return (
        "It has not said yet: it is not connected." if not live.seen else "It said nothing of these before it was lost."
    )


def _pane(
    tab: DetailTab, table: VirtualTable[Any], text_of: Callable[[Any], str], empty: Callable[[], str]
) -> ListPane[Any]:
    parse = tables.text_parser(text_of)
    return ListPane(tab.title, table, parse=parse, empty=lambda: Text(empty()), help=WORDS, id=f"tab-{tab.id}")
