"""A run beside the last good one of the same procedure: what is not as it was then. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.units import long_duration_text, time_text

if TYPE_CHECKING:
    from komodo_tui.domain.procedures.progress import RunLine, RunProgress

_SLOWER = 1.5
"""Times the time of then from which on a step counts as slower…"""
_AT_LEAST = 2.0
"""…and seconds more."""
_NAMES = 5
"""Targets of a step that are named."""


def compared(now: RunProgress, good: RunProgress, at: float) -> list[str]:
    """What differs, one line each; ``at`` is the time now, for a run that is under way."""
    lines = [_head(now, good, at)]
    if now.parameters != good.parameters:
        lines += [
            f"parameter {name}: {good.parameters.get(name, 'not given')} then, {now.parameters.get(name, 'not given')}"
            for name in sorted(now.parameters.keys() | good.parameters.keys())
            if now.parameters.get(name) != good.parameters.get(name)
        ]
    if now.only != good.only:
        lines.append(f"servers: {' '.join(good.only) or 'all'} then, {' '.join(now.only) or 'all'}")
    if now.definition != good.definition:
        lines.append("the definition has been changed since")
    before = {_called(step, good): step for step in good.steps}
    for step in now.steps:
        lines += _step(step, before.pop(_called(step, now), None), now, good, at)
    lines += [f"{name}: is no step any more" for name in before]
    return lines if len(lines) > 1 else [*lines, "nothing differs but the times"]


def _called(step: RunLine, progress: RunProgress) -> str:
    """A step by its stage and name: numbers change when a definition does."""
    return f"{progress.lines[step.key[:1]].title} / {step.title}"


def _head(now: RunProgress, good: RunProgress, at: float) -> str:
    took = long_duration_text((now.end_time or at) - now.started)
    then = long_duration_text(good.end_time - good.started)
    return f"{took}; the good run of {time_text(good.started)} took {then}"


def _step(step: RunLine, then: RunLine | None, now: RunProgress, good: RunProgress, at: float) -> list[str]:
    title = _called(step, now)
    if step.end == "waiting":
        return []
    if then is None:
        return [f"{title}: is new, {step.end}"]
    lines = []
    if step.end != then.end:
        lines.append(f"{title}: {then.end} then, {step.end}: {step.summary}")
    was, is_now = then.seconds(at), step.seconds(at)
    if is_now > was * _SLOWER and is_now - was > _AT_LEAST:
        lines.append(f"{title}: {long_duration_text(was)} then, {long_duration_text(is_now)}")
    return lines + _targets(title, step, then, now, good)


def _targets(title: str, step: RunLine, then: RunLine, now: RunProgress, good: RunProgress) -> list[str]:
    lines = []
    new = [name for name in step.numbers if name not in then.numbers]
    gone = [name for name in then.numbers if name not in step.numbers]
    if new:
        lines.append(f"{title}: also on {_named(new)}")
    if gone and step.numbers:
        lines.append(f"{title}: no more on {_named(gone)}")
    before = {line.title: line for line in good.targets(then)}
    for line in now.targets(step):
        other = before.get(line.title)
        if other is not None and line.over and line.end != other.end:
            lines.append(f"{title}, {line.title}: {other.end} then, {line.end}: {line.summary}")
    return lines


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more
