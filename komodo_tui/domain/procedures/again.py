"""What a new run takes over from one that failed: everything that went well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.procedures.journal import (
    StageEnded,
    StageStarted,
    StepEnded,
    StepStarted,
    TargetEnded,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.procedures.journal import Entry
    from komodo_tui.domain.procedures.model import ProcedureDefinition


def carried_over(definition: ProcedureDefinition, entries: Sequence[Entry]) -> list[Entry]:
    """The entries of a journal that stay true for a run that does again what failed.

    Stages that went well are done, in others the steps that did, in other steps the targets that did. Stages for
    failures, and those that run always, are looked at anew.
    """
    usual = {number for number, stage in enumerate(definition.stages) if stage.on == "success"}
    stages = {entry.stage for entry in entries if isinstance(entry, StageEnded) and entry.end == "success"} & usual
    done = {
        (entry.stage, entry.step)
        for entry in entries
        if isinstance(entry, StepEnded) and (entry.end == "success" or entry.stage in stages) and entry.stage in usual
    }
    kept: list[Entry] = []
    for entry in entries:
        if isinstance(entry, StageStarted | StageEnded):
            if entry.stage in stages:
                kept.append(entry)
        elif isinstance(entry, StepEnded):
            if (entry.stage, entry.step) in done:
                kept.append(entry)
        elif isinstance(entry, StepStarted):
            # of a step that is done again only what it was begun for counts, not for how long it would have waited
            if entry.stage in usual and ((entry.stage, entry.step) in done or entry.targets):
                kept.append(entry)
        elif isinstance(entry, TargetEnded) and entry.stage in usual and entry.end == "success":
            kept.append(entry)
    return kept
