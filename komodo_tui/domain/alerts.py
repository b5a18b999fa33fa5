"""Alerts: what can be wrong with a server or a container, and what became of it. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

AlertKind = Literal[
    "unreachable", "engine", "cpu", "memory", "swap", "disk", "load", "pressure", "down", "unhealthy", "restarts",
    "oom", "deployment", "drift", "update", "build", "procedure", "sync", "schedule", "push",
    "certificate", "log", "network",
]  # fmt: skip
AlertLevel = Literal["warning", "critical"]
AlertChange = Literal["opened", "escalated", "eased", "acknowledged", "resolved"]
Scope = Literal["server", "agent", "host", "engine", "compose", "registry", "records", "ports", "logs"]
"""Who says whether something is so: our connection, the agent of the engine, the host's figures, the engine's list, the
agent of its compose projects, registries, our own records, who connects to its ports, who reads its logs."""
AlertingKind = Literal["alerter", "maintenance", "log_rule"]
"""What alerting is defined by."""
HERE = ""
"""The server of what is about none: builds, procedures, syncs, pushes."""

TITLES: dict[AlertKind, str] = {
    "network": "network down",
    "unreachable": "server unreachable",
    "engine": "engine down",
    "cpu": "CPU high",
    "memory": "memory high",
    "swap": "swap high",
    "disk": "disk full",
    "down": "container down",
    "unhealthy": "container unhealthy",
    "restarts": "restart loop",
    "oom": "out of memory",
    "load": "load high",
    "pressure": "stalled",
    "deployment": "deployment",
    "drift": "drift",
    "update": "image replaced",
    "build": "build failed",
    "procedure": "procedure failed",
    "sync": "sync stuck",
    "schedule": "schedule missed",
    "certificate": "certificate ends",
    "log": "log pattern",
    "push": "push failed",
}
CONTAINER_KINDS = frozenset({"down", "unhealthy", "restarts", "oom"})
"""Kinds whose ``what`` is the name of a container."""
_SCOPES: dict[AlertKind, Scope] = {
    "network": "server", "unreachable": "server",
    "engine": "agent", "down": "engine", "unhealthy": "engine", "restarts": "engine",
    "oom": "engine", "deployment": "compose", "drift": "compose", "update": "registry",
    "build": "records", "procedure": "records", "sync": "records", "schedule": "records", "push": "records",
    "certificate": "ports", "log": "logs",
}  # fmt: skip
"""Of what is not the host's."""
LEVELS: tuple[AlertLevel, ...] = ("warning", "critical")


class Subject(msgspec.Struct, frozen=True):
    """What an alert is about; at most one alert of a subject is open."""

    server: str
    kind: AlertKind
    what: str = ""
    """The name of a container, a stack, a procedure…, or where a file system is mounted; empty = the server itself.

    ``api:443`` for the certificate of a container's port, ``api/RULE`` for a pattern in its log.
    """

    def __str__(self) -> str:
        return f"{self.what}@{self.server}" if self.what and self.server else self.what or self.server

    @property
    def container(self) -> str:
        """The name of the container it is about; empty = it is about none."""
        if self.kind in CONTAINER_KINDS:
            return self.what
        return {"certificate": self.what.rpartition(":")[0], "log": self.what.partition("/")[0]}.get(self.kind, "")

    @property
    def scope(self) -> Scope:
        """Who says whether it is so."""
        return _SCOPES.get(self.kind, "host")


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A change the evaluator found."""

    subject: Subject
    change: AlertChange
    level: AlertLevel
    """After the change; when resolved, the one it had."""
    value: float | None = None
    """In percent for figures of a host, restarts in ten minutes for a loop; None where there is no figure."""
    text: str = ""
    flapping: bool = False
    """It opened again and again of late, so it now has to be well for longer before it is resolved."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as it was written down."""

    id: int
    subject: Subject
    level: AlertLevel
    opened: float
    """Unix time, as all times here."""
    changed: float
    value: float | None
    text: str
    flapping: bool = False
    resolved: float | None = None
    acknowledged: float | None = None
    acknowledged_by: str = ""
    note: str = ""
    """What was said when it was acknowledged."""
    muted: bool = False
    """Whether a mute covers it now."""

    @property
    def open(self) -> bool:
        """Whether it is so still."""
        return self.resolved is None

    @property
    def pressing(self) -> bool:
        """Whether somebody should look: open, not acknowledged, not muted."""
        return self.open and self.acknowledged is None and not self.muted

    @property
    def title(self) -> str:
        """``disk full: /var@db-01``"""
        return f"{TITLES[self.subject.kind]}: {self.subject}"


class AlertEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of what became of an alert."""

    seq: int
    alert: int
    at: float
    change: AlertChange
    level: AlertLevel
    text: str
    who: str = ""


class Covering(Protocol):
    """What mutes alerts: a mute, or maintenance that is on."""

    def covers(self, subject: Subject, now: float) -> bool:
        """Whether alerts of this subject are muted now."""
        ...


class Mute(msgspec.Struct, frozen=True, kw_only=True):
    """A span in which matching alerts press nobody: begun now, or a maintenance window to come."""

    id: int = 0
    server: str = "*"
    """Glob."""
    kind: str = ""
    """Empty = all."""
    what: str = "*"
    """Glob."""
    starts: float = 0.0
    until: float
    who: str = ""
    reason: str = ""

    def covers(self, subject: Subject, now: float) -> bool:
        """Whether alerts of this subject are muted now."""
        return (
            self.starts <= now < self.until
            and self.kind in ("", subject.kind)
            and fnmatchcase(subject.server, self.server)
            and fnmatchcase(subject.what, self.what)
        )


class AlertOperation(msgspec.Struct, frozen=True, kw_only=True, tag="alert", tag_field="operation"):
    """Acknowledge alerts, mute some for a span, or hear them again. Nothing on a server is touched."""

    verb: Literal["acknowledge", "mute", "unmute"]
    alerts: tuple[int, ...] = ()
    """For acknowledge: their ids."""
    note: str = ""
    mute: Mute | None = None
    """For mute; for unmute its ``id`` alone counts."""


class DefineAlertingOperation(msgspec.Struct, frozen=True, kw_only=True, tag="define_alerting", tag_field="operation"):
    """Change where alerts go, when they press nobody, or what in logs is trouble. Nothing on a server is touched."""

    verb: Literal["add", "edit", "remove"]
    kind: AlertingKind
    name: str
    definition: dict[str, Any] | None = None
    """For add and edit, in maps and lists: an ``Alerter``, a ``MaintenanceDefinition`` or a ``LogRule``."""
    rev: int | None = None
    """For edit and remove: the revision it was based on."""


def pressing(alerts: Iterable[Alert]) -> list[Alert]:
    """Those somebody should look at."""
    return [alert for alert in alerts if alert.pressing]


def worst_first(alert: Alert) -> tuple[bool, bool, bool, float]:
    """How lists are ordered: open and pressing ones first, the worst and newest of them on top."""
    return (not alert.open, not alert.pressing, alert.open and alert.level != "critical", -alert.changed)
