"""A container's figures as graphs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.units import bytes_text, duration_text
from komodo_tui.ui.render.graph import nice_top
from komodo_tui.ui.widgets.graph import GraphData, pair_graph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_agent.wire.models import ContainerSample
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.render.series import Series

NAMES = ("cpu", "memory", "net", "block")
_TOPS = (10.0, 20.0, 50.0, *(100.0 * cores for cores in (1, 2, 4, 8, 16, 32, 64, 128, 256)))
"""Percent of a core that may stand at the top of a graph; an idle container's looks like idling."""


def container_figures(sample: ContainerSample) -> Mapping[str, float | None]:
    """``cpu memory net_rx net_tx block_read block_write pids``, as the agent's history names them."""
    return {
        "cpu": sample.cpu, "memory": float(sample.memory), "net_rx": sample.net_rx, "net_tx": sample.net_tx,
        "block_read": sample.block_read, "block_write": sample.block_write, "pids": float(sample.pids),
    }  # fmt: skip


def container_graphs(
    sample: ContainerSample | None, series: Series, window: float, count: int, end: float, glyphs: Glyphs
) -> dict[str, GraphData]:
    """``cpu memory net block``, over ``window`` seconds before ``end`` in ``count`` values each."""

    def values(name: str) -> tuple[float | None, ...]:
        return series.values(name, window, count, end)

    past = f"-{duration_text(window)}"
    net = (sample.net_rx, sample.net_tx) if sample else None
    block = None
    if sample is not None and sample.block_read is not None and sample.block_write is not None:
        block = (sample.block_read, sample.block_write)
    arrows = ("in", "out") if glyphs.ascii else ("↓", "↑")
    return {
        "cpu": _cpu(sample, values("cpu"), past),
        "memory": _memory(sample, values("memory"), past),
        "net": pair_graph("NET", net, values("net_rx"), values("net_tx"), arrows, past),
        "block": pair_graph("DISK", block, values("block_read"), values("block_write"), ("read", "write"), past),
    }


def _cpu(sample: ContainerSample | None, values: tuple[float | None, ...], past: str) -> GraphData:
    title: list[Span] = [("CPU ", "bold")]
    right: tuple[Span, ...] = ()
    if sample is not None:
        title.append((f"{sample.cpu:.1f}%", "accent bold"))
        right = ((f"of a core, {sample.pids} pids", "dim"),)
    peak = max((v for v in values if v is not None), default=0.0)
    top = next((step for step in _TOPS if step >= peak), peak)
    return GraphData(tuple(title), values, top, f"{top:.0f}%", right=right, window=past)


def _memory(sample: ContainerSample | None, values: tuple[float | None, ...], past: str) -> GraphData:
    title: list[Span] = [("MEM ", "bold")]
    right: tuple[Span, ...] = ()
    peak = max((v for v in values if v is not None), default=0.0)
    top = nice_top(peak)
    if sample is not None:
        title.append((bytes_text(sample.memory), "accent bold"))
        if sample.memory_limit:
            share = 100 * sample.memory / sample.memory_limit
            right = ((f"{share:.0f}% of {bytes_text(sample.memory_limit)}", "bad" if share > 90 else "dim"),)
            if share > 25:  # near enough for the limit itself to be the top
                top = float(sample.memory_limit)
        else:
            right = (("no limit", "dim"),)
    return GraphData(tuple(title), values, top, bytes_text(top), right=right, window=past)
