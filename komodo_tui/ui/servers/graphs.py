"""A server's figures as graphs and gauges. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.levels import disk_percent, level, memory_percent
from komodo_tui.domain.units import bytes_text, duration_text
from komodo_tui.ui.render.cells import Span, clip, width_of
from komodo_tui.ui.render.graph import bar
from komodo_tui.ui.servers.state import LEVEL_TONES
from komodo_tui.ui.widgets.graph import GraphData, pair_graph

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_agent.wire.models import Filesystem, HostSample
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.render.series import Series

Line = tuple[Span, ...]


def host_graphs(
    live: ServerLive, series: Series, window: float, count: int, end: float, glyphs: Glyphs
) -> dict[str, GraphData]:
    """``cpu memory net disk``, over ``window`` seconds before ``end`` in ``count`` values each."""

    def values(name: str) -> tuple[float | None, ...]:
        return series.values(name, window, count, end)

    sample, past = live.sample, f"-{duration_text(window)}"
    return {
        "cpu": _cpu(live, sample, values("cpu"), past),
        "memory": _memory(live, sample, values("memory"), past),
        "net": pair_graph("NET", (sample.net_rx, sample.net_tx) if sample else None, values("net_rx"), values("net_tx"),
                          ("in", "out") if glyphs.ascii else ("↓", "↑"), past),
        "disk": pair_graph("DISK", (sample.disk_read, sample.disk_write) if sample else None, values("disk_read"),
                           values("disk_write"), ("read", "write"), past),
    }  # fmt: skip


def _cpu(live: ServerLive, sample: HostSample | None, values: tuple[float | None, ...], past: str) -> GraphData:
    title: list[Span] = [("CPU ", "bold")]
    right: tuple[Span, ...] = ()
    if sample is not None:
        tone = LEVEL_TONES[level(sample.cpu, live.definition.alerts.cpu)] or "accent"
        title.append((f"{sample.cpu:.0f}%", f"{tone} bold"))
        right = ((f"load {sample.load[0]:.2f} {sample.load[1]:.2f} {sample.load[2]:.2f}", "dim"),)
    return GraphData(tuple(title), values, 100.0, "100", right=right, window=past)


def _memory(live: ServerLive, sample: HostSample | None, values: tuple[float | None, ...], past: str) -> GraphData:
    if sample is None or not sample.memory_total:
        return GraphData((("MEM ", "bold"),), (), 1.0, "", window=past)
    share = memory_percent(sample)
    tone = LEVEL_TONES[level(share, live.definition.alerts.memory)] or "accent"
    figures = f"{bytes_text(sample.memory_used)} of {bytes_text(sample.memory_total)}"
    return GraphData(
        (("MEM ", "bold"), (f"{share:.0f}%", f"{tone} bold")), values, float(sample.memory_total),
        bytes_text(sample.memory_total), right=((figures, "dim"),), window=past,
    )  # fmt: skip


def gauges(live: ServerLive, width: int, glyphs: Glyphs, *, filesystems: int = 3, containers: int = 5) -> list[Line]:
    """What does not need a graph: cores, swap, pressure, the fullest file systems, the busiest containers."""
    sample = live.sample
    lines: list[Line] = []
    if sample is not None:
        lines.extend(_cores(sample, width, glyphs))
        lines.append(_swap_and_pressure(sample))
    for filesystem in sorted((f for f in live.filesystems if f.total), key=disk_percent, reverse=True)[:filesystems]:
        lines.append(_filesystem_line(live, filesystem, width, glyphs))
    busiest = busy_containers(live, containers)
    if busiest:
        lines.append((("TOP   ", "bold"), *_top(busiest)))
    return lines


def _cores(sample: HostSample, width: int, glyphs: Glyphs) -> Iterable[Line]:
    """One cell for each core, several lines on machines with many."""
    levels = glyphs.levels
    signs = [levels[min(len(levels) - 1, int(value / 100 * len(levels)))] for value in sample.cores]
    room = max(8, width - 6)
    for start in range(0, len(signs), room):
        part = sample.cores[start : start + room]
        spans: list[Span] = [("CORES " if not start else "      ", "bold")]
        for sign, value in zip(signs[start : start + room], part, strict=True):
            tone = "bad" if value >= 97 else "warn" if value >= 85 else "graph-low"
            if spans[-1][1] == tone:
                spans[-1] = (spans[-1][0] + sign, tone)
            else:
                spans.append((sign, tone))
        yield tuple(spans)


def _swap_and_pressure(sample: HostSample) -> Line:
    share = 100 * sample.swap_used / sample.swap_total if sample.swap_total else 0.0
    swap = f"{share:.0f}% of {bytes_text(sample.swap_total)}" if sample.swap_total else "none"
    line: list[Span] = [("SWAP  ", "bold"), (f"{swap}   ", "warn" if share >= 50 else "")]
    if sample.pressure is not None:
        line.append(("PRESSURE ", "bold"))
        p = sample.pressure
        for name, value in (("cpu", p.cpu_some), ("mem", p.memory_some), ("io", p.io_some)):
            line.append((f"{name} {value:.0f}%  ", "warn" if value >= 20 else "dim"))
    return tuple(line)


def _filesystem_line(live: ServerLive, filesystem: Filesystem, width: int, glyphs: Glyphs) -> Line:
    share = disk_percent(filesystem)
    tone = LEVEL_TONES[level(share, live.definition.alerts.disk)] or "graph-low"
    path = clip(filesystem.path, 18, glyphs.ellipsis)
    figures = f" {share:3.0f}%  {bytes_text(filesystem.used)} of {bytes_text(filesystem.total)}"
    full, empty = bar(share / 100, max(6, min(24, width - 26 - width_of(figures))), glyphs)
    stalled = ((f"  {glyphs.warn} does not answer", "warn"),) if filesystem.stalled_since else ()
    return (("DISK  ", "bold"), (path.ljust(19), ""), (full, tone), (empty, "border"), (figures, "dim"), *stalled)


def busy_containers(live: ServerLive, count: int) -> list[tuple[str, float]]:
    """Name and CPU (percent of one core) of the busiest running containers."""
    found = [(live.containers[key].name, sample.cpu) for key, sample in live.samples.items() if key in live.containers]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:count]


def _top(busiest: list[tuple[str, float]]) -> Line:
    spans: list[Span] = []
    for name, cpu in busiest:
        spans += [(f"{name} ", ""), (f"{cpu:.0f}%   ", "warn" if cpu >= 90 else "dim")]
    return tuple(spans)


def headline(live: ServerLive, state: tuple[str, str, str], now: float) -> Line:
    """``web-01 ● up 41d  ssh 18ms  docker 27.3  8 cpu 32G``; ``state`` is (glyph, word, tone)."""
    glyph, word, tone = state
    line: list[Span] = [(f" {live.name} ", "title bold"), (f"{glyph} {word} ", tone or "")]
    facts: list[str] = []
    if live.host is not None:
        if live.live:
            facts.append(f"up {duration_text(now - live.host.booted)}")
        facts.append(f"{live.host.cores} cpu {bytes_text(live.host.memory)}")
    if live.latency is not None:
        facts.append(f"{'local' if live.definition.is_local else 'ssh'} {live.latency * 1000:.0f}ms")
    if live.engine is not None and live.engine.version:
        facts.append(f"{live.engine.name} {live.engine.version}")
    if live.seen and not live.live:
        facts.append(f"last seen {duration_text(now - live.seen)} ago")
    line.append((" ".join(f" {fact} " for fact in facts), "dim"))
    return tuple(line)
