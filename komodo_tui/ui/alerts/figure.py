"""The figure an alert is about, around the time at which it opened. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_agent.wire.past import HOST, PEAK
from komodo_tui.domain.units import bytes_text, duration_text
from komodo_tui.ui.render.graph import nice_top
from komodo_tui.ui.timeline.figures import stretched
from komodo_tui.ui.widgets.graph import GraphData

if TYPE_CHECKING:
    from komodo_agent.wire.models import HostSample
    from komodo_agent.wire.past import Past
    from komodo_tui.domain.alerts import Alert, Subject

BEFORE, AFTER = 1800.0, 1800.0
"""Seconds around the moment at which it opened."""
_LEAST = 0.5
"""A line that would be flat on the ground says nothing."""
_HOST = {"cpu": "cpu", "memory": "memory", "swap": "swap", "load": "load"}
_PRESSURE = {"memory": "pressure_memory", "disk": "pressure_io"}


def source(subject: Subject) -> tuple[str, str]:
    """Whose series an agent keeps of it, and which; two empty ones where there is no figure."""
    if subject.kind in _HOST:
        return HOST, _HOST[subject.kind]
    if subject.kind == "pressure":
        return HOST, _PRESSURE.get(subject.what, "")
    if subject.kind == "disk":
        return f"disk:{subject.what}", "used"
    if subject.kind in ("restarts", "oom", "down", "unhealthy"):
        return f"container:{subject.what}", "memory" if subject.kind == "oom" else "cpu"
    return "", ""


def span(alert: Alert, now: float) -> tuple[float, float]:
    """From when to when, in Unix time."""
    return alert.opened - BEFORE, min(now, alert.opened + AFTER)


def graph(alert: Alert, past: Past, sample: HostSample | None, count: int) -> GraphData | None:
    """In percent where the whole is known; None where nothing is kept of that time."""
    kind, name = alert.subject.kind, source(alert.subject)[1]
    values = list(past.series.get(name + PEAK) or past.series.get(name) or ())
    if kind == "disk":
        values = [_share(used, free) for used, free in zip(values, past.series.get("available") or (), strict=False)]
    elif kind in ("memory", "swap") and sample is not None:
        whole = sample.memory_total if kind == "memory" else sample.swap_total
        values = [None if value is None or not whole else 100 * value / whole for value in values]
    known = [value for value in values if value is not None]
    if not known or max(known) < _LEAST:
        return None
    if alert.subject.container:
        highest = bytes_text(max(known)) if name == "memory" else f"{max(known):.0f}% of a core"
        return GraphData(
            ((f"{'CPU' if name == 'cpu' else name} of it then ", "bold"), (f"at most {highest}", "accent")),
            stretched(values, count), nice_top(max(known)), "", window=f"-{duration_text(BEFORE)}",
        )  # fmt: skip
    percent = kind in ("cpu", "memory", "swap", "disk", "pressure")
    top = 100.0 if percent and max(known) <= 100 else nice_top(max(known))
    words = f"at most {max(known):.0f}%" if percent else ""
    return GraphData(
        ((f"{name if kind == 'load' else kind} then ", "bold"), (words, "accent")), stretched(values, count), top,
        f"{top:.0f}" if percent or kind == "load" else "", window=f"-{duration_text(BEFORE)}",
    )  # fmt: skip


def _share(used: float | None, free: float | None) -> float | None:
    return None if used is None or free is None or not used + free else 100 * used / (used + free)
