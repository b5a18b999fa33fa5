"""What is told of a run around its lines: the head, the targets of a step, the matrix of servers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from komodo_tui.domain.units import clock_text, long_duration_text
from komodo_tui.ui.procedures.columns import result_sign

if TYPE_CHECKING:
    from komodo_tui.domain.procedures.progress import RunLine, RunProgress
    from komodo_tui.ui.look import Look
    from komodo_tui.ui.widgets.lines import Line


def head_lines(
    progress: RunProgress, run: str, result: str, expected: float | None, now: float, look: Look
) -> list[Line]:
    """Name, result, times and place of a run; what it asks, or why it ended so."""
    if progress.definition is None:
        return []
    sign, tone = result_sign(result, look.glyphs)
    elapsed = (progress.end_time or now) - progress.started
    about = f" of about {long_duration_text(expected)}" if expected is not None and progress.ended is None else ""
    given = " ".join(f"{name}={value}" for name, value in progress.parameters.items())
    only = f"on {' '.join(progress.only)} only  " if progress.only else ""
    again = f"again what failed in {progress.again}  " if progress.again else ""
    lines: list[Line] = [
        (
            (f" {progress.definition.name} ", "title bold"), (f"{sign} {result} ", tone),
            (f" {long_duration_text(elapsed)}{about}  ", ""), (_place(progress), ""),
        ),
        ((f" run {run}  by {progress.who}  {only}{again}{given}", "dim"),),
    ]  # fmt: skip
    asking = progress.asking
    if asking is not None:
        left = f"until {clock_text(asking.until)}"
        lines.append(((f" {look.glyphs.unknown} {asking.summary}  ", "warn bold"), (f"A answers, {left}", "warn")))
    why = progress.ended.summary if progress.ended is not None else ""
    if why:
        lines.append(((f" {why}", tone),))
    return lines


def _place(progress: RunProgress) -> str:
    """``stage 2/4  step 5/9  target 12/60``, while it is under way."""
    steps = progress.steps()
    if progress.ended is not None or not steps:
        return ""
    stages = [line for line in progress.lines.values() if line.depth == 0]
    parts = [f"stage {min(len(stages), sum(s.over for s in stages) + 1)}/{len(stages)}",
             f"step {sum(step.over for step in steps)}/{len(steps)}"]  # fmt: skip
    targets = [target for step in steps if step.end == "running" for target in progress.targets(step)]
    if targets:
        parts.append(f"target {sum(target.over for target in targets)}/{len(targets)}")
    return "  ".join(parts)


def step_text(step: RunLine, progress: RunProgress, now: float, look: Look) -> Text:
    """What came of a step, and each of its targets in a line."""
    text = Text(step.summary or step.end)
    for line in progress.targets(step):
        sign, tone = result_sign(line.end, look.glyphs)
        text.append(f"\n{sign} ", look.palette.style(tone))
        text.append(f"{line.title}  {line.took(now)}  ")
        text.append(line.summary, look.palette.style("dim"))
    return text


def matrix_text(progress: RunProgress, look: Look) -> Text:
    """Steps below one another, servers beside one another, a sign where they meet."""
    servers: dict[str, int] = {}
    for line in progress.lines.values():
        if line.target is not None:
            servers.setdefault(line.target.server or line.title, len(servers))
    style = look.palette.style
    if not servers:
        return Text("no step has begun on a server yet", style("dim"))
    names = sorted(servers)
    width = max(len(step.title) for step in progress.steps()) + 4
    text = Text(no_wrap=True)
    for number, name in enumerate(names):
        text.append(" " * (width + 2 * number) + "┌ " if not look.glyphs.ascii else " " * (width + 2 * number) + "/ ",
                    style("dim"))  # fmt: skip
        text.append(f"{name}\n")
    for key, line in sorted(progress.lines.items()):
        if line.depth == 0:
            text.append(f"{line.title}\n", style("title bold"))
        elif line.depth == 1:
            _matrix_row(text, line, progress, names, width, look)
        del key
    return text


def _matrix_row(text: Text, step: RunLine, progress: RunProgress, names: list[str], width: int, look: Look) -> None:
    ends: dict[str, list[str]] = {}
    for line in progress.targets(step):
        assert line.target is not None
        ends.setdefault(line.target.server or line.title, []).append(line.end)
    text.append(f"  {step.title}".ljust(width))
    for name in names:
        sign, tone = result_sign(_worst(ends[name]), look.glyphs) if name in ends else (" ", "")
        text.append(f"{sign} ", look.palette.style(tone))
    if not ends:
        sign, tone = result_sign(step.end, look.glyphs)
        text.append(f"{sign} {step.end}", look.palette.style(tone))
    text.append("\n")


_ORDER = ("failed", "interrupted", "cancelled", "running", "waiting", "success")


def _worst(ends: list[str]) -> str:
    """Of several targets on one server the one that most wants to be looked at."""
    return min(ends, key=lambda end: _ORDER.index(end) if end in _ORDER else len(_ORDER))
