"""Waiting until something is so: containers healthy, a line in a log, a port open, an address answering."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

from komodo_agent.wire import logs
from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import ActError, KomodoError, UsageError
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.words import words
from komodo_tui.domain.text import clean
from komodo_tui.operations.procedures.targets import keep_where, pick_containers

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any

    from komodo_tui.domain.operations import Target
    from komodo_tui.operations.procedures.parts import RunParts

PATIENCE = 120.0
"""Seconds, where a step names none."""
_ONE_TRY = 5.0
_HEALTH_EVERY = 0.5
_EARLIER = 1.0
"""Seconds before that at which a line still counts: clocks differ."""


async def wait_for(step: steps.Wait, parts: RunParts, run_began: float) -> str:
    """Wait; returns what is so now. Lines of logs count from the container's start or, if later, from ``run_began``.

    Raises:
        ActError: it has not come to that in time, with what was missing last.
    """
    limit = parse_duration(step.timeout) or PATIENCE
    every = max(0.05, parse_duration(step.every))
    missing = "nothing has been tried"
    try:
        async with asyncio.timeout(limit):
            if step.log:
                missing = f"no line that fits {step.log!r}"
                return await _in_logs(step, parts, run_began - _EARLIER)
            while True:
                missing = await _look(step, parts)
                if not missing:
                    return _so(step)
                await asyncio.sleep(every)
    except TimeoutError:
        raise ActError(f"after {limit:g} s: {missing}", hint="give it a longer timeout, or look why") from None


def _so(step: steps.Wait) -> str:
    return f"{step.tcp or step.http} answers" if step.tcp or step.http else "all of them run and are well"


def _look(step: steps.Wait, parts: RunParts) -> Coroutine[Any, Any, str]:
    if step.tcp:
        return _tcp(step.tcp)
    if step.http:
        return asyncio.to_thread(_http, step.http)
    return _healthy(step, parts)


def _targets(step: steps.Wait, match: steps.Words, parts: RunParts) -> tuple[list[Target], str]:
    """The containers that are meant, or why there are none."""
    picked = pick_containers(steps.RestartContainers(match=match, servers=step.servers), words(match), parts)
    keep_where(step.where, picked, parts.state)
    if picked.problem:
        return [], picked.problem
    if picked.away:
        return [], f"{picked.away[0].name} cannot be asked"
    return picked.targets, ""


async def _healthy(step: steps.Wait, parts: RunParts) -> str:
    """What is not well yet. The engines are asked: events of what was just done may still be on their way."""
    targets, problem = _targets(step, step.healthy, parts)
    if problem:
        return problem
    for target in targets:
        why = await _unwell(target, parts)
        if why:
            return why
    return ""


async def _unwell(target: Target, parts: RunParts) -> str:
    try:
        client = await parts.fleet.link(target.server).client(_ONE_TRY)
        container = (await client.container(target.id)).container
    except KomodoError as error:
        return f"{target}: {error.message}"
    if container.state != "running" or container.health in ("starting", "unhealthy"):
        return f"{target} is {container.health if container.state == 'running' else container.state}"
    return ""


async def until_healthy(targets: Sequence[Target], parts: RunParts, within: float) -> dict[Target, str]:
    """Wait, ``within`` seconds at most, until all of them run and are well; those that are not then, and why."""
    missing: dict[Target, str] = {}
    deadline = time.monotonic() + within
    while True:
        whys = await asyncio.gather(*(_unwell(target, parts) for target in targets))
        missing = {target: why for target, why in zip(targets, whys, strict=True) if why}
        if not missing or time.monotonic() >= deadline:
            return {target: f"after {within:g} s: {why}" for target, why in missing.items()}
        await asyncio.sleep(_HEALTH_EVERY)


# -- logs ---------------------------------------------------------------------------------------------------------


async def _in_logs(step: steps.Wait, parts: RunParts, since: float) -> str:
    """Until each of the containers has written such a line."""
    targets, problem = _targets(step, step.containers, parts)
    while problem:
        await asyncio.sleep(max(0.05, parse_duration(step.every)))
        targets, problem = _targets(step, step.containers, parts)
    pattern = re.compile(step.log)
    lines = await asyncio.gather(*(_line(target, pattern, parts, since) for target in targets))
    return f"{targets[0]}: {lines[0]}" if len(lines) == 1 else f"{len(lines)} of them wrote it"


async def _line(target: Target, pattern: re.Pattern[str], parts: RunParts, since: float) -> str:
    """The first line that fits; asked for again where the connection is lost. The step's time ends it."""
    while True:
        try:
            client = await parts.fleet.link(target.server).client(_ONE_TRY)
            started = (await client.container(target.id)).container.started
            source = logs.LogSource(container=target.id, tag="aa", since=f"{max(since, started):.6f}")
            stream = await client.logs(logs.LogRequest(sources=(source,)))
            try:
                async for message in stream:
                    found = _first(message, pattern) if isinstance(message, bytes) else ""
                    if found:
                        return found
            finally:
                await stream.close()
        except KomodoError:
            pass  # it is asked again
        await asyncio.sleep(1.0)


def _first(frame: bytes, pattern: re.Pattern[str]) -> str:
    for raw in frame.splitlines():
        text = clean(raw[logs.PREFIX :].decode("utf-8", "replace"))
        if pattern.search(text):
            return text[:200]
    return ""


# -- the network --------------------------------------------------------------------------------------------------


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
