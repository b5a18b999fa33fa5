"""Steps on syncs."""

from __future__ import annotations

from typing import Literal

from komodo_tui.domain.procedures.steps.base import Spread, Words


class SyncApply(Spread, frozen=True, kw_only=True):
    """Make definitions as a sync's files say, and deploy where the sync does. Conflicts are left, and told."""

    sync: Words
    """Names, wildcards or ``re:PATTERN``."""
    none: Literal["fail", "warn", "pass"] = "fail"
    """What it means when nothing matches."""
