"""What is known of a server, in labelled lines: its System tab. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.units import bytes_text, long_duration_text, time_text
from komodo_tui.ui.servers.state import standing

if TYPE_CHECKING:
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.widgets.facts import Facts


def server_facts(live: ServerLive, now: float, glyphs: Glyphs) -> Facts:
    """Connection, host, engine, agent, definition."""
    return [
        ("Connection", _connection(live, now, glyphs)),
        ("Host", _host(live, now)),
        ("Engine", _engine(live)),
        ("Agent", _agent(live)),
        ("Definition", _definition(live)),
    ]


def _connection(live: ServerLive, now: float, glyphs: Glyphs) -> list[tuple[str, str, str]]:
    state = standing(live, glyphs)
    return [
        ("state", f"{state.glyph} {state.word}", state.tone),
        (
            "connected" if live.live else "so since",
            f"{time_text(live.since)}, {long_duration_text(now - live.since)} ago",
            "",
        ),
        ("address", live.definition.address, ""),
        ("round trip", f"{live.latency * 1000:.1f} ms" if live.latency is not None else "-", ""),
        ("last data", time_text(live.seen) or "never", ""),
    ]


def _host(live: ServerLive, now: float) -> list[tuple[str, str, str]]:
    host = live.host
    if host is None:
        return [("", "not known yet", "dim")]
    return [
        ("name", host.hostname, ""), ("system", host.os, ""), ("kernel", f"{host.kernel} {host.arch}", ""),
        ("processors", str(host.cores), ""), ("memory", bytes_text(host.memory), ""),
        ("booted", f"{time_text(host.booted)}, {long_duration_text(now - host.booted)} ago", ""),
    ]  # fmt: skip


def _engine(live: ServerLive) -> list[tuple[str, str, str]]:
    engine = live.engine
    if engine is None:
        return [("", "not known yet", "dim")]
    lines = [
        ("status", engine.status, "" if engine.status == "up" else "warn"),
        ("version", f"{engine.name} {engine.version or '?'} (API {engine.api_version or '?'})", ""),
        ("socket", engine.socket or "-", ""), ("cgroup", engine.cgroup or "-", ""),
        ("containers", str(len(live.containers)), ""),
    ]  # fmt: skip
    if engine.message:
        lines.insert(1, ("why", engine.message, "warn"))
    return lines


def _agent(live: ServerLive) -> list[tuple[str, str, str]]:
    hello = live.hello
    if hello is None:
        return [("", "no agent has answered", "dim")]
    newer = "  a newer one can be installed with I" if live.upgrade_available else ""
    return [
        ("version", f"{hello.version}{newer}", "info" if newer else ""),
        ("protocol", str(hello.protocol), ""),
        ("runs as", f"uid {hello.uid}, asked by uid {hello.caller_uid}", ""),
        ("python", hello.python, ""),
        ("features", ", ".join(hello.features) or "-", ""),
    ]


def _definition(live: ServerLive) -> list[tuple[str, str, str]]:
    definition, alerts = live.definition, live.definition.alerts
    return [
        ("tags", ", ".join(definition.tags) or "-", ""),
        ("description", definition.description or "-", ""),
        *(
            (f"{name} alert", f"warning at {limit.warning:g}%, critical at {limit.critical:g}%", "")
            for name, limit in (("cpu", alerts.cpu), ("memory", alerts.memory), ("disk", alerts.disk))
        ),
    ]
