"""Beside the graphs of one server on wide screens: its busiest containers, and what happens on it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.units import bytes_text, clock_text, rate_text
from komodo_tui.ui.render.cells import clip
from komodo_tui.ui.servers.tables import container_sign

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_tui.fleet.changes import FleetEvent
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.render.glyphs import Glyphs

Line = tuple["Span", ...]
EVENT_TONES = {"server": "accent", "engine": "warn", "container": "", "job": "busy"}
_FIGURES = 6 + 1 + 6 + 1 + 11
"""Columns of a container's CPU, memory and network."""


def side_lines(
    live: ServerLive, events: Iterable[FleetEvent], width: int, height: int, glyphs: Glyphs
) -> tuple[Line, ...]:
    """Containers above, events below, each half of the height."""
    upper = max(3, height * 3 // 5)
    containers = _containers(live, width, upper - 2, glyphs)
    lines: list[Line] = [_heading("CONTAINERS", width), *containers]
    lines += [()] * (upper - len(lines))
    mine = [event for event in events if event.server == live.name]
    lines.append((("EVENTS", "bold"),))
    room = max(0, height - len(lines))
    shown = mine[-room:] if room else []
    lines += [((f"{clock_text(e.at)}  ", "dim"), (e.text, EVENT_TONES.get(e.kind, ""))) for e in shown]
    return tuple(lines) if shown else (*lines, (("nothing has happened yet", "dim"),))


def _heading(title: str, width: int) -> Line:
    name = max(8, width - _FIGURES - 3)
    return ((title.ljust(name + 3), "bold"), (f"{'CPU%':>6} {'MEM':>6} {'NET':>11}", "dim"))


def _containers(live: ServerLive, width: int, most: int, glyphs: Glyphs) -> list[Line]:
    """Running ones by CPU, then the others by name; what does not fit is counted."""
    if not live.containers:
        return [(("none", "dim"),)]
    name = max(8, width - _FIGURES - 3)

    def order(key: str) -> tuple[float, str]:
        sample = live.samples.get(key)
        return (-sample.cpu if sample is not None else 1.0, live.containers[key].name)

    lines: list[Line] = []
    ordered = sorted(live.containers, key=order)
    for key in ordered[:most]:
        container, sample = live.containers[key], live.samples.get(key)
        figures: str = container.health or container.state
        if sample is not None:
            net = f"{rate_text(sample.net_rx)}/{rate_text(sample.net_tx)}"
            figures = f"{sample.cpu:6.1f} {bytes_text(sample.memory):>6} {net:>11}"
        title = clip(container.name, name, glyphs.ellipsis).ljust(name + 1)
        lines.append(
            (
                *container_sign(container, glyphs, known=live.engine_live),
                (f" {title}", ""),
                (figures.rjust(_FIGURES), "dim"),
            )
        )
    hidden = len(ordered) - most
    return [*lines, ((f"  {hidden} more", "dim"),)] if hidden > 0 else lines
