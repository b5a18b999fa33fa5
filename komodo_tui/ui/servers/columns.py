"""The columns of the fleet's table. Pure: a server and a clock to cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.levels import disk_percent, fullest, level, memory_percent
from komodo_tui.domain.units import duration_text, latency_text, rate_text
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.render.graph import bar, sparkline
from komodo_tui.ui.servers.state import LEVEL_TONES, freshness, standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.servers import Threshold
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.render.cells import Cell, Span
    from komodo_tui.ui.render.glyphs import Glyphs

NOTHING = "-"


def server_columns(glyphs: Glyphs, now: Callable[[], float]) -> tuple[Column[ServerLive], ...]:
    """All columns, the most telling first; ``now`` gives Unix time."""
    return (
        Column("state", "S", 1, lambda s: _state(s, glyphs), key=lambda s: standing(s, glyphs).rank),
        Column("name", "SERVER", 10, lambda s: s.name, key=lambda s: s.name.lower(), grow=3, most=28),
        Column("word", "STATE", 13, lambda s: _word(s, glyphs), key=lambda s: standing(s, glyphs).word, priority=6),
        Column("latency", "LAT", 6, _latency, key=lambda s: s.latency, priority=3, right=True, descending=True),
        Column("cpu", "CPU", 10, lambda s: _cpu(s, glyphs), key=_cpu_key, right=True, descending=True),
        Column("memory", "MEM", 8, lambda s: _memory(s, glyphs), key=_memory_key, right=True, descending=True),
        Column("disk", "DISK", 5, _disk, key=_disk_key, priority=2, right=True, descending=True),
        Column("net", "NET↓/↑" if not glyphs.ascii else "NET in/out", 11, _net, key=_net_key, priority=4, right=True,
               descending=True),
        Column("load", "LOAD", 5, _load, key=lambda s: s.sample.load[0] if s.sample else None, priority=7, right=True,
               descending=True),
        Column("containers", "CTR", 6, _containers, key=lambda s: len(s.containers), priority=1, right=True,
               descending=True),
        Column("up", "UP", 4, lambda s: _uptime(s, now()), key=lambda s: s.host.booted if s.host else None,
               priority=8, right=True),
        Column("engine", "ENGINE", 9, _engine, key=lambda s: s.engine.version if s.engine else None, priority=9),
        Column("tags", "TAGS", 10, lambda s: " ".join(s.definition.tags), key=lambda s: s.definition.tags, priority=10,
               grow=1, most=24),
        Column("age", "AGE", 13, lambda s: _age(s, glyphs, now()), key=lambda s: -s.seen, priority=0),
    )  # fmt: skip


def _state(live: ServerLive, glyphs: Glyphs) -> Cell:
    state = standing(live, glyphs)
    return ((state.glyph, state.tone),)


def _word(live: ServerLive, glyphs: Glyphs) -> Cell:
    state = standing(live, glyphs)
    return ((state.word, state.tone if state.tone != "ok" else ""),)


def _latency(live: ServerLive) -> Cell:
    return latency_text(live.latency)


def _toned(live: ServerLive, value: float, threshold: Threshold) -> Span:
    """A percentage; what is bad carries a sign as well as a colour, and what is stale no colour at all."""
    found = level(value, threshold)
    sign = {"ok": " ", "warning": " ", "critical": "!"}[found]
    return f"{value:.0f}%{sign}".rjust(5), LEVEL_TONES[found] if live.live else ""


def _cpu(live: ServerLive, glyphs: Glyphs) -> Cell:
    if live.sample is None:
        return NOTHING
    line = sparkline(list(live.cpu_history), 5, 100.0, glyphs)
    return (line, "graph" if live.live else ""), _toned(live, live.sample.cpu, live.definition.alerts.cpu)


def _cpu_key(live: ServerLive) -> float | None:
    return live.sample.cpu if live.sample is not None else None


def _memory(live: ServerLive, glyphs: Glyphs) -> Cell:
    if live.sample is None:
        return NOTHING
    share = memory_percent(live.sample)
    full, empty = bar(share / 100, 3, glyphs)
    tone = "graph" if live.live else ""
    return (full, tone), (empty, "border"), _toned(live, share, live.definition.alerts.memory)


def _memory_key(live: ServerLive) -> float | None:
    return memory_percent(live.sample) if live.sample is not None else None


def _disk(live: ServerLive) -> Cell:
    filesystem = fullest(live.filesystems)
    if filesystem is None:
        return NOTHING
    return (_toned(live, disk_percent(filesystem), live.definition.alerts.disk),)


def _disk_key(live: ServerLive) -> float | None:
    filesystem = fullest(live.filesystems)
    return None if filesystem is None else disk_percent(filesystem)


def _net(live: ServerLive) -> Cell:
    if live.sample is None:
        return NOTHING
    return f"{rate_text(live.sample.net_rx)}/{rate_text(live.sample.net_tx)}"


def _net_key(live: ServerLive) -> float | None:
    return live.sample.net_rx + live.sample.net_tx if live.sample is not None else None


def _load(live: ServerLive) -> Cell:
    return NOTHING if live.sample is None else f"{live.sample.load[0]:.1f}"


def _containers(live: ServerLive) -> Cell:
    """Those that run; in brackets when that is an old number."""
    if not live.seen:
        return NOTHING
    running = sum(1 for c in live.containers.values() if c.state == "running")
    if not live.engine_live:
        return f"({running})" if live.containers else NOTHING
    sick = sum(1 for c in live.containers.values() if c.health == "unhealthy" and c.state == "running")
    return ((f"{running}", ""), (f" !{sick}", "bad")) if sick else f"{running}"


def _uptime(live: ServerLive, now: float) -> Cell:
    return NOTHING if live.host is None or not live.live else duration_text(now - live.host.booted)


def _engine(live: ServerLive) -> Cell:
    version = live.engine.version.partition("+")[0] if live.engine is not None else ""  # a distribution adds its own
    return version or NOTHING


def _age(live: ServerLive, glyphs: Glyphs, now: float) -> Cell:
    state = standing(live, glyphs)
    text = freshness(live, now)
    if text == "live":
        return (("live", "ok"),) if state.rank else "live"
    if text in ("never", "no data"):
        return ((state.word, state.tone),)
    return text
