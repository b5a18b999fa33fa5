"""The signs of the screens, in two sets: Unicode, and plain ASCII for terminals and fonts that have no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Glyphs:
    """One set. A state is always a glyph and a word; colour comes third."""

    ascii: bool
    ok: str
    busy: str
    warn: str
    fail: str
    stopped: str
    paused: str
    unknown: str
    drift: str
    done: str
    cursor: str
    mark: str
    up: str
    down: str
    ellipsis: str
    dot: str
    bar_full: str
    bar_empty: str
    levels: str
    """Heights of one cell, lowest first, for sparklines."""
    vertical: str
    horizontal: str
    enter: str
    border: str
    """Name of a Textual border type."""


UNICODE = Glyphs(
    ascii=False, ok="●", busy="◐", warn="▲", fail="✖", stopped="○", paused="‖", unknown="?", drift="≠", done="✔",
    cursor="▸", mark="*", up="▲", down="▼", ellipsis="…", dot="·", bar_full="█", bar_empty="·",
    levels="▁▂▃▄▅▆▇█", vertical="│", horizontal="─", enter="⏎", border="round",
)  # fmt: skip

ASCII = Glyphs(
    ascii=True, ok="*", busy="~", warn="!", fail="X", stopped="o", paused="=", unknown="?", drift="#", done="+",
    cursor=">", mark="+", up="^", down="v", ellipsis="~", dot=".", bar_full="#", bar_empty=".",
    levels="_.,:-=+#", vertical="|", horizontal="-", enter="Enter", border="ascii",
)  # fmt: skip


def choose(*, ascii: bool | None, environ: Mapping[str, str]) -> Glyphs:
    """The set asked for; without a wish, ASCII where the locale is not UTF-8 or the terminal is the kernel's own."""
    if ascii is not None:
        return ASCII if ascii else UNICODE
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    utf8 = "utf-8" in locale.lower() or "utf8" in locale.lower()
    return UNICODE if utf8 and environ.get("TERM", "") not in ("linux", "dumb", "vt100") else ASCII
