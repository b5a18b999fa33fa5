"""The columns of the tables in a server's detail. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.levels import disk_percent
from komodo_tui.domain.units import bytes_text, rate_text
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.render.graph import bar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from komodo_agent.wire.models import Container, ContainerSample, Device, Filesystem, Process
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.render.cells import Cell, Span
    from komodo_tui.ui.render.glyphs import Glyphs


R = TypeVar("R")


@dataclass(frozen=True)
class Running:
    """A container and its figures."""

    container: Container
    sample: ContainerSample | None
    known: bool = True
    """Whether the engine answers; else this is what it said last."""


def container_rows(live: ServerLive) -> dict[Hashable, Running]:
    """By id."""
    return {
        key: Running(container, live.samples.get(key), live.engine_live) for key, container in live.containers.items()
    }


def filesystem_rows(live: ServerLive) -> dict[Hashable, Filesystem]:
    """By path."""
    return {filesystem.path: filesystem for filesystem in live.filesystems}


def device_rows(live: ServerLive) -> dict[Hashable, Device]:
    """By kind and name."""
    return {(device.kind, device.name): device for device in live.devices}


def process_rows(live: ServerLive) -> dict[Hashable, Process]:
    """By pid."""
    return {process.pid: process for process in live.processes}


def container_columns(glyphs: Glyphs) -> tuple[Column[Running], ...]:
    """State, name, image, figures."""
    return (
        Column("state", "S", 1, lambda r: container_sign(r.container, glyphs, known=r.known),
               key=lambda r: r.container.state),
        Column("name", "NAME", 16, lambda r: r.container.name, key=lambda r: r.container.name.lower(), grow=2, most=40),
        Column("status", "STATE", 10, lambda r: r.container.health or r.container.state,
               key=lambda r: r.container.health or r.container.state, priority=2),
        Column("stack", "STACK", 12, lambda r: r.container.stack, key=lambda r: r.container.stack or None, priority=4),
        Column("image", "IMAGE", 16, lambda r: r.container.image, key=lambda r: r.container.image, priority=3, grow=1),
        Column("cpu", "CPU%", 6, lambda r: f"{r.sample.cpu:.1f}" if r.sample else "-",
               key=lambda r: r.sample.cpu if r.sample else None, right=True, descending=True),
        Column("memory", "MEM", 6, lambda r: bytes_text(r.sample.memory) if r.sample else "-",
               key=lambda r: r.sample.memory if r.sample else None, right=True, descending=True),
        Column("net", "NET", 11, _container_net,
               key=lambda r: r.sample.net_rx + r.sample.net_tx if r.sample else None, priority=1, right=True,
               descending=True),
    )  # fmt: skip


def _container_net(row: Running) -> Cell:
    return f"{rate_text(row.sample.net_rx)}/{rate_text(row.sample.net_tx)}" if row.sample else "-"


def container_sign(container: Container, glyphs: Glyphs, *, known: bool) -> tuple[Span, ...]:
    """A container's state as a glyph; not ``known``: as its engine said it before it went away."""
    if not known:
        return ((glyphs.unknown, "dim"),)
    if container.state == "running":
        if container.health == "unhealthy":
            return ((glyphs.fail, "bad"),)
        return ((glyphs.busy, "busy"),) if container.health == "starting" else ((glyphs.ok, "ok"),)
    if container.state == "paused":
        return ((glyphs.paused, "warn"),)
    return ((glyphs.busy, "busy"),) if container.state in ("restarting", "removing") else ((glyphs.stopped, "dim"),)


def filesystem_columns(live: Callable[[], ServerLive | None], glyphs: Glyphs) -> tuple[Column[Filesystem], ...]:
    """Path, use, size; ``live`` gives the server whose thresholds judge."""

    def use(filesystem: Filesystem) -> Cell:
        share = disk_percent(filesystem)
        full, empty = bar(share / 100, 20, glyphs)
        server = live()
        limit = server.definition.alerts.disk if server is not None else None
        tone = "graph" if limit is None or share < limit.warning else "warn" if share < limit.critical else "bad"
        return (full, tone), (empty, "border"), (f" {share:4.0f}%", tone if tone != "graph" else "")

    return (
        Column("path", "MOUNTED ON", 16, lambda f: f.path, key=lambda f: f.path, grow=2, most=48),
        Column("use", "USED", 26, use, key=disk_percent, descending=True),
        Column("used", "OF IT", 6, lambda f: bytes_text(f.used), key=lambda f: f.used, right=True, descending=True,
               priority=1),
        Column("total", "SIZE", 6, lambda f: bytes_text(f.total), key=lambda f: f.total, right=True, descending=True),
        Column("free", "FREE", 6, lambda f: bytes_text(f.available), key=lambda f: f.available, right=True),
        Column("kind", "TYPE", 8, lambda f: f.kind, key=lambda f: f.kind, priority=2),
        Column("device", "DEVICE", 12, lambda f: f.device, key=lambda f: f.device, priority=3, grow=1),
        Column("stalled", "", 16, lambda f: ((f"{glyphs.warn} no answer", "warn"),) if f.stalled_since else "",
               priority=4),
    )  # fmt: skip


def device_columns(glyphs: Glyphs) -> tuple[Column[Device], ...]:
    """Disks and interfaces with their rates."""
    reads, writes = ("READ/IN", "WRITE/OUT") if glyphs.ascii else ("READ ↓", "WRITE ↑")
    return (
        Column("kind", "KIND", 5, lambda d: d.kind, key=lambda d: d.kind),
        Column("name", "DEVICE", 16, lambda d: d.name, key=lambda d: d.name, grow=1, most=40),
        Column("read", f"{reads}/s", 11, lambda d: rate_text(d.read), key=lambda d: d.read, right=True,
               descending=True),
        Column("write", f"{writes}/s", 12, lambda d: rate_text(d.write), key=lambda d: d.write, right=True,
               descending=True),
    )  # fmt: skip


def process_columns() -> tuple[Column[Process], ...]:
    """The busiest processes."""
    return (
        Column("pid", "PID", 8, lambda p: str(p.pid), key=lambda p: p.pid, right=True),
        Column("user", "USER", 12, lambda p: p.user, key=lambda p: p.user, priority=2),
        Column("cpu", "CPU%", 6, lambda p: f"{p.cpu:.1f}", key=lambda p: p.cpu, right=True, descending=True),
        Column("memory", "MEM", 6, lambda p: bytes_text(p.memory), key=lambda p: p.memory, right=True, descending=True),
        Column("command", "COMMAND", 20, lambda p: p.command, key=lambda p: p.command, grow=1),
    )  # fmt: skip


def text_parser(text_of: Callable[[R], str]) -> Callable[[str], Callable[[R], bool]]:
    """A filter by words over the text of a row."""

    def parse(line: str) -> Callable[[R], bool]:
        test = parse_text(line)
        return lambda row: test(text_of(row))

    return parse
