"""Containers that are not well: down, unhealthy, restarted again and again, ended for want of memory.

Pure but for a memory: engines tell only how often a container was restarted, and what the kernel killed only once.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.alerts import Subject
from komodo_tui.domain.alerts_readings import Reading, figure
from komodo_tui.domain.servers import Threshold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from komodo_agent.wire.models import Container, Oom
    from komodo_tui.domain.levels import Level

RESTARTS = Threshold(3.0, 6.0)
"""Restarts within :data:`WINDOW`; the engine waits up to a minute between two, so a loop shows about ten."""
WINDOW = 600.0
_COUNTED = 100
"""Restarts of a container that are counted at most."""
_ASKED_TO_STOP = frozenset({0, 130, 137, 143})
"""Exit codes of containers that ended their work or were told to: by SIGINT, SIGKILL, SIGTERM."""
_RESTARTED_BY_ENGINE = frozenset({"always", "unless-stopped"})
_CANNOT_START = frozenset({125, 126, 127, 128})


class ContainerSurvey:
    """The containers of one server, look after look. What happened between two looks is told at the second."""

    def __init__(self, news_from: float, kills_from: float) -> None:
        """Unix times from which on an end is news, and from which on a kill is, which was told at once if it was seen;
        what was before was somebody else's to see."""
        self._news_from = news_from
        self._kills_from = kills_from
        self._counts: dict[str, int] = {}
        self._restarts: dict[str, deque[float]] = {}
        self._looping: dict[str, float] = {}
        """Containers that seemed to loop when first seen, and when that was: whoever looked before knew how often."""
        self._old: set[str] = set()
        """Containers that had ended before they were first seen here. Only for these the server's clock is believed."""
        self._ooms: frozenset[Oom] | None = None

    def survey(
        self, server: str, containers: Mapping[str, Container], ooms: Iterable[Oom], at: float, there: float
    ) -> Iterator[Reading]:
        """Look once. ``at``: monotonic seconds; ``there``: the server's own Unix time."""
        before, old_before, old_now = self._counts, self._old, set[str]()
        self._old = old_now
        self._counts = {key: container.restarts for key, container in containers.items()}
        for key, container in containers.items():
            if (restarts := container.restarts) and restarts != before.get(key):
                self._count(container, before.get(key), at, there)
            if container.state != "running" or container.health == "unhealthy":
                old = key in old_before or (key not in before and container.finished < self._news_from)
                if old and container.state != "running":
                    old_now.add(key)
                yield from _not_well(server, container, old)
        yield from self._loops(server, at)
        yield from self._killed(server, containers, frozenset(ooms))

    def _count(self, container: Container, before: int | None, at: float, there: float) -> None:
        """Take in that the engine has restarted it."""
        if before is None:  # nobody knows how many of them were of late
            if container.restarts >= RESTARTS.warning and there - container.started < WINDOW:
                self._looping[container.name] = at
            return
        # fewer than before: somebody started it anew, and it looped again since
        more = container.restarts - before if container.restarts > before else container.restarts
        times = self._restarts.setdefault(container.name, deque(maxlen=_COUNTED))
        times.extend([at] * min(more, _COUNTED))

    def _loops(self, server: str, at: float) -> Iterator[Reading]:
        for name, since in list(self._looping.items()):
            if at - since > WINDOW:
                del self._looping[name]
            elif len(self._restarts.get(name, ())) < RESTARTS.warning:
                yield Reading(Subject(server, "restarts", name), "ok", "critical", None, "", old=True)
        for name, times in list(self._restarts.items()):
            while times and at - times[0] > WINDOW:
                times.popleft()
            if not times:
                del self._restarts[name]
            elif name not in self._looping or len(times) >= RESTARTS.warning:
                more = "or more " if len(times) == _COUNTED else ""
                text = f"{len(times)} {more}restarts in the last {WINDOW / 60:.0f} minutes"
                found = figure(Subject(server, "restarts", name), float(len(times)), RESTARTS, text)
                yield msgspec.structs.replace(found, held="critical") if name in self._looping else found

    def _killed(self, server: str, containers: Mapping[str, Container], ooms: frozenset[Oom]) -> Iterator[Reading]:
        """What the kernel killed since the last look, also where nothing shows it any more."""
        known, self._ooms = self._ooms, ooms
        news = [oom for oom in ooms if (oom.at > self._kills_from if known is None else oom not in known)]
        for name in sorted({oom.container for oom in news}):
            times = [oom for oom in news if oom.container == name]
            if _ended_so(containers.get(times[0].id)):
                continue  # it says so itself
            text = _NO_MEMORY + (f", {len(times)} times" if len(times) > 1 else "")
            yield Reading(Subject(server, "oom", name), "warning", "warning", None, text)


_NO_MEMORY = "the kernel ended a process of it: no memory left"


def _ended_so(container: Container | None) -> bool:
    return container is not None and container.oom_killed and container.state != "running"


def _not_well(server: str, container: Container, old: bool) -> Iterator[Reading]:
    name = container.name
    if _ended_so(container):
        yield Reading(Subject(server, "oom", name), "critical", "critical", None, _NO_MEMORY, old)
    elif container.state in ("exited", "dead") and (down := _down(container)) != "ok":
        text = f"{container.state} with code {container.exit_code}"
        yield Reading(Subject(server, "down", name), down, down, None, text, old)
    if container.health == "unhealthy" and container.state == "running":
        text = "its health check fails"
        yield Reading(Subject(server, "unhealthy", name), "critical", "critical", None, text)


def _down(container: Container) -> Level:
    """How bad it is that a container does not run; fine where it had done its work, or somebody stopped it."""
    code = container.exit_code
    if container.state == "dead":
        return "critical"
    if code is None or code in _ASKED_TO_STOP:
        return "ok"
    if container.restart_policy in _RESTARTED_BY_ENGINE:
        # the engine starts it again, so it stays down only where somebody stopped it or it cannot be started
        return "critical" if code in _CANNOT_START else "ok"
    return "critical" if container.restart_policy.startswith("on-failure") else "warning"
