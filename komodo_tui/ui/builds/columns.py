"""The columns of builds and of past builds; how long they took and how large they were, as small graphs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.units import bytes_text, duration_text, long_duration_text
from komodo_tui.operations.build_history import FOLLOWING, NOT_FOLLOWED
from komodo_tui.ui.procedures.columns import result_sign
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.render.graph import sparkline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from komodo_tui.operations.build_history import BuildRun
    from komodo_tui.ui.builds.book import BuildRow
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.render.reason import Reason
    from komodo_tui.ui.widgets.lines import Line

_ORDER = ("failed", "interrupted", NOT_FOLLOWED, "running", FOLLOWING, "cancelled", "success", "")
"""What asks to be looked at first."""
_FOLLOWED = {FOLLOWING: ("busy", "busy"), NOT_FOLLOWED: ("bad", "bad")}
_WORDS = {FOLLOWING: "built, going on:", NOT_FOLLOWED: "built, but"}
TREND = 12
"""Builds in the graph of a row."""


def state_cell(row: BuildRow, glyphs: Glyphs) -> Cell:
    """``✔ success``; under way: what is done, and how far it is."""
    if row.job is not None:
        progress = row.job.progress
        share = f" {progress.done:.0%}" if progress is not None and progress.done is not None else ""
        return ((f"{glyphs.busy} building{share}", "busy"), (f" {progress.text}" if progress else "", "dim"))
    if not row.state:
        return (("never built", "dim"),)
    return run_state(row.state, run_words(row.last) if row.last is not None else "", glyphs)


def run_words(run: BuildRun) -> str:
    """What went wrong, or what goes on: the step that failed before all else."""
    return run.failed_step or run.why


def reason(row: BuildRow, glyphs: Glyphs) -> Reason:
    """What is wrong with the last build, in full: the step, its exit code, and the last that it said."""
    run = row.last
    if row.job is not None or run is None or row.state in ("success", "running", FOLLOWING):
        return "", ""
    if row.state == NOT_FOLLOWED:
        return f"{glyphs.fail} {run.version} is built, but {run.why}. m, f: do what is left of it", "bad"
    said = [line for line in run.failed_lines if line.strip() and not line.startswith("ERROR:")]  # the engine's own
    last = f" | {said[-1].strip()}" if said else ""
    tone = "warn" if row.state == "cancelled" else "bad"
    sign = glyphs.stopped if row.state == "cancelled" else glyphs.fail
    return f"{sign} {run.version}: {run.why or row.state}{last}", tone


def run_state(state: str, why: str, glyphs: Glyphs) -> Cell:
    """``✔ success``; else also what went wrong, or what goes on."""
    sign, tone = _FOLLOWED.get(state) or result_sign(state, glyphs)
    said = {"busy": glyphs.busy, "bad": glyphs.fail}.get(sign, sign)
    return ((f"{said} {_WORDS.get(state, state)}", tone), (f" {why}" if why and state != "success" else "", "dim"))


def times(runs: Iterable[BuildRun]) -> list[float]:
    """Seconds of those that succeeded, the oldest first."""
    return [run.seconds for run in runs if run.outcome == "success"][::-1]


def sizes(runs: Iterable[BuildRun]) -> list[float]:
    """Bytes of the images, the oldest first."""
    return [float(run.size) for run in runs if run.outcome == "success" and run.size][::-1]


def trend(values: list[float], width: int, glyphs: Glyphs) -> str:
    """A graph of the last values, against the largest of them."""
    shown = values[-width:]
    return sparkline(shown, len(shown), max(shown) * 1.001, glyphs) if shown and max(shown) > 0 else ""


def trend_line(runs: tuple[BuildRun, ...], width: int, glyphs: Glyphs) -> Line:
    """How times and sizes went: both graphs, each with the last value and the range."""
    spans: list[tuple[str, str]] = []
    for title, values, text in (
        ("time", times(runs), long_duration_text), ("size", sizes(runs), bytes_text),
    ):  # fmt: skip
        if values:
            graph = trend(values, max(4, width // 2 - 30), glyphs)
            spans += [(f" {title} ", "dim"), (graph, "accent"), (f" {text(values[-1])}", "bold"),
                      (f" ({text(min(values))} to {text(max(values))}) ", "dim")]  # fmt: skip
    return tuple(spans)


def build_columns(glyphs: Glyphs, now: Callable[[], float]) -> tuple[Column[BuildRow], ...]:
    """A build in a row: how the last one went, then the image there is, which is that of the last that succeeded."""

    def last(text: Callable[[BuildRun], str]) -> Callable[[BuildRow], str]:
        return lambda row: text(row.last) if row.last is not None else "-"

    def image(text: Callable[[BuildRun], str]) -> Callable[[BuildRow], str]:
        return lambda row: text(row.good) if row.good is not None else "-"

    def took(run: BuildRun) -> str:
        return long_duration_text(run.seconds if run.outcome is not None else now() - run.started)

    return (
        Column("name", "BUILD", 12, lambda r: r.definition.name, key=lambda r: r.definition.name.lower(), grow=1,
               most=32),
        Column("state", "LAST BUILD", 24, lambda r: state_cell(r, glyphs), key=lambda r: _ORDER.index(r.state), grow=5,
               most=60),
        Column("age", "AGO", 4, last(lambda run: duration_text(now() - run.started)),
               key=lambda r: -r.last.started if r.last else None, right=True, priority=1),
        Column("took", "TOOK", 7, last(took), key=lambda r: r.last.seconds if r.last else None, right=True,
               priority=3, descending=True),
        Column("version", "IMAGE", 9, image(lambda run: run.version)),
        Column("commit", "COMMIT", 8, image(lambda run: run.commit[:8] or "-"), priority=2),
        Column("size", "SIZE", 6, image(lambda run: bytes_text(run.size)), right=True, priority=4, descending=True,
               key=lambda r: r.good.size if r.good else None),
        Column("trend", "TIMES", TREND, lambda r: ((trend(times(r.runs), TREND, glyphs), "accent"),), priority=7),
        Column("goes", "IMAGE GOES", 10, lambda r: r.definition.destination, priority=5, grow=1, most=32),
        Column("source", "SOURCE", 14, lambda r: ((r.definition.source_words, "dim"),), priority=6, grow=2, most=40),
    )  # fmt: skip


def run_columns(glyphs: Glyphs, now: Callable[[], float]) -> tuple[Column[BuildRun], ...]:
    """A past build in a row."""

    def outcome(run: BuildRun) -> Cell:
        return run_state(run.state, run_words(run), glyphs)

    def took(run: BuildRun) -> str:
        return long_duration_text(run.seconds if run.outcome is not None else now() - run.started)

    return (
        Column("version", "VERSION", 9, lambda r: r.version),
        Column("outcome", "OUTCOME", 14, outcome, key=lambda r: _ORDER.index(r.state), grow=3, most=70),
        Column("ago", "AGO", 4, lambda r: duration_text(now() - r.started), key=lambda r: -r.started, right=True),
        Column("took", "TOOK", 7, took, key=lambda r: r.seconds, right=True, descending=True, live=True),
        Column("size", "SIZE", 6, lambda r: bytes_text(r.size) if r.size else "-", key=lambda r: r.size or None,
               right=True, priority=2, descending=True),
        Column("commit", "COMMIT", 8, lambda r: r.commit[:8] or "-", priority=1),
        Column("image", "IMAGE", 12, lambda r: r.image.removeprefix("sha256:")[:12] or "-", priority=3),
        Column("server", "SERVER", 10, lambda r: r.server, priority=4, grow=1, most=24),
        Column("who", "WHO", 8, lambda r: ((r.who, "dim"),), priority=5, grow=1, most=24),
    )  # fmt: skip


def build_filter(line: str) -> Callable[[BuildRow], bool]:
    """Builds by words in what their rows show."""
    test = parse_text(line)
    return lambda r: test(
        "\n".join((r.definition.name, r.definition.description, r.definition.image_name, r.definition.source_words,
                   r.definition.destination, r.state, *r.definition.tags)).lower()
    )  # fmt: skip


def run_filter(line: str) -> Callable[[BuildRun], bool]:
    """Past builds by words in what their rows show."""
    test = parse_text(line)
    return lambda r: test("\n".join((r.version, r.state, r.commit, r.image, r.server, r.who, r.why)).lower())
