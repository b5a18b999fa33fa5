"""What the two rows of an act hold, and how they become one record again."""

from __future__ import annotations

import msgspec

from komodo_tui.domain.operations import ActionRecord, Actor, Outcome, StepResult


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """The content of an outcome row."""

    outcome: Outcome
    summary: str = ""
    steps: tuple[StepResult, ...] = ()
    after: str = ""


def read_intent(seq: int, action: str, at: float, content: str) -> ActionRecord:
    """The record of an intent row. One that a newer version wrote, or somebody spoiled, hides no other."""
    try:
        return msgspec.structs.replace(msgspec.json.decode(content, type=ActionRecord), id=action, seq=seq)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return ActionRecord(
            id=action,
            seq=seq,
            started=at,
            actor=Actor(name="?"),
            act="unknown",
            title="an act this version cannot read",
        )


def read_outcome(content: str) -> Finish:
    """The content of an outcome row, with the same forbearance."""
    try:
        return msgspec.json.decode(content, type=Finish)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return Finish(outcome="interrupted", summary="an outcome this version cannot read")


def ended(record: ActionRecord, at: float, finish: Finish) -> ActionRecord:
    """The act with its outcome."""
    return msgspec.structs.replace(
        record, ended=at, outcome=finish.outcome, summary=finish.summary, steps=finish.steps, after=finish.after
    )
