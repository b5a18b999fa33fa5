"""A container's inspect document, read into what people look for: labelled lines in sections. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from komodo_tui.domain.masking import mask_env
from komodo_tui.domain.units import bytes_text, duration_text, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from komodo_agent.wire.models import Container, ContainerDetail
    from komodo_tui.ui.widgets.facts import Facts

Tone = Literal["", "ok", "warn", "bad", "dim"]
_COMPOSE = "com.docker.compose."


@dataclass(frozen=True)
class Fact:
    """One labelled line."""

    label: str
    value: str
    tone: Tone = ""


@dataclass(frozen=True)
class Section:
    """Lines that belong together. An empty section says so in ``empty``."""

    title: str
    facts: tuple[Fact, ...]
    empty: str = ""


def overview(detail: ContainerDetail, now: float) -> Section:
    """Identity, state, limits."""
    container, inspect = detail.container, detail.inspect
    config, host = _map(inspect, "Config"), _map(inspect, "HostConfig")
    facts = [
        Fact("id", container.id[:12]),
        Fact("image", container.image),
        Fact("command", container.command),
        Fact("state", _state(container, now), _tone(container)),
        Fact("created", time_text(container.created)),
        Fact("restarts", f"{container.restarts}, policy {container.restart_policy or 'no'}"),
        Fact("stack", f"{container.stack} · service {container.service}" if container.stack else ""),
        Fact("user", _text(config, "User") or "root (image default)"),
        Fact("directory", _text(config, "WorkingDir")),
        Fact("host name", _text(config, "Hostname")),
        Fact("limits", _limits(host)),
        Fact("rights", _rights(host), "warn" if _rights(host) else ""),
        Fact("logs", f"{container.log_driver} {_text(inspect, 'LogPath')}".strip()),
    ]
    return Section("Overview", tuple(fact for fact in facts if fact.value))


def ports(detail: ContainerDetail) -> Section:
    """Published and exposed ports."""
    facts = []
    for port in detail.container.ports:
        inside = f"{port.private}/{port.protocol}"
        address = f"[{port.ip}]:" if ":" in port.ip else f"{port.ip}:" if port.ip else ""
        if port.public is None:
            facts.append(Fact(inside, "not published", "dim"))
        else:
            facts.append(Fact(inside, f"← {address}{port.public}"))
    return Section("Ports", tuple(facts), empty="exposes no ports")


def mounts(detail: ContainerDetail) -> Section:
    """Volumes and binds."""
    facts = []
    for mount in _maps(detail.inspect, "Mounts"):
        source = _text(mount, "Name") or _text(mount, "Source") or "(tmpfs)"
        mode = "" if mount.get("RW", True) else " (read-only)"
        facts.append(Fact(_text(mount, "Destination"), f"{_text(mount, 'Type')} {source}{mode}"))
    return Section("Mounts", tuple(facts), empty="has no mounts: what it writes goes with it")


def networks(detail: ContainerDetail) -> Section:
    """Networks, addresses and aliases."""
    facts = []
    for name, network in _map(_map(detail.inspect, "NetworkSettings"), "Networks").items():
        network = network if isinstance(network, dict) else {}
        aliases = ", ".join(str(alias) for alias in network.get("Aliases") or ())
        address = _text(network, "IPAddress") or _text(network, "GlobalIPv6Address") or "no address"
        facts.append(Fact(name, f"{address}{f'  as {aliases}' if aliases else ''}"))
    return Section("Networks", tuple(facts), empty="is on no network")


def environment(detail: ContainerDetail, *, show_secrets: bool = False) -> Section:
    """Environment variables; values that look like secrets are masked unless asked for."""
    facts = []
    for entry in sorted(str(e) for e in _map(detail.inspect, "Config").get("Env") or ()):
        name, _, value = entry.partition("=")
        shown = value if show_secrets else mask_env(name, value)
        facts.append(Fact(name, shown, "dim" if shown != value else ""))
    return Section("Environment", tuple(facts), empty="has no environment variables")


def labels(detail: ContainerDetail) -> Section:
    """Labels, compose's own last."""
    ordered = sorted(detail.container.labels.items(), key=lambda item: (item[0].startswith(_COMPOSE), item[0]))
    return Section(
        "Labels",
        tuple(Fact(name, value, "dim" if name.startswith(_COMPOSE) else "") for name, value in ordered),
        empty="has no labels",
    )


