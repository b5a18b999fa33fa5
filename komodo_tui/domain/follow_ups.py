"""What comes after a build, as it is kept on disk: each thing before it begins, and how it ended. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

FollowState = Literal["under way", "success", "failed"]


class FollowStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was to be done after a build."""

    what: str
    """``ship to web-1``, ``redeploy shop``."""
    act: str = ""
    """The act it became; empty = it was not begun."""
    outcome: str = ""
    """Of that act, or ``not begun``; empty while it is not known."""
    error: str = ""
    """Why it did not go well."""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.outcome == "success"


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """All that follows one build."""

    act: str
    """Of the build."""
    build: str
    """Its name."""
    asked: float
    """Unix time."""
    ended: float | None = None
    """None: it waits for the build, is under way, or was left by a program that ended."""
    steps: tuple[FollowStep, ...] = ()
    """Those that came up so far, in their order."""

    @property
    def bad(self) -> FollowStep | None:
        """What ended badly first."""
        return next((step for step in self.steps if step.outcome and not step.ok), None)

    @property
    def state(self) -> FollowState:
        """How it stands."""
        if self.ended is None:
            return "under way"
        return "failed" if self.bad is not None else "success"

    @property
    def words(self) -> str:
        """What is under way, or what ended badly; empty where all went well."""
        if self.bad is not None:
            return f"{self.bad.what}: {self.bad.error or self.bad.outcome.replace('_', ' ')}"
        if self.ended is not None:
            return ""
        return next((step.what for step in self.steps if not step.outcome), "what follows")
