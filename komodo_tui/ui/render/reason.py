"""Why something is as it is, in the lines that stand below a list. Pure."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from komodo_tui.ui.render.cells import Span

Reason = tuple[str, str]
"""What is said, and its tone; an empty text: nothing."""
MOST = 3
"""Lines it takes at most."""


def reason_block(reason: Reason, width: int, more: str, most: int = MOST) -> list[tuple[Span, ...]]:
    """A reason in lines of ``width`` columns, at most ``most`` of them. What had to be cut ends with ``more``."""
    text, tone = reason
    if not text:
        return []
    lines = wrap(text, max(20, width - 2), max_lines=most, placeholder=more, break_on_hyphens=False)
    return [((f" {line}", tone),) for line in lines]
