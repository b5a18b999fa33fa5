"""The rows and columns of variables and secrets. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.filters import parse_text
from komodo_tui.ui.render.columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.operations.values import Listed
    from komodo_tui.ui.render.cells import Cell

HIDDEN = "•••"
Key = tuple[str, str, str]
"""Kind, scope and name."""


def key_of(row: Listed) -> Key:
    """What tells it from all others."""
    return row.kind, row.scope, row.name


def natural_order(row: Listed) -> tuple[str, str, str]:
    """The global ones first, by name."""
    return row.scope, row.name, row.kind


def value_columns(ascii_only: bool) -> tuple[Column[Listed], ...]:
    """All columns."""
    hidden = "***" if ascii_only else HIDDEN
    return (
        Column("name", "NAME", 20, lambda r: r.name, key=lambda r: r.name.lower(), grow=2, most=40),
        Column("kind", "KIND", 8, _kind, key=lambda r: r.kind),
        Column("scope", "SCOPE", 14, lambda r: r.scope or "global", key=lambda r: r.scope, grow=1, most=40),
        Column("value", "VALUE", 20, lambda r: _value(r, hidden), key=lambda r: r.value or None, priority=1, grow=4),
    )


def _kind(row: Listed) -> Cell:
    return row.kind if row.kind == "variable" else ((row.kind, "warn"),)


def _value(row: Listed, hidden: str) -> Cell:
    if row.kind != "variable":
        return ((f"{row.value} " if row.value else "", ""), (hidden, "dim"))
    return row.value.replace("\n", " ")


def value_filter(text: str) -> Callable[[Listed], bool]:
    """A test of name, kind, scope and, of variables, value. Raises UsageError."""
    test = parse_text(text)
    return lambda row: test(f"{row.name}\n{row.kind}\n{row.scope or 'global'}\n{row.value}")
