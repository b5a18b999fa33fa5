"""Steps on builds."""

from __future__ import annotations

from typing import Literal

from komodo_tui.domain.procedures.steps.base import Spread, Words


class Build(Spread, frozen=True, kw_only=True):
    """Build images; then what their definitions say is to follow: ship, push, redeploy. One build after the other."""

    build: Words
    """Names, wildcards, ``re:PATTERN`` or ``tag:NAME``."""
    version: str = ""
    """Instead of the next one."""
    follow_up: bool = True
    """Whether what is to follow is done."""
    none: Literal["fail", "warn", "pass"] = "fail"
    """What it means when nothing matches."""
