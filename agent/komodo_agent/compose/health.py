"""Waiting until what was deployed is well, and saying what is not."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from .observe import containers_of, words_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ..engine.client import Engine
    from ..jobs import JobContext
    from ..wire.compose import HealthPolicy
    from ..wire.models import Container

_EVERY = 0.25
_RESTARTS = 2
"""A container that the engine restarted so often within the window is in a loop."""


class Verdict(NamedTuple):
    """How the services stand."""

    good: bool
    hopeless: bool
    """No waiting will help."""
    words: str
    """What is not well, or what is waited for."""
    services: tuple[str, ...] = ()
    """Those that are not well."""


def judge(
    containers: Sequence[Container], expected: Mapping[str, int], ignored: Collection[str], restarts: Mapping[str, int]
) -> Verdict:
    """Look at containers once. Pure.

    Args:
        expected: replicas by service.
        restarts: by container id, the count that was there before the deploy.
    """
    waiting: dict[str, str] = {}
    broken: dict[str, str] = {}
    there: dict[str, int] = {}
    for c in containers:
        if c.service in ignored or c.service not in expected:
            continue
        there[c.service] = there.get(c.service, 0) + 1
        if c.restarts - restarts.get(c.id, 0) >= _RESTARTS:
            broken[c.service] = f"{c.name} restarts again and again" + _exit(c)
        elif c.state == "exited" and c.exit_code == 0 and c.restart_policy in ("", "no"):
            continue  # it has done its work
        elif c.state == "exited" and c.restart_policy in ("", "no"):
            broken[c.service] = f"{c.name} ended with code {c.exit_code}" + (" (out of memory)" if c.oom_killed else "")
        elif c.state == "dead":
            broken[c.service] = f"{c.name} is dead"
        elif c.state == "running" and c.health == "unhealthy":
            broken[c.service] = f"{c.name} is unhealthy"
        elif c.state != "running" or c.health == "starting":
            waiting[c.service] = f"{c.name} is {words_of(c)}"
    for service, replicas in expected.items():
        if service not in ignored and there.get(service, 0) < replicas:
            waiting.setdefault(service, f"{service} has {there.get(service, 0)} of {replicas} containers")
    if broken:
        return Verdict(False, True, "; ".join(broken.values()), tuple(broken))
    return Verdict(not waiting, False, "; ".join(waiting.values()), tuple(waiting))


def _exit(c: Container) -> str:
    return f", with code {c.exit_code}" if c.exit_code else ""


async def until_well(
    engine: Engine,
    context: JobContext,
    project: str,
    expected: Mapping[str, int],
    ignored: Collection[str],
    policy: HealthPolicy,
    *,
    changed: bool,
) -> Verdict:
    """Wait for a good verdict that stays, a hopeless one, or the end of the window.

    ``changed`` False: nothing was made anew, so what is well now need not prove itself.

    Raises:
        AgentError: the engine did not answer.
    """
    start = time.monotonic()
    restarts: dict[str, int] | None = None
    well_since: float | None = None
    said = ""
    while True:
        containers = await containers_of(engine, project)
        if restarts is None:
            restarts = {c.id: c.restarts for c in containers if not _new(c)}
        verdict = judge(containers, expected, ignored, restarts)
        now = time.monotonic()
        if verdict.hopeless:
            return verdict
        well_since = (well_since or now) if verdict.good else None
        if well_since is not None and (not changed or now - well_since >= policy.steady):
            return verdict
        if not verdict.good and now - start >= policy.window:
            return verdict._replace(words=f"after {policy.window:g} s: {verdict.words}")
        text = verdict.words or "all well; watching that it stays so"
        if text != said:
            context.log(text)
            said = text
        context.progress(text)
        await asyncio.sleep(_EVERY)


def _new(c: Container) -> bool:
    """Made so lately that its restarts are of this deploy."""
    return time.time() - c.created < 30
