"""The rows and columns of the history. Pure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.operations import Target
from komodo_tui.domain.text import clean
from komodo_tui.domain.units import duration_text
from komodo_tui.ui.render.columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.render.glyphs import Glyphs


def slim(record: ActionRecord) -> ActionRecord:
    """The record without what only its detail shows: outputs may be large, and a list holds many."""
    return msgspec.structs.replace(record, operation={}, steps=(), before="", after="")


def result_word(record: ActionRecord, under_way: Callable[[ActionRecord], bool]) -> str:
    """The outcome; without one ``running``, or ``unknown`` where nobody works on it any more."""
    if record.outcome is not None:
        return "ok" if record.outcome == "success" else record.outcome.replace("_", " ")
    return "running" if under_way(record) else "unknown"


def result_look(record: ActionRecord, word: str, glyphs: Glyphs) -> tuple[str, str]:
    """Sign and tone of a result."""
    if record.outcome == "success":
        return glyphs.done, "ok"
    if word == "running":
        return glyphs.busy, "busy"
    if word == "unknown":
        return glyphs.unknown, "warn"
    if record.outcome == "cancelled":
        return glyphs.stopped, "dim"
    if record.outcome in ("interrupted", "rolled_back"):
        return glyphs.warn, "warn"
    return glyphs.fail, "bad"


def targets_text(record: ActionRecord) -> str:
    """``api@web-1``; several of one kind are put together: ``api,db@web-1 +2``."""
    if not record.targets:
        return ""
    first = record.targets[0]
    same = [target for target in record.targets if target.server == first.server]
    names = ",".join(target.name for target in same if target.name)
    text = str(Target(server=first.server, name=names))
    others = len(record.targets) - len(same)
    return clean(f"{text} +{others}" if others else text)


def when_text(at: float, now: float) -> str:
    """``09:41:20`` of the same local day, else ``11-25 09:41``, else ``2025-11-25``."""
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M:%S", then)
    return time.strftime("%m-%d %H:%M" if then.tm_year == today.tm_year else "%Y-%m-%d", then)


def columns(
    glyphs: Callable[[], Glyphs], now: Callable[[], float], under_way: Callable[[ActionRecord], bool]
) -> tuple[Column[ActionRecord], ...]:
    """Sign, time, who, act, target, result, why."""

    def sign(record: ActionRecord) -> Cell:
        return (result_look(record, result_word(record, under_way), glyphs()),)

    def result(record: ActionRecord) -> Cell:
        word = result_word(record, under_way)
        _, tone = result_look(record, word, glyphs())
        took = (record.ended if record.ended is not None else now()) - record.started
        age = f" {duration_text(took)}" if word != "unknown" and (took >= 1 or word == "running") else ""
        return ((f"{word}{age}", tone),)

    return (
        Column("sign", "", 1, sign),
        Column("time", "TIME", 11, lambda r: when_text(r.started, now()), key=lambda r: r.started, descending=True),
        Column("who", "WHO", 8, lambda r: clean(r.actor.sudo_user or r.actor.name), key=lambda r: str(r.actor),
               priority=2, grow=1, most=24),
        Column("act", "ACT", 10, lambda r: clean(r.act), key=lambda r: r.act, grow=1, most=22),
        Column("target", "TARGET", 18, targets_text, key=targets_text, grow=3, most=60),
        Column("result", "RESULT", 12, result, key=lambda r: r.outcome or "", grow=1, most=20),
        Column("why", "WHY", 10, lambda r: ((clean(r.summary), "dim"),), priority=1, grow=4),
        Column("via", "VIA", 5, lambda r: ((r.actor.via, "dim"),), key=lambda r: r.actor.via, priority=4),
        Column("id", "ID", 8, lambda r: ((clean(r.id[:8]), "dim"),), priority=3),
    )  # fmt: skip
