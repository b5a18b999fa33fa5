"""Maintenance: spans that come again, in which the alerts of some servers press nobody. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from komodo_tui.domain.alerts import TITLES, AlertKind
from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.names import check_plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from komodo_tui.domain.alerts import Subject
    from komodo_tui.domain.schedules import Schedule

_LONGEST = 7 * 86400.0
_EXAMPLE = "every sunday 02:00 for 2h"


class MaintenanceDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When, and whose alerts are muted then."""

    name: str
    when: str
    """``every sunday 02:00 for 2h``: a schedule, and how long it lasts."""
    zone: str = ""
    """An IANA name; empty = this machine's own."""
    servers: tuple[str, ...] = ("*",)
    """Globs of names; one that fits will do. What is about no server fits only ``*``."""
    tags: tuple[str, ...] = ()
    """Of servers; one will do. Empty = all, with and without tags."""
    kinds: tuple[AlertKind, ...] = ()
    """Empty = all."""
    names: tuple[str, ...] = ("*",)
    """Globs of containers, mount points, stacks: of what on the server it is about."""
    enabled: bool = True
    description: str = ""

    @property
    def seconds(self) -> float:
        """How long it lasts. Raises UsageError."""
        return parse_duration(self._parts[1])

    @property
    def schedule(self) -> Schedule:
        """When it begins. Raises UsageError."""
        return _schedule(self._parts[0], self.zone)

    @property
    def _parts(self) -> tuple[str, str]:
        begins, _, lasts = self.when.strip().rpartition(" for ")
        return begins, lasts

    def span(self, now: float) -> tuple[float, float]:
        """Begin and end of the one that is on, else of the next. Unix times."""
        begins = self.schedule.after(now - self.seconds)
        return begins, begins + self.seconds

    def on(self, now: float) -> bool:
        """Whether it is on."""
        return self.enabled and self.span(now)[0] <= now

    def chooses(self, subject: Subject, tags: Iterable[str]) -> bool:
        """Whether it is about this; ``tags``: those of its server."""
        return (
            (not self.kinds or subject.kind in self.kinds)
            and any(fnmatchcase(subject.server, pattern) for pattern in self.servers)
            and (not self.tags or not set(self.tags).isdisjoint(tags))
            and any(fnmatchcase(subject.what, pattern) for pattern in self.names)
        )

    def what(self) -> str:
        """``disk alerts of db-*, #prod``"""
        kinds = f"{', '.join(self.kinds)} alerts" if self.kinds else "all alerts"
        names = "" if self.names == ("*",) else f" about {', '.join(self.names)}"
        servers = "every server" if self.servers == ("*",) else ", ".join(self.servers)
        return f"{kinds}{names} of {servers}" + "".join(f" #{tag}" for tag in self.tags)


class OpenWindow(NamedTuple):
    """One that is on now."""

    definition: MaintenanceDefinition
    tags: Mapping[str, tuple[str, ...]]
    """Of the servers, by name."""

    def covers(self, subject: Subject, now: float) -> bool:
        """Whether alerts of this subject are muted by it."""
        del now  # it is on: that has been looked at
        return self.definition.chooses(subject, self.tags.get(subject.server, ()))


def check_maintenance(definition: MaintenanceDefinition) -> MaintenanceDefinition:
    """Return it, or raise :class:`UsageError` saying which field is wrong and what it takes."""
    what = f"maintenance {definition.name}"
    check_plain_name("maintenance", definition.name)
    if " for " not in definition.when:
        raise UsageError(f"{what}: {definition.when!r} does not say how long it lasts", hint=f"like {_EXAMPLE!r}")
    try:
        seconds = definition.seconds
        definition.schedule.after(0.0)
    except UsageError as error:
        raise UsageError(f"{what}: {error.message}", hint=error.hint or f"like {_EXAMPLE!r}") from error
    if not 0 < seconds <= _LONGEST:
        raise UsageError(f"{what}: it lasts a week at most, and longer than nothing", hint=f"like {_EXAMPLE!r}")
    if not definition.servers or not definition.names:
        raise UsageError(f"{what}: it is about nothing", hint='servers: ["*"] is all of them')
    strange = [kind for kind in definition.kinds if kind not in TITLES]
    if strange:
        raise UsageError(f"{what}: there is no kind of alert {strange[0]!r}", hint=f"known: {', '.join(TITLES)}")
    return definition


def upcoming(
    definitions: Iterable[MaintenanceDefinition], now: float
) -> list[tuple[float, float, MaintenanceDefinition]]:
    """Begin, end and which, of those that are on and the next of each; in the order in which they begin."""
    spans = [(*each.span(now), each) for each in definitions if each.enabled]
    return sorted(spans, key=lambda span: span[:2])


@lru_cache(maxsize=256)
def _schedule(text: str, zone: str) -> Schedule:
    from komodo_tui.domain.schedules import Schedule  # late: every start loads this module, few have maintenance

    return Schedule(text, zone)
