"""Waiting until something is so: containers healthy, a port open, an address answering."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import ActError, KomodoError, UsageError
from komodo_tui.domain.procedures.words import words
from komodo_tui.operations.procedures.targets import pick_containers

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from komodo_tui.domain.procedures import steps
    from komodo_tui.fleet.manager import FleetManager

_PATIENCE = 120.0
"""Seconds, where a step names none."""
_ONE_TRY = 5.0


async def wait_for(step: steps.Wait, fleet: FleetManager, pick: Callable[[], steps.OnContainers]) -> str:
    """Wait; returns what is so now. ``pick`` gives the step that names the containers.

    Raises:
        ActError: it has not come to that in time, with what was missing last.
    """
    limit = parse_duration(step.timeout) or _PATIENCE
    every = max(0.05, parse_duration(step.every))
    missing = "nothing has been tried"
    try:
        async with asyncio.timeout(limit):
            while True:
                missing = await _look(step, fleet, pick)
                if not missing:
                    return _so(step)
                await asyncio.sleep(every)
    except TimeoutError:
        raise ActError(f"after {limit:g} s: {missing}", hint="give it a longer timeout, or look why") from None


def _so(step: steps.Wait) -> str:
    return f"{step.tcp or step.http} answers" if step.tcp or step.http else "all of them run and are well"


def _look(step: steps.Wait, fleet: FleetManager, pick: Callable[[], steps.OnContainers]) -> Coroutine[Any, Any, str]:
    if step.tcp:
        return _tcp(step.tcp)
    if step.http:
        return asyncio.to_thread(_http, step.http)
    return _healthy(pick(), words(step.healthy), fleet)


async def _healthy(picker: steps.OnContainers, match: tuple[str, ...], fleet: FleetManager) -> str:
    """What is not well yet. The engines are asked: events of what was just done may still be on their way."""
    picked = pick_containers(picker, match, fleet.state)
    if picked.problem:
        return picked.problem
    if picked.away:
        return f"{picked.away[0].name} cannot be asked"
    for target in picked.targets:
        try:
            client = await fleet.link(target.server).client(_ONE_TRY)
            container = (await client.container(target.id)).container
        except KomodoError as error:
            return f"{target}: {error.message}"
        if container.state != "running" or container.health in ("starting", "unhealthy"):
            return f"{target} is {container.health if container.state == 'running' else container.state}"
    return ""


async def _tcp(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"wait: {address!r} is no host:port")
    try:
        async with asyncio.timeout(_ONE_TRY):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError) as error:
        return f"{address} does not take connections ({error or 'no answer'})"
    writer.close()
    return ""


def _http(url: str) -> str:
    import urllib.error  # late: it takes a tenth of a run's start, and few wait for the web
    import urllib.request

    if not url.startswith(("http://", "https://")):
        raise UsageError(f"wait: {url!r} is no address of the web", hint="it begins with http:// or https://")
    try:
        with urllib.request.urlopen(url, timeout=_ONE_TRY) as answer:
            return "" if answer.status < 400 else f"{url} answers {answer.status}"
    except urllib.error.HTTPError as error:
        return f"{url} answers {error.code}"
    except (OSError, ValueError) as error:
        return f"{url} does not answer ({getattr(error, 'reason', error)})"
