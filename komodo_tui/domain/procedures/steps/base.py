"""What all steps have, and what steps on many targets have."""

from __future__ import annotations

from typing import Literal

import msgspec

Words = tuple[str, ...] | str


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all steps have."""

    name: str = ""
    """What it is called in the run; else its kind."""
    when: str = ""
    """Only if this holds: env == "prod" and not failed. See :mod:`komodo_tui.domain.procedures.expressions`."""
    enabled: bool = True
    """Leave it out without taking it out."""
    timeout: str = ""
    """Of one attempt on one target; empty = none."""
    retries: int = 0
    """Further attempts on a target that failed."""
    backoff: str = "2s"
    """Before the first retry; doubled for each further one."""
    continue_on_error: bool = False
    """Its failure does not fail the stage."""
    save: str = ""
    """Keep the output, without surrounding white space, under this name for later steps."""
    idempotent: bool | None = None
    """Whether doing it twice is as good as once: then a run that is resumed does it again where nobody knows how an
    attempt ended. None = as its kind is; see :data:`komodo_tui.domain.procedures.steps.IDEMPOTENT`."""


class Spread(Step, frozen=True, kw_only=True):
    """Steps on many targets: how they go through them."""

    servers: Words = ()
    """Names, wildcards, ``re:PATTERN`` or ``tag:NAME``, with ``!`` before it: not these; empty = all."""
    where: str = ""
    """Only targets for which this holds, by facts of their servers: ``os == "debian" and cores > 2``."""
    batch: int = 0
    """Rolling: this many targets at once, the next ones when they are done; 0 = all together."""
    parallel: int = 0
    """Targets at once, the next one as soon as one is done; 0 = no limit."""
    pause: str = ""
    """Between two batches."""
    stop_after: int = 1
    """Rolling: go no further after this many targets failed."""


class OnContainers(Spread, frozen=True, kw_only=True):
    """Steps on containers that are picked when the step begins."""

    match: Words = ()
    """Names, wildcards (``apache*``), ``re:…``, ``label:key=value``, ``stack:name``, ``image:name``; one must fit.
    With ``!`` before it: not these."""
    state: Words = ()
    """Only those in one of these states."""
    none: Literal["fail", "warn", "pass"] = "fail"
    """What it means when nothing matches."""
