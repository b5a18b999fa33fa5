"""The rows and columns of the resources' table. Pure: what a server said, and a clock, to cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.operations import Target
from komodo_tui.domain.resources import ResourceTarget, target_of
from komodo_tui.domain.units import bytes_text, duration_text
from komodo_tui.ui.render.cells import spans_of
from komodo_tui.ui.render.columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.resources import Resource, UsedSpace
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.updates import UpdateMarks

NOTHING = "-"
Key = tuple[str, str, str]
"""Server, kind and id."""


class Row(NamedTuple):
    """A resource and the server it is on."""

    live: ServerLive
    resource: Resource
    space: UsedSpace | None = None
    """What it takes on disk, once that was measured."""

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.live.name, self.resource.kind, self.resource.id

    @property
    def size(self) -> int | None:
        """Bytes, where they are known."""
        if self.resource.size is not None:
            return self.resource.size
        return self.space.size if self.space is not None else None

    @property
    def label(self) -> str:
        """Its name, else the twelve digits of its id."""
        return self.resource.name or short_id(self.resource)

    @property
    def target(self) -> Target:
        """As the history and the palette name it."""
        return Target(server=self.live.name, name=self.label, id=self.resource.id)

    @property
    def wanted(self) -> ResourceTarget:
        """As operations name it."""
        freed = self.space.freed if self.space is not None else None
        return target_of(self.live.name, self.resource, freed=freed)


def short_id(resource: Resource) -> str:
    """The twelve digits of an id; a volume has none but its name."""
    return "" if resource.kind == "volume" else resource.id.removeprefix("sha256:")[:12]


_ORDER = {"image": 0, "volume": 1, "network": 2}


def natural_order(row: Row) -> tuple[int, bool, str, str]:
    """Images, volumes, networks; those with a name first, by name and server."""
    return _ORDER[row.resource.kind], not row.resource.name, row.label.lower(), row.live.name


def row_tone(row: Row) -> str:
    """What is not in use and what a server said before it went away is dimmed."""
    return "" if row.live.engine_live and (row.resource.used_by or row.resource.fixed) else "dim"


def sign(row: Row, glyphs: Glyphs) -> tuple[str, str]:
    """Glyph and tone: in use, unused, dangling, not known any more."""
    if not row.live.engine_live:
        return glyphs.unknown, "dim"
    if row.resource.used_by or row.resource.fixed:
        return glyphs.ok, "ok"
    return (glyphs.warn, "warn") if row.resource.dangling else (glyphs.stopped, "dim")


def word(row: Row) -> str:
    """``used``, ``built in``, ``dangling``, ``unused``."""
    if row.resource.used_by:
        return "used"
    return "built in" if row.resource.fixed else "dangling" if row.resource.dangling else "unused"


def resource_columns(
    glyphs: Glyphs, now: Callable[[], float], marks: UpdateMarks
) -> tuple[Column[Row], ...]:  # fmt: skip
    """All columns, the most telling first; ``now`` gives Unix time."""

    def name(row: Row) -> Cell:
        plain, replaced = _name(row), row.resource.kind == "image" and marks.image(row.live.name, row.resource.id)
        return (*spans_of(marks.cell("", outdated=True)), *spans_of(plain)) if replaced else plain

    return (
        Column("state", "S", 1, lambda r: (sign(r, glyphs),), key=word),
        Column("kind", "KIND", 7, lambda r: r.resource.kind, key=natural_order),
        Column("name", "NAME", 20, name, key=lambda r: r.label.lower(), grow=5, most=60),
        Column("server", "SERVER", 9, lambda r: r.live.name, key=lambda r: r.live.name.lower(), grow=1, most=20),
        Column("size", "SIZE", 6, lambda r: NOTHING if r.size is None else bytes_text(r.size),
               key=lambda r: r.size, right=True, descending=True),
        Column("used", "USED BY", 12, _used, key=lambda r: len(r.resource.used_by), grow=3, most=40, priority=1,
               descending=True),
        Column("age", "AGE", 5, lambda r: _age(r, now()), key=_born, right=True, priority=2),
        Column("driver", "DRIVER", 8, lambda r: r.resource.driver, key=lambda r: r.resource.driver or None, priority=5),
        Column("id", "ID", 12, lambda r: short_id(r.resource), priority=4),
        Column("detail", "DETAIL", 18, lambda r: r.resource.detail, key=lambda r: r.resource.detail or None,
               priority=6, grow=2, most=70),
    )  # fmt: skip


def _name(row: Row) -> Cell:
    resource = row.resource
    if not resource.name:
        return (("<none> ", "dim"), (short_id(resource), "dim"))
    more = len(resource.tags) - 1
    return ((resource.name, ""), (f" +{more}", "dim")) if more > 0 else resource.name


def _used(row: Row) -> Cell:
    names = row.resource.used_by
    if not names:
        state = word(row)
        return ((state, "warn" if state == "dangling" else "dim"),)
    return names[0] if len(names) == 1 else ((names[0], ""), (f" +{len(names) - 1}", "dim"))


def _age(row: Row, now: float) -> str:
    return duration_text(now - row.resource.created) if row.resource.created > 0 else NOTHING


def _born(row: Row) -> float | None:
    return -row.resource.created if row.resource.created > 0 else None
