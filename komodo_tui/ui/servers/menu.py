"""What can be done to servers from the keyboard: key, words, and when it cannot. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.operations.overview import summarize
from komodo_tui.ui.modals.menu import MenuItem
from komodo_tui.ui.servers.state import reason, standing

if TYPE_CHECKING:
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.render.glyphs import Glyphs


@dataclass(frozen=True)
class ServerActKey:
    """An act as menus, the footer and help show it."""

    id: str
    key: str
    label: str
    help: str
    shown: str | None = None
    """The key as it is written, where that differs."""
    hint: bool = False
    """Whether the footer names it."""
    changes: bool = True
    """Whether read-only mode refuses it."""
    many: bool = False
    """Whether it is done to all marked servers."""


ACTS: tuple[ServerActKey, ...] = (
    ServerActKey("shell", "s", "shell", "a login shell on it", hint=True),
    ServerActKey("check", "p", "check", "look at it: how it stands, what helps", hint=True, changes=False),
    ServerActKey("reconnect", "ctrl+r", "reconnect", "connect anew, now; asks again", "^R", changes=False, many=True),
    ServerActKey("add", "N", "add", "define one more server", hint=True),
    ServerActKey("edit", "e", "edit", "address, tags, thresholds"),
    ServerActKey("accept", "A", "accept key", "show the new host key, to compare and accept", changes=False),
    ServerActKey("install", "I", "install agent", "install its agent, or upgrade it", many=True),
    ServerActKey("remove", "X", "remove…", "forget it; nothing on it is touched"),
)


def act_items(live: ServerLive | None, marked: int, *, read_only: bool = False) -> list[MenuItem]:
    """Every act; those that cannot be done say why. ``marked`` servers are chosen."""
    items = []
    for act in ACTS:
        why = "read-only mode is on" if read_only and act.changes else _obstacle(act, live)
        number = f" ({marked})" if act.many and marked > 1 else ""
        items.append(MenuItem(act.id, f"{act.label}{number}", act.key, act.help, why, act.shown or ""))
    return items


def _obstacle(act: ServerActKey, live: ServerLive | None) -> str:
    """Why it cannot be done; empty when it can."""
    if act.id == "add":
        return ""
    if live is None:
        return "no server is chosen"
    if act.id == "accept" and live.status != "host_key_unknown":
        return "its key is not in question"
    if act.id == "install" and live.definition.is_local:
        return "this machine's agent is part of the program"
    return ""


def copies(live: ServerLive, glyphs: Glyphs) -> list[tuple[MenuItem, str]]:
    """What can be copied of a server."""
    why, _ = reason(live, glyphs)
    state = standing(live, glyphs)
    found = [
        (MenuItem("name", "name", "n", live.name), live.name),
        (MenuItem("address", "address", "a", live.definition.address), live.definition.address),
        (MenuItem("row", "row", "r", "name, address, state"), f"{live.name}\t{live.definition.address}\t{state.word}"),
    ]
    known = msgspec.json.format(msgspec.json.encode(summarize(live)), indent=2).decode()
    found.append((MenuItem("json", "what is known", "j", "as JSON, like status --json"), known))
    if why:
        found.append((MenuItem("why", "why it is not well", "w", why), why))
    return found
