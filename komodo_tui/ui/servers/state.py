"""How a server stands, in a glyph, a word and a tone, and what to do about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from komodo_tui.domain.levels import Level, host_levels, worst
from komodo_tui.domain.units import duration_text
from komodo_tui.ui.render.reason import reason_block

if TYPE_CHECKING:
    from komodo_tui.fleet.live import ServerLive, ServerStatus
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.render.glyphs import Glyphs

LEVEL_TONES: dict[Level, str] = {"ok": "", "warning": "warn", "critical": "bad"}

_DOWN: dict[ServerStatus, tuple[str, str]] = {
    "host_key_changed": ("KEY CHANGED", "^R once the key is what it should be"),
    "unreachable": ("unreachable", "^R tries again now"),
    "auth": ("login refused", "^R asks again"),
    "host_key_unknown": ("new host key", "A shows it, to compare and accept"),
    "agent_mismatch": ("agent differs", "I installs the agent of this version"),
    "agent_missing": ("no agent", "I installs the agent"),
}
"""Word and next step by status; the order is how bad they are."""


@dataclass(frozen=True)
class Standing:
    """One server's state as it is shown."""

    rank: int
    """0 is worst."""
    word: str
    tone: str
    glyph: str
    next: str = ""
    """The key that helps."""


def standing(live: ServerLive, glyphs: Glyphs) -> Standing:
    """How a server stands."""
    if live.status in _DOWN:
        word, step = _DOWN[live.status]
        asks = live.status in ("host_key_unknown", "agent_missing", "agent_mismatch")
        sign = glyphs.warn if asks else glyphs.fail
        return Standing(list(_DOWN).index(live.status), word, "warn" if asks else "bad", sign, step)
    if live.status == "connecting":
        return Standing(len(_DOWN) + 2, "connecting", "busy", glyphs.busy)
    level = worst(host_levels(live.sample, live.filesystems, live.definition.alerts).values())
    engine = live.engine
    if engine is not None and engine.status != "up":
        word = {"absent": "no engine", "denied": "engine denied", "starting": "engine starts"}.get(
            engine.status, "engine down"
        )
        return Standing(len(_DOWN) + (level != "critical"), word, "warn", glyphs.warn)
    if level == "critical":
        return Standing(len(_DOWN), "critical", "bad", glyphs.warn)
    if level == "warning":
        return Standing(len(_DOWN) + 1, "warning", "warn", glyphs.warn)
    if live.upgrade_available:
        return Standing(len(_DOWN) + 3, "up", "ok", glyphs.ok, "I upgrades its agent")
    return Standing(len(_DOWN) + 4, "up", "ok", glyphs.ok)


def freshness(live: ServerLive, now: float) -> str:
    """``live``, ``stale 4m``, ``never``: of when the figures are."""
    if live.live and live.sample is not None:
        return "live"
    if not live.seen:
        return "no data" if live.status == "connecting" else "never"
    return f"stale {duration_text(now - live.seen)}"


def sentences(first: str, *others: str) -> str:
    """One after the other, each ended once; hints begin small, and go on after a semicolon."""
    text = first
    for other in others:
        end = "" if text.endswith((".", "?", "!")) else ";" if other[:1].islower() else "."
        text += f"{end} {other}"
    return text


def own_key(live: ServerLive) -> bool:
    """Whether what helps is a key of this program, not what the error's own hint names for the command line."""
    return live.status in ("agent_missing", "host_key_unknown")


def reason(live: ServerLive, glyphs: Glyphs) -> tuple[str, str]:
    """Why a server is not as it should be, with what to do next, and the tone; empty when all is well."""
    state = standing(live, glyphs)
    engine = live.engine
    if live.error is not None and not live.live:
        hints = [state.next] if own_key(live) else [live.error.hint, state.next]
        return sentences(f"{state.glyph} {live.name}: {live.error.message}", *filter(None, hints)), state.tone
    if live.live and engine is not None and engine.status != "up":
        return f"{state.glyph} {live.name}: {engine.message or state.word}", state.tone
    if live.live and state.next:
        return f"{state.glyph} {live.name}: {state.next}", "info"
    return "", ""


def reason_lines(live: ServerLive, glyphs: Glyphs, width: int, most: int) -> list[tuple[Span, ...]]:
    """:func:`reason` in lines of ``width`` columns, at most ``most`` of them.

    What had to be cut names the key that tells all.
    """
    return reason_block(reason(live, glyphs), width, f" {glyphs.ellipsis} p tells all", most)
