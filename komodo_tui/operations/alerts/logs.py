"""Patterns in the logs of containers, followed while they run, over connections that are made again when lost."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.alerts import Subject
from komodo_tui.domain.alerts_readings import Reading, Survey
from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.filters import container_text
from komodo_tui.domain.masking import mask_line
from komodo_tui.domain.text import clean
from komodo_tui.domain.units import duration_text
from komodo_tui.operations.log_batch import LogTarget
from komodo_tui.operations.log_source import LogOptions
from komodo_tui.operations.logs import MAX_SOURCES, MergedLogs

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence

    from komodo_tui.domain.log_rules import LogRule
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.log_batch import LogBatch
    from komodo_tui.operations.log_reader import LogClient

LOOK = 10.0
"""Seconds between two looks for containers that came or were started again."""
MOST = 500
"""Containers that are followed at once."""
_TRACKED = 5000
_SHOWN = 200
"""Characters of a line in an alert."""


class _Rule(NamedTuple):
    """One, ready to use."""

    rule: LogRule
    seconds: float
    longest: int
    regex: re.Pattern[str]
    fits: Callable[[str], bool]


class _Seen:
    """Lines of one container that fit one rule."""

    __slots__ = ("last", "times")

    def __init__(self, most: int) -> None:
        self.times: deque[float] = deque(maxlen=most)
        self.last = ""


class LogSurvey:
    """:meth:`run` follows, :meth:`latest` tells. Only what is written from now on counts."""

    def __init__(
        self,
        fleet: FleetManager,
        rules: Callable[[], Sequence[LogRule]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``rules`` gives them as they are now."""
        self._fleet = fleet
        self._wished = rules
        self._monotonic = monotonic
        self._began = monotonic()
        self._rules: list[_Rule] = []
        self._span = 0.0
        self._seen: dict[tuple[str, str, str], _Seen] = {}
        self._by_target: dict[LogTarget, list[_Rule]] = {}
        self._fits: dict[str, list[_Rule]] = {}
        """By container: its rules, worked out once."""
        self._merged: MergedLogs | None = None
        self._take_rules()

    async def run(self) -> None:
        """Follow until cancelled."""
        reading: asyncio.Task[None] | None = None
        try:
            while True:
                self._take_rules()
                if reading is not None and (not self._rules or reading.done() or self._full()):
                    await self._end(reading)
                    reading = None
                if await self._look() and reading is None and self._merged is not None:
                    reading = asyncio.create_task(self._read(self._merged), name="logs for alerts")
                await asyncio.sleep(LOOK)
        finally:
            if reading is not None:
                await self._end(reading)

    def latest(self) -> Survey:
        """Which rules have enough lines now."""
        now, readings = self._monotonic(), list[Reading]()
        rules = {rule.rule.name: rule for rule in self._rules}
        for key, seen in list(self._seen.items()):
            server, container, name = key
            rule = rules[name]
            while seen.times and now - seen.times[0] > rule.seconds:
                seen.times.popleft()
            if not seen.times:
                del self._seen[key]
            elif len(seen.times) >= rule.rule.at_least:
                text = seen.last
                if len(seen.times) > 1:
                    text = f"{len(seen.times)} lines in {duration_text(rule.seconds)}, the last: {text}"
                level = rule.rule.level
                readings.append(Reading(Subject(server, "log", f"{container}/{name}"), level, level, None, text))
        told = self._fleet.state.servers if now - self._began >= self._span else {r.subject.server for r in readings}
        return Survey(readings, frozenset((server, "logs") for server in told), frozenset())

    def _take_rules(self) -> None:
        """Go by the rules as they are now. Lines that fitted a rule which is still the same count on."""
        wished, old = self._wished(), {rule.rule.name: rule.rule for rule in self._rules}
        if list(wished) == [rule.rule for rule in self._rules]:
            return
        self._rules = [_Rule(rule, rule.seconds, rule.longest, rule.regex(), rule.containers()) for rule in wished]
        same = {rule.rule.name: rule for rule in self._rules if old.get(rule.rule.name) == rule.rule}
        self._seen = {key: seen for key, seen in self._seen.items() if key[2] in same}
        self._by_target = {
            target: [same[rule.rule.name] for rule in rules if rule.rule.name in same]
            for target, rules in self._by_target.items()
        }
        self._fits = {}
        self._span = max((rule.seconds for rule in self._rules), default=0.0)

    # -- following ----------------------------------------------------------------------------------------------

    async def _look(self) -> bool:
        """Take in containers that are new or were started again; whether there is anything to read."""
        wanted = await self.followed()
        if self._merged is None:
            if wanted:
                self._by_target = wanted
                self._merged = MergedLogs(self._client, wanted, LogOptions(tail=0))
            return bool(wanted)
        tags = {target: tag for tag, target in self._merged.targets.items()}
        for target, rules in wanted.items():
            self._by_target[target] = rules
            if target not in tags:
                self._merged.add(target)
            elif tags[target] in self._merged.ended:
                self._merged.reopen(tags[target])
        return True

    async def followed(self) -> dict[LogTarget, list[_Rule]]:
        """The containers that run and fit a rule, with their rules."""
        wanted: dict[LogTarget, list[_Rule]] = {}
        fits: dict[str, list[_Rule]] = {}
        for server, live in list(self._fleet.state.servers.items()):
            await asyncio.sleep(0)  # many rules for many new containers take seconds: others have their turn
            for container in live.containers.values() if live.engine_live else ():
                key = f"{container.id}/{container.name}"
                rules = self._fits.get(key)
                if rules is None:
                    text = container_text(server, container)
                    rules = [rule for rule in self._rules if rule.fits(text)]
                fits[key] = rules
                if rules and container.state == "running" and len(wanted) < MOST:
                    wanted[LogTarget(server=server, container=container.id, name=container.name)] = rules
        self._fits = fits
        return wanted

    def _full(self) -> bool:
        """Containers that are gone keep their tags: at times all begins anew."""
        return self._merged is not None and len(self._merged.targets) > min(3 * MOST, MAX_SOURCES - MOST)

    async def _client(self, server: str) -> LogClient:
        return await self._fleet.link(server).client()

    async def _read(self, merged: MergedLogs) -> None:
        with suppress(KomodoError):  # it begins anew at the next look
            async for batch in merged:
                self.take(batch)

    async def _end(self, reading: asyncio.Task[None]) -> None:
        if self._merged is not None:
            await self._merged.close()
            self._merged = None
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    def take(self, batch: LogBatch) -> None:
        """Look through some lines."""
        by_name = {(target.server, target.name): rules for target, rules in self._by_target.items()}
        now = self._monotonic()
        for line in batch.lines():
            text = line.text.decode("utf-8", "replace")
            for rule in by_name.get((line.server, line.container), ()):
                if rule.regex.search(text, 0, rule.longest):
                    self._note((line.server, line.container, rule.rule.name), rule.rule, text, now)

    def _note(self, key: tuple[str, str, str], rule: LogRule, text: str, now: float) -> None:
        seen = self._seen.get(key)
        if seen is None:
            if len(self._seen) >= _TRACKED:
                return
            seen = self._seen[key] = _Seen(max(rule.at_least, 100))
        seen.times.append(now)
        seen.last = mask_line(clean(text[: 4 * _SHOWN]))[:_SHOWN]
