"""What can be done to resources from the keyboard: key, words, and to which kinds it applies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_agent.wire.resources import ResourceKind
    from komodo_tui.ui.resources.columns import Row


@dataclass(frozen=True)
class ResourceActKey:
    """An act as menus, the footer and help show it."""

    id: str
    """Id of its binding, for the user's keymap."""
    key: str
    label: str
    help: str
    kinds: frozenset[ResourceKind] = frozenset({"image", "volume", "network"})
    single: bool = False
    """Whether it makes sense for one row only."""
    rows: bool = True
    """Whether it is about what is chosen; else it can always be done."""
    changes: bool = True
    """Whether read-only mode hides it."""

    def refusal(self, rows: Sequence[Row], *, read_only: bool) -> str:
        """Why it cannot be done to these now; empty when it can."""
        if read_only and self.changes:
            return "read-only mode is on"
        if not self.rows:
            return ""
        if not rows:
            return "nothing is chosen"
        if not any(row.resource.kind in self.kinds for row in rows):
            return f"not for {rows[0].resource.kind}s" if len(rows) == 1 else "for none of these"
        return "for one only" if self.single and len(rows) != 1 else ""


_IMAGE: frozenset[ResourceKind] = frozenset({"image"})
_VOLUME: frozenset[ResourceKind] = frozenset({"volume"})
ACTS: tuple[ResourceActKey, ...] = (
    ResourceActKey("resource.new", "N", "new…", "pull an image, create a volume or a network", rows=False),
    ResourceActKey("resource.pull", "B", "pull", "pull its tag again", _IMAGE),
    ResourceActKey("resource.tag", "E", "tag…", "give it one more tag", _IMAGE, single=True),
    ResourceActKey("resource.remove", "X", "remove…", "remove it"),
    ResourceActKey("resource.ship", "S", "ship…", "bring it straight to other servers", _IMAGE),
    ResourceActKey("resource.push", "U", "push…", "push it to registries", _IMAGE, single=True),
    ResourceActKey("resource.backup", "W", "back up…", "write all of it to a tar file here", _VOLUME, single=True),
    ResourceActKey("resource.restore", "R", "restore…", "put a tar file from here into it", _VOLUME, single=True),
    ResourceActKey("resource.cache", "C", "clear build cache", "what builds left to be faster the next time",
                   rows=False),
    ResourceActKey("resource.prune", "P", "prune…", "find what nothing uses, look at it, and remove it", rows=False),
)  # fmt: skip
BY_ID = {act.id: act for act in ACTS}
