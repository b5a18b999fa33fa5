"""What happened, told by the engine's events and from how containers were and how they are now."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..wire.past import PastEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..engine.events import Happening
    from ..wire.models import Container
    from ..wire.past import EventKind

_LIVE = ("running", "paused")
_STOPPED = (0, 143, None)
_WHOLE_ID = re.compile(r"sha256:[0-9a-f]{64}")


class Chronicle:
    """Remembers how each container was. What was there before this agent began is no event.

    Args:
        began: Unix time of the agent's start.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._known: dict[str, Container] = {}
        self._ends: dict[str, float] = {}
        """By container: the newest end that an event told of."""
        self._told_ends: dict[str, float] = {}
        """By container: an end that was seen before its event came."""
        self._engine_up: bool | None = None

    def containers(self, changed: Iterable[Container], removed: Iterable[str], now: float) -> list[PastEvent]:
        """What these changes mean, in the order it happened."""
        found: list[PastEvent] = []
        for container in changed:
            if _builds(container.image, container.stack):
                continue
            before, self._known[container.id] = self._known.get(container.id), container
            found += self._told(before, container, now)
        for cid in removed:
            gone = self._known.pop(cid, None)
            self._ends.pop(cid, None)
            self._told_ends.pop(cid, None)
            if gone is not None:
                found.append(_event("removed", gone, now))
        return sorted(found, key=lambda event: event.at)

    def happened(self, happening: Happening) -> list[PastEvent]:
        """What an event told that a later look at its container may not show."""
        if happening.at < self._began or (happening.kind == "die" and _builds(happening.image, happening.stack)):
            return []
        kind: EventKind = "oom"
        detail = ""
        if happening.kind == "die":
            self._ends[happening.id] = happening.at
            if self._told_ends.pop(happening.id, None) is not None:
                return []
            kind = "stopped" if happening.exit_code in _STOPPED else "died"
            detail = "" if happening.exit_code is None else f"exit code {happening.exit_code}"
        return [
            PastEvent(
                at=happening.at, kind=kind, container=happening.container, stack=happening.stack, detail=detail
            )
        ]  # fmt: skip

    def engine(self, up: bool, detail: str, now: float) -> list[PastEvent]:
        """The engine answers, or does not; nothing when that is known."""
        was, self._engine_up = self._engine_up, up
        if was == up or (was is None and up):
            return []
        return [PastEvent(at=now, kind="engine_up" if up else "engine_down", detail="" if up else detail)]

    def _told(self, before: Container | None, now: Container, at: float) -> list[PastEvent]:
        if before is None:
            if now.created < self._began:
                return []
            fresh = [_event("created", now, now.created or at)]
            return [*fresh, _event("started", now, now.started)] if now.state in _LIVE else fresh
        found: list[PastEvent] = []
        ended = now.finished > before.finished and before.state in _LIVE
        if (ended or now.state == "restarting" != before.state) and self._ends.get(now.id, 0.0) < now.finished:
            self._told_ends[now.id] = now.finished  # its event comes later, if at all
            found.append(_ended(now, at))
        if now.started > before.started:
            found.append(_event("started", now, now.started))
        if now.state != before.state and now.state == "paused":
            found.append(_event("paused", now, at))
        if now.state != before.state and before.state == "paused" and now.state == "running":
            found.append(_event("unpaused", now, at))
        if now.health != before.health and now.health in ("healthy", "unhealthy"):
            found.append(_event("healthy" if now.health == "healthy" else "unhealthy", now, at))
        return found


def _builds(image: str, stack: str) -> bool:
    """Whether it is a step of a build by the classic builder: made of an image by its whole id, by no compose project.

    Each step of each build makes one and takes it away again; the build itself is told of as an act.
    """
    return _WHOLE_ID.fullmatch(image) is not None and not stack


def _ended(container: Container, at: float) -> PastEvent:
    """Its run is over: by itself, by a failure, or by the kernel for want of memory."""
    code = container.exit_code
    detail = "" if code is None else f"exit code {code}"
    if container.oom_killed:
        kind: EventKind = "oom"
    elif container.state == "restarting":
        kind = "restarting"
    else:
        kind = "stopped" if code in _STOPPED else "died"
    return _event(kind, container, container.finished or at, detail)


def _event(kind: EventKind, container: Container, at: float, detail: str = "") -> PastEvent:
    return PastEvent(at=at, kind=kind, container=container.name, stack=container.stack, detail=detail)
