"""The graphs above the timeline: processor and memory of a server or of a container. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from komodo_agent.wire.past import PEAK
from komodo_tui.domain.units import bytes_text, duration_text
from komodo_tui.ui.render.graph import nice_top
from komodo_tui.ui.widgets.graph import GraphData

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_agent.wire.past import Past
    from komodo_tui.ui.render.cells import Span


def graphs(past: Past | None, name: str, window: float, count: int) -> tuple[GraphData, GraphData]:
    """Processor and memory in ``count`` values each, by their peaks where those are kept."""
    series = past.series if past is not None else {}
    back = f"-{duration_text(window)}"

    def values(what: str) -> tuple[float | None, ...]:
        return stretched(series.get(what + PEAK) or series.get(what) or (), count)

    cpu, memory = values("cpu"), values("memory")
    most_cpu, most_memory = (max((v for v in each if v is not None), default=None) for each in (cpu, memory))
    top = 100.0 if most_cpu is None or most_cpu <= 100 else nice_top(most_cpu)
    ceiling = nice_top(most_memory or 0.0)
    step: tuple[Span, ...] = ((f"{duration_text(past.step)} steps", "dim"),) if past is not None and cpu else ()
    return (
        GraphData(
            ((f"CPU {name} ", "bold"), _most(None if most_cpu is None else f"{most_cpu:.0f}%")), cpu, top,
            f"{top:.0f}", right=step, window=back,
        ),
        GraphData(
            ((f"MEM {name} ", "bold"), _most(None if most_memory is None else bytes_text(most_memory))), memory,
            ceiling, bytes_text(ceiling), window=back,
        ),
    )  # fmt: skip


def stretched(values: Sequence[float | None], count: int) -> tuple[float | None, ...]:
    """As many values as there is room for: of several that share a place the greatest, of one that fills many, it."""
    if not values:
        return ()
    edges = [n * len(values) // count for n in range(count + 1)]
    return tuple(_greatest(values[start : max(start + 1, end)]) for start, end in pairwise(edges))


def _greatest(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _most(text: str | None) -> Span:
    return ("not known", "dim") if text is None else (f"at most {text}", "accent")
