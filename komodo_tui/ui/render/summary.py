"""The fleet in one line, and the tab strip. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from komodo_tui.domain.levels import host_levels, worst
from komodo_tui.ui.render.cells import Span, width_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.pages import PageSpec
    from komodo_tui.ui.render.glyphs import Glyphs


@dataclass(frozen=True)
class Counts:
    """What the fleet comes to."""

    up: int = 0
    """Servers that answer, those with a warning among them."""
    warn: int = 0
    """Servers that answer and are strained, or whose engine is away."""
    down: int = 0
    connecting: int = 0
    running: int = 0
    exited: int = 0
    unhealthy: int = 0


def count(servers: Iterable[ServerLive]) -> Counts:
    """Count servers and containers. Containers of servers or engines that are away are not counted: nobody knows."""
    up = warn = down = connecting = running = exited = unhealthy = 0
    for live in servers:
        if not live.live:
            connecting += live.status == "connecting"
            down += live.status != "connecting"
            continue
        blind = live.engine is not None and not live.engine_live
        levels = host_levels(live.sample, live.filesystems, live.definition.alerts).values()
        fine = not blind and worst(levels) == "ok"
        up, warn = up + 1, warn + (not fine)
        if blind:
            continue
        for container in live.containers.values():
            state = container.state
            running += state == "running"
            exited += state in ("exited", "dead")
            unhealthy += container.health == "unhealthy" and state == "running"
    return Counts(up, warn, down, connecting, running, exited, unhealthy)


def fleet_line(counts: Counts, glyphs: Glyphs) -> tuple[Span, ...]:
    """``● 9 up ▲ 1 warn ✖ 1 down │ 312 run 4 exit 1 unhealthy``: nine answer, one of them with a warning."""
    bar: Span = (f"  {glyphs.vertical} ", "border")
    up = (glyphs.ok, "ok") if counts.up else (glyphs.stopped, "dim")
    parts: list[Span] = [(f"{up[0]} ", up[1]), (f"{counts.up} up", "")]
    for number, glyph, word, tone in (
        (counts.warn, glyphs.warn, "warn", "warn"),
        (counts.down, glyphs.fail, "down", "bad"),
        (counts.connecting, glyphs.busy, "connecting", "busy"),
    ):
        if number:
            parts += [(f"  {glyph} ", tone), (f"{number} {word}", tone)]
    parts += [bar, (f"{counts.running} run", "")]
    if counts.exited:
        parts.append((f"  {counts.exited} exit", "dim"))
    if counts.unhealthy:
        parts.append((f"  {counts.unhealthy} unhealthy", "bad"))
    return tuple(parts)


@dataclass(frozen=True)
class Tab:
    """One tab of the strip and where it stands."""

    page: str
    """Id of the page; empty for ``0 more``."""
    x: int
    spans: tuple[Span, ...]

    @property
    def width(self) -> int:
        """Columns it takes."""
        return sum(width_of(text) for text, _ in self.spans)


def tab_strip(pages: Sequence[PageSpec], current: str, width: int) -> tuple[Tab, ...]:
    """The tabs: with full titles and gaps where they fit, else short, else numbers around the current one."""
    here = next((spec for spec in pages if spec.id == current), None)
    more = here.title if here is not None and not here.key else "more"
    for form in ("wide", "short", "tight", "digits"):
        tabs = _tabs(pages, current, more, form)
        if not tabs or tabs[-1].x + tabs[-1].width <= width:
            return tabs
    return tabs


def _tabs(pages: Sequence[PageSpec], current: str, more: str, form: str) -> tuple[Tab, ...]:
    x, found = 1, []
    entries = [(spec.key, spec.id, spec.title if form == "wide" else spec.short) for spec in pages if spec.key]
    entries.append(("0", "", more))
    known = {spec.id for spec in pages if spec.key}
    for key, page, title in entries:
        chosen = page == current or (not page and current not in known)
        label = title if form != "digits" or chosen else ""
        if not page and form != "wide" and not chosen:
            label = ""
        pad = " " if form in ("wide", "short") else ""
        if chosen:
            spans: tuple[Span, ...] = ((f"{pad}{key} {label}{pad}" if pad else f"{key}{label}", "tab-on"),)
        else:
            spans = ((f"{pad}{key}", "accent"), (f"{' ' if pad else ''}{label}{pad}", "dim"))
        tab = Tab(page, x, spans)
        found.append(tab)
        x += tab.width + (0 if pad else 1)
    return tuple(found)
