"""What a run writes down as it goes: anyone can follow it, and a run that was interrupted can go on from it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from komodo_tui.domain.operations import Actor, Target

RunOutcome = Literal["success", "failed", "cancelled", "interrupted"]
End = Literal["success", "failed", "skipped", "cancelled", "interrupted"]
"""Of a step, a stage or one target."""


class RunStarted(msgspec.Struct, frozen=True, kw_only=True, tag="run", tag_field="k"):
    """The first entry. The definition is kept as it was: what runs is what was read at the start."""

    run: str
    procedure: str
    definition: dict[str, Any]
    parameters: dict[str, str]
    actor: Actor
    pid: int
    servers: tuple[str, ...] = ()
    """The run is limited to these; empty = it is not."""
    timeout: str = ""
    """Of the whole run, instead of the definition's."""
    again: str = ""
    """The run that failed, whose failed steps this one does again."""


class RunResumed(msgspec.Struct, frozen=True, kw_only=True, tag="resumed", tag_field="k"):
    """Another process goes on with it."""

    actor: Actor
    pid: int


class StageStarted(msgspec.Struct, frozen=True, kw_only=True, tag="stage", tag_field="k"):
    """A stage begins."""

    stage: int


class StepStarted(msgspec.Struct, frozen=True, kw_only=True, tag="step", tag_field="k"):
    """A step begins; these are its targets."""

    stage: int
    step: int
    targets: tuple[Target, ...] = ()
    asks: str = ""
    """What a person is asked to approve."""
    until: float = 0.0
    """Unix time at which that counts as a no."""


class TargetStarted(msgspec.Struct, frozen=True, kw_only=True, tag="target", tag_field="k"):
    """An attempt on one target begins. On disk before its first effect."""

    stage: int
    step: int
    target: Target
    attempt: int
    action: str = ""
    """Id of its entry in the history, chosen before: by it a later process learns how it ended."""
    more: tuple[str, ...] = ()
    """The same of further acts of the attempt on this target, done after it."""


class TargetMoved(msgspec.Struct, frozen=True, kw_only=True, tag="target_at", tag_field="k"):
    """How an attempt stands, for those who watch; how it ends is said by :class:`TargetEnded`."""

    stage: int
    step: int
    target: Target
    status: str
    text: str = ""


class TargetEnded(msgspec.Struct, frozen=True, kw_only=True, tag="target_end", tag_field="k"):
    """…and how it ended."""

    stage: int
    step: int
    target: Target
    attempt: int
    end: End
    error: str = ""
    hint: str = ""
    seconds: float = 0.0
    output: str = ""
    """Its tail."""


class StepEnded(msgspec.Struct, frozen=True, kw_only=True, tag="step_end", tag_field="k"):
    """How a step ended, and what it saved."""

    stage: int
    step: int
    end: End
    summary: str = ""
    seconds: float = 0.0
    saved: dict[str, str] = msgspec.field(default_factory=dict)


class StageEnded(msgspec.Struct, frozen=True, kw_only=True, tag="stage_end", tag_field="k"):
    """How a stage ended."""

    stage: int
    end: End
    summary: str = ""


class RunEnded(msgspec.Struct, frozen=True, kw_only=True, tag="run_end", tag_field="k"):
    """The last entry."""

    outcome: RunOutcome
    summary: str = ""


Entry = (
    RunStarted | RunResumed | StageStarted | StepStarted | TargetStarted | TargetMoved | TargetEnded | StepEnded
    | StageEnded | RunEnded
)  # fmt: skip

decoder = msgspec.json.Decoder(Entry)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said to a step that asks."""

    stage: int
    step: int
    yes: bool
    who: str
    at: float
    note: str = ""


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One run in a list."""

    run: str
    procedure: str
    started: float
    ended: float | None = None
    outcome: RunOutcome | None = None
    """None: it is under way, or its process is gone."""
    summary: str = ""
    who: str = ""
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
