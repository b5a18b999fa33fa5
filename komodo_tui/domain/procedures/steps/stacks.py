"""Steps on stacks and repos."""

from __future__ import annotations

from typing import Literal

from komodo_tui.domain.procedures.steps.base import Spread, Words


class OnStack(Spread, frozen=True, kw_only=True):
    """Steps on stacks, on all their servers or on those of them that ``servers`` names; one after the other."""

    stack: Words
    """Names, wildcards, ``re:PATTERN`` or ``tag:NAME``."""
    none: Literal["fail", "warn", "pass"] = "fail"
    """What it means when nothing matches."""


class Deploy(OnStack, frozen=True, kw_only=True):
    """Deploy a stack as it is defined."""

    pull: Literal["", "missing", "always", "never"] = ""
    """Instead of the stack's own policy."""
    only_if_changed: bool = False
    """Leave servers alone where it would change nothing."""


class DeployIfChanged(OnStack, frozen=True, kw_only=True):
    """Deploy a stack where that would change something."""

    pull: Literal["", "missing", "always", "never"] = ""
    """Instead of the stack's own policy."""


class PullStack(OnStack, frozen=True, kw_only=True):
    """Pull the images of a stack, and change nothing that runs."""


class RollbackStack(OnStack, frozen=True, kw_only=True):
    """Return a stack to a revision."""

    revision: int = 0
    """0 = the last good one before what is deployed."""


class StartStack(OnStack, frozen=True, kw_only=True):
    """Start the containers of a stack."""

    services: Words = ()
    """Only these; empty = all."""


class StopStack(OnStack, frozen=True, kw_only=True):
    """Stop them."""

    services: Words = ()
    """Only these; empty = all."""


class RestartStack(OnStack, frozen=True, kw_only=True):
    """Restart them."""

    services: Words = ()
    """Only these; empty = all."""


class PauseStack(OnStack, frozen=True, kw_only=True):
    """Freeze them."""

    services: Words = ()
    """Only these; empty = all."""


class UnpauseStack(OnStack, frozen=True, kw_only=True):
    """Let them go on."""

    services: Words = ()
    """Only these; empty = all."""


class DestroyStack(OnStack, frozen=True, kw_only=True):
    """Remove containers and networks of a stack; volumes and files are kept."""


class OnRepo(Spread, frozen=True, kw_only=True):
    """Steps on the clones of a repo, on all its servers or on those of them that ``servers`` names."""

    repo: Words
    """Names, wildcards, ``re:PATTERN`` or ``tag:NAME``."""
    none: Literal["fail", "warn", "pass"] = "fail"
    """What it means when nothing matches."""


class RepoClone(OnRepo, frozen=True, kw_only=True):
    """Clone a repo, anew where it is cloned; never throws away what was changed there."""


class RepoPull(OnRepo, frozen=True, kw_only=True):
    """Pull a repo; never throws away what was changed there."""

    clone: bool = False
    """Clone it where there is no clone yet."""