def health(detail: ContainerDetail) -> Section:
    """The health check, its command, and its last results, newest first."""
    check = _map(_map(detail.inspect, "Config"), "Healthcheck")
    state = _map(_map(detail.inspect, "State"), "Health")
    if not check and not state:
        return Section("Health", (), empty="has no health check")
    test = " ".join(str(word) for word in check.get("Test") or ())
    status = _text(state, "Status") or "unknown"
    tone: Tone = "ok" if status == "healthy" else "bad" if status == "unhealthy" else "warn"
    facts = [Fact("status", f"{status}, {state.get('FailingStreak', 0)} failures in a row", tone), Fact("test", test)]
    for result in reversed(_maps(state, "Log")):
        ok = result.get("ExitCode") == 0
        output = " ".join(_text(result, "Output").split())
        facts.append(Fact(_text(result, "Start")[:19], f"exit {result.get('ExitCode')}  {output}", "" if ok else "bad"))
    return Section("Health", tuple(facts))


def _state(container: Container, now: float) -> str:
    if container.state in ("running", "paused", "restarting"):
        health = f", {container.health}" if container.health else ""
        return f"{container.state} for {duration_text(now - container.started)}{health}"
    if container.state == "exited":
        killed = ", out of memory" if container.oom_killed else ""
        ago = f", {duration_text(now - container.finished)} ago" if container.finished else ""
        return f"exited with {container.exit_code}{killed}{ago}"
    return container.state


def _tone(container: Container) -> Tone:
    if container.health == "unhealthy" or container.oom_killed or container.state == "dead":
        return "bad"
    if container.state == "running":
        return "ok"
    return "bad" if container.state == "exited" and container.exit_code else "warn"


def _limits(host: Mapping[str, Any]) -> str:
    parts = []
    if nano := host.get("NanoCpus"):
        parts.append(f"{nano / 1e9:g} CPUs")
    if memory := host.get("Memory"):
        parts.append(f"{bytes_text(memory)} memory")
    if pids := host.get("PidsLimit"):
        parts.append(f"{pids} processes")
    return ", ".join(parts) or "none"


def _rights(host: Mapping[str, Any]) -> str:
    parts = ["privileged"] if host.get("Privileged") else []
    parts += [f"+{capability}" for capability in host.get("CapAdd") or ()]
    for key, words in (("NetworkMode", "host network"), ("PidMode", "host processes"), ("IpcMode", "host IPC")):
        parts += [words] if host.get(key) == "host" else []
    return ", ".join(parts)


def _map(of: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = of.get(key)
    return value if isinstance(value, dict) else {}


def _maps(of: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    return list(_iter_maps(of.get(key)))


def _iter_maps(value: object) -> Iterator[dict[str, Any]]:
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict):
            yield entry


def _text(of: Mapping[str, Any], key: str) -> str:
    value = of.get(key)
    return value if isinstance(value, str) else ""


def as_facts(sections: Iterable[Section]) -> Facts:
    """Sections as the pane of labelled lines takes them; an empty one says why."""
    return [
        (section.title, [(f.label, f.value, f.tone) for f in section.facts] or [("", section.empty, "dim")])
        for section in sections
    ]


def inspect_text(inspect: Mapping[str, Any], *, show_secrets: bool = False) -> str:
    """The engine's document as indented JSON; values of variables that look like secrets are masked."""
    if not show_secrets:
        config = _map(inspect, "Config")
        entries = [str(entry).partition("=") for entry in config.get("Env") or ()]
        masked = [f"{name}={mask_env(name, value)}" for name, _, value in entries]
        inspect = {**inspect, "Config": {**config, "Env": masked}} if entries else inspect
    return json.dumps(inspect, indent=2, ensure_ascii=False)
