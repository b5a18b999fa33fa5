"""Steps that touch no server: waiting, asking, telling, naming, and other procedures."""

from __future__ import annotations

from typing import Literal

import msgspec

from komodo_tui.domain.procedures.steps.base import Spread, Step, Words


class Wait(Spread, frozen=True, kw_only=True):
    """Wait until something is so; ``timeout`` (default 2m) is how long at most. Exactly one of the conditions."""

    healthy: Words = ()
    """Containers that run, and are healthy where they have a health check."""
    tcp: str = ""
    """``host:port`` that takes connections, seen from here."""
    http: str = ""
    """URL that answers below 400, seen from here."""
    log: str = ""
    """A line that fits this regular expression, in the log of each of ``containers`` since it was started or, if that
    is later, since the run began."""
    containers: Words = ()
    """For log: which ones."""
    file: str = ""
    """An absolute path that exists on each of ``servers``."""
    every: str = "1s"
    """Between two looks."""


class CheckUpdates(Step, frozen=True, kw_only=True):
    """Ask the registries whether they have replaced images that containers run. What it saves: a line for each
    container whose image was replaced."""

    match: Words = "*"
    """Containers: names, wildcards, re:…, label:key=value, stack:name, image:name; with ! before it: not these."""
    servers: Words = ()
    """Names, wildcards, re:PATTERN or tag:NAME; empty = all."""
    found: Literal["pass", "fail"] = "pass"
    """What it means that there are updates."""


class Sleep(Step, frozen=True, kw_only=True):
    """Do nothing for a while."""

    seconds: str
    """A span of time."""


class Set(Step, frozen=True, kw_only=True):
    """Give names values for the steps that follow."""

    values: dict[str, str]


class Notify(Step, frozen=True, kw_only=True):
    """Send a message by alerters."""

    message: str
    """What it says."""
    title: str = ""
    """Empty = the procedure's name."""
    alerters: Words = ()
    """Their names; empty = all."""
    level: Literal["info", "success", "warning", "failure"] = "info"


class Approve(Step, frozen=True, kw_only=True):
    """Wait for a person's yes, in the TUI or by ``komodo-tui procedure approve RUN``."""

    message: str = ""
    """What is asked."""
    timeout: str = "1h"
    """Without an answer by then it counts as a no."""


class Procedure(Step, frozen=True, kw_only=True):
    """Run another procedure as part of this run."""

    procedure: str
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
