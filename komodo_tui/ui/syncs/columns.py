"""The columns of syncs and of what differs in one; a difference as a text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.syncs import difference, standing
from komodo_tui.domain.text import clean
from komodo_tui.domain.units import duration_text
from komodo_tui.store.yaml_text import yaml_text
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.stacks.planning import unified_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.syncs import Item
    from komodo_tui.ui.look import Look
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.syncs.book import SyncRow

_TONES = {"new": "ok", "changed": "warn", "gone": "bad", "here": "accent", "conflict": "bad", "guarded": "dim"}
_WORDS = {
    "new": "new in the files", "changed": "changed in the files", "gone": "gone from the files",
    "here": "changed here", "conflict": "changed in both", "guarded": "kept",
}  # fmt: skip
_ORDER = ("conflict", "gone", "changed", "new", "here", "guarded")


def source_text(row: SyncRow) -> str:
    """``shop/fleet/prod``"""
    definition = row.definition
    return (definition.repo or definition.folder) + (f"/{definition.path}" if definition.path else "")


def state_cell(row: SyncRow, glyphs: Glyphs) -> Cell:
    """How it stands, or that it is being looked at."""
    if row.busy:
        return ((f"{glyphs.busy} looking", "busy"),)
    words, tone = standing(row.base)
    sign = {"ok": glyphs.ok, "warn": glyphs.warn, "bad": glyphs.fail, "dim": glyphs.stopped}[tone]
    return ((f"{sign} {clean(words)}", tone),)


def sync_columns(glyphs: Glyphs, now: Callable[[], float]) -> tuple[Column[SyncRow], ...]:
    """A sync in a row."""

    def ago(at: float) -> str:
        return duration_text(now() - at) if at else "-"

    return (
        Column("name", "SYNC", 12, lambda r: r.definition.name, key=lambda r: r.definition.name.lower(), grow=1,
               most=32),
        Column("state", "STATE", 16, lambda r: state_cell(r, glyphs), key=lambda r: standing(r.base)[1], grow=3,
               live=True),
        Column("mode", "MODE", 9, lambda r: "automatic" if r.definition.automatic else "by hand", priority=2),
        Column("looked", "LOOKED", 6, lambda r: ago(r.base.looked), key=lambda r: r.base.looked or None, right=True,
               priority=1),
        Column("applied", "APPLIED", 7, lambda r: ago(r.base.applied), key=lambda r: r.base.applied or None,
               right=True, priority=3),
        Column("commit", "COMMIT", 8, lambda r: r.base.seen[:8] or "-", priority=4),
        Column("source", "SOURCE", 14, lambda r: ((source_text(r), "dim"),), priority=5, grow=2, most=48),
    )  # fmt: skip


def item_columns() -> tuple[Column[Item], ...]:
    """What differs, in a row."""
    return (
        Column("state", "WHO CHANGED", 20, lambda i: ((_WORDS[i.state], _TONES[i.state]),),
               key=lambda i: _ORDER.index(i.state)),
        Column("kind", "KIND", 10, lambda i: i.kind, key=lambda i: i.kind),
        Column("name", "NAME", 14, lambda i: i.name, key=lambda i: i.name.lower(), grow=2, most=40),
        Column("verb", "APPLYING", 8, lambda i: "-" if i.state == "guarded" else i.verb, priority=1),
        Column("note", "NOTE", 10, lambda i: ((i.note, "dim"),), priority=2, grow=3),
    )  # fmt: skip


def sync_filter(line: str) -> Callable[[SyncRow], bool]:
    """Syncs by words in what their rows show."""
    test = parse_text(line)
    return lambda r: test(
        "\n".join((r.definition.name, r.definition.description, source_text(r), standing(r.base)[0],
                   "automatic" if r.definition.automatic else "by hand")).lower()
    )  # fmt: skip


def item_filter(line: str) -> Callable[[Item], bool]:
    """What differs, by words."""
    test = parse_text(line)
    return lambda i: test("\n".join((i.kind, i.name, i.state, _WORDS[i.state], i.note)).lower())


def item_text(item: Item, look: Look) -> Text:
    """What applying it would change."""
    style = look.palette.style
    text = Text.assemble((f"{item.verb} {clean(item.kind)} {clean(item.name)}", style("bold")),
                         (f"  {_WORDS[item.state]}", style(_TONES[item.state])), "\n")  # fmt: skip
    if item.note:
        text.append(f"{clean(item.note)}\n", style("dim"))
    return text.append_text(unified_text(difference(item, yaml_text), look))
