"""What is told of a run around its lines: the head, the targets of a step. Pure."""

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
    stages, steps = progress.stages, progress.steps
    if progress.ended is not None or not steps:
        return ""
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


_ORDER = ("failed", "interrupted", "cancelled", "running", "waiting", "success")


def server_ends(step: RunLine, progress: RunProgress) -> dict[str, str]:
    """By server: of a step's targets there, the end that most wants to be looked at."""
    found: dict[str, str] = {}
    for line in progress.targets(step):
        assert line.target is not None
        server = line.target.server or line.title
        found[server] = min(found.get(server, line.end), line.end, key=_rank)
    return found


def _rank(end: str) -> int:
    return _ORDER.index(end) if end in _ORDER else len(_ORDER)
