"""The rows and columns of the containers' table. Pure: what is known of a container, and a clock, to cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.operations import Target
from komodo_tui.domain.units import bytes_text, duration_text, rate_text
from komodo_tui.ui.render.columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.models import Container, ContainerSample
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.updates import UpdateMarks

NOTHING = "-"
Key = tuple[str, str]
"""Server and container id."""


class Row(NamedTuple):
    """A container and the server it is on. Figures are looked up when they are drawn, so that a row whose figures
    alone changed stays the same row."""

    live: ServerLive
    container: Container

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.live.name, self.container.id

    @property
    def sample(self) -> ContainerSample | None:
        """Its last figures; None while it does not run."""
        return self.live.samples.get(self.container.id)

    @property
    def target(self) -> Target:
        """As operations name it."""
        return Target(server=self.live.name, name=self.container.name, id=self.container.id)


def natural_order(row: Row) -> tuple[int, str, str]:
    """Running ones first, then by name and server."""
    return (0 if row.container.state in _ALIVE else 1, row.container.name.lower(), row.live.name)


def row_tone(row: Row) -> str:
    """Stale rows and stopped ones are dimmed."""
    return "" if row.live.engine_live and row.container.state in _ALIVE else "dim"


_ALIVE = frozenset({"running", "paused", "restarting"})


def sign(row: Row, glyphs: Glyphs) -> tuple[str, str]:
    """Glyph and tone of a container's state."""
    container = row.container
    if not row.live.engine_live:
        return glyphs.unknown, "dim"
    if container.state == "running":
        if container.health == "unhealthy":
            return glyphs.fail, "bad"
        return (glyphs.busy, "busy") if container.health == "starting" else (glyphs.ok, "ok")
    if container.state == "paused":
        return glyphs.paused, "warn"
    if container.state in ("restarting", "removing"):
        return glyphs.busy, "busy"
    if container.state == "dead" or container.oom_killed:
        return glyphs.fail, "bad"
    return (glyphs.warn, "warn") if container.exit_code else (glyphs.stopped, "dim")


def word(row: Row) -> str:
    """The state in a word: ``running``, ``unhealthy``, ``exited 137``."""
    container = row.container
    if container.state == "running" and container.health in ("unhealthy", "starting"):
        return container.health
    if container.state == "exited":
        return "out of memory" if container.oom_killed else f"exited {container.exit_code or 0}"
    return container.state


def container_columns(
    glyphs: Glyphs, now: Callable[[], float], marks: UpdateMarks
) -> tuple[Column[Row], ...]:  # fmt: skip
    """All columns, the most telling first; ``now`` gives Unix time."""

    def image(row: Row) -> Cell:
        return marks.cell(row.container.image, marks.container(row.live.name, row.container))

    return (
        Column("state", "S", 1, lambda r: (sign(r, glyphs),), key=lambda r: r.container.state),
        Column("name", "NAME", 16, lambda r: r.container.name, key=lambda r: r.container.name.lower(), grow=4, most=44),
        Column("server", "SERVER", 9, lambda r: r.live.name, key=lambda r: r.live.name.lower(), grow=1, most=20),
        Column("word", "STATE", 10, lambda r: _word(r, glyphs), key=word, priority=5, grow=1, most=14),
        Column("stack", "STACK", 10, lambda r: r.container.stack, key=lambda r: r.container.stack or None, priority=6,
               grow=1, most=20),
        Column("image", "IMAGE", 12, image, key=lambda r: r.container.image, priority=4, grow=3,
               most=48),
        Column("cpu", "CPU%", 6, _cpu, key=lambda r: s.cpu if (s := r.sample) else None, right=True,
               descending=True, live=True),
        Column("memory", "MEM", 6, _memory, key=lambda r: s.memory if (s := r.sample) else None, right=True,
               descending=True, live=True),
        Column("net", "NET↓/↑" if not glyphs.ascii else "NET in/out", 11, _net, key=_net_key, priority=2, right=True,
               descending=True, live=True),
        Column("block", "DISK r/w", 11, _block, key=_block_key, priority=9, right=True, descending=True, live=True),
        Column("pids", "PIDS", 5, lambda r: str(s.pids) if (s := r.sample) else NOTHING,
               key=lambda r: s.pids if (s := r.sample) else None, priority=10, right=True, descending=True, live=True),
        Column("restarts", "RST", 4, _restarts, key=lambda r: r.container.restarts, priority=7, right=True,
               descending=True),
        Column("ports", "PORTS", 12, lambda r: ports_text(r.container), key=lambda r: ports_text(r.container) or None,
               priority=8, grow=1, most=30),
        Column("up", "UP", 5, lambda r: _since(r, now()), key=_started, priority=1, right=True, descending=True),
    )  # fmt: skip


def _word(row: Row, glyphs: Glyphs) -> Cell:
    _, tone = sign(row, glyphs)
    return ((word(row), "" if tone == "ok" else tone),)


def _cpu(row: Row) -> Cell:
    return f"{s.cpu:.1f}" if (s := row.sample) else NOTHING


def _memory(row: Row) -> Cell:
    sample = row.sample
    if sample is None:
        return NOTHING
    full = sample.memory_limit and sample.memory > 0.9 * sample.memory_limit
    return ((bytes_text(sample.memory), "bad" if full else ""),) if full else bytes_text(sample.memory)


def _net(row: Row) -> Cell:
    return f"{rate_text(s.net_rx)}/{rate_text(s.net_tx)}" if (s := row.sample) else NOTHING


def _net_key(row: Row) -> float | None:
    return s.net_rx + s.net_tx if (s := row.sample) else None


def _block(row: Row) -> Cell:
    sample = row.sample
    if sample is None or sample.block_read is None or sample.block_write is None:
        return NOTHING
    return f"{rate_text(sample.block_read)}/{rate_text(sample.block_write)}"


def _block_key(row: Row) -> float | None:
    sample = row.sample
    if sample is None or sample.block_read is None or sample.block_write is None:
        return None
    return sample.block_read + sample.block_write


def _restarts(row: Row) -> Cell:
    count = row.container.restarts
    return ((str(count), "warn"),) if count else ""


def ports_text(container: Container) -> str:
    """Published ports: ``8080→80 53→53/udp``, each once however many addresses it is bound to."""
    found: dict[str, None] = {}
    for port in container.ports:
        if port.public is not None:
            protocol = "" if port.protocol == "tcp" else f"/{port.protocol}"
            found[f"{port.public}>{port.private}{protocol}"] = None
    return " ".join(found)


def _since(row: Row, now: float) -> str:
    container = row.container
    if container.state in _ALIVE:
        return duration_text(now - container.started) if container.started > 0 else NOTHING
    return f"-{duration_text(now - container.finished)}" if container.finished > 0 else NOTHING


def _started(row: Row) -> float | None:
    container = row.container
    return -container.started if container.state in _ALIVE and container.started > 0 else None
