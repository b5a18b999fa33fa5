"""How a server stands and what can be done about it, as a dialog tells it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import HostKeyUnknownError
from komodo_tui.domain.levels import disk_percent, fullest, level, memory_percent
from komodo_tui.domain.units import count_text, latency_text, long_duration_text, time_text
from komodo_tui.ui.servers.state import LEVEL_TONES, own_key, standing

if TYPE_CHECKING:
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.fleet.probe import ServerProbe
    from komodo_tui.ui.render.glyphs import Glyphs

Part = tuple[str, str]
"""A paragraph and its tone."""


@dataclass(frozen=True)
class Step:
    """Something that can be done: its button."""

    id: str
    """``accept``, ``install``, ``retry``, ``edit``."""
    label: str
    key: str


@dataclass(frozen=True)
class Report:
    """What the dialog shows."""

    title: str
    bad: bool
    parts: tuple[Part, ...]
    facts: tuple[tuple[str, str, str], ...]
    """(label, value, tone)"""
    steps: tuple[Step, ...]


RETRY = Step("retry", "reconnect", "r")
EDIT = Step("edit", "edit", "e")
ACCEPT = Step("accept", "accept it", "y")
INSTALL = Step("install", "install", "I")


def step_keys(told: Report) -> tuple[tuple[str, str], ...]:
    """The same steps by the keys of the page."""
    keys = {"retry": "^R", "accept": "A"}
    return tuple((keys.get(step.id, step.key), step.label) for step in told.steps)


def report(live: ServerLive, probe: ServerProbe | None, now: float, glyphs: Glyphs) -> Report:
    """All there is to say about a server's connection; ``probe`` is what a look at it over SSH found."""
    state = standing(live, glyphs)
    title, parts, steps = _told(live)
    message = live.error.message if live.error is not None and not live.live else ""
    if isinstance(live.error, HostKeyUnknownError) and message:
        message = f"{live.error.host}:{live.error.port} shows a key that was never seen before."
    hint = live.error.hint if live.error is not None and not live.live and not own_key(live) else ""
    lead: list[Part] = [(f"{state.glyph} {message}", state.tone)] if message else []
    said: list[Part] = [(hint, "accent")] if hint else []
    return Report(
        title, live.status in ("host_key_changed", "auth", "unreachable"), (*lead, *parts, *said),
        tuple(_facts(live, probe, now)), steps,
    )  # fmt: skip


def _told(live: ServerLive) -> tuple[str, list[Part], tuple[Step, ...]]:
    """Title, what to say, what to offer."""
    name, error = live.name, live.error
    if live.status == "host_key_changed":
        return f"HOST KEY CHANGED: {name}", [_CHANGED, _CHANGED_WHY], (EDIT,)
    if isinstance(error, HostKeyUnknownError) and live.status == "host_key_unknown":
        return f"New host key: {name}", _unknown_key(error), (ACCEPT, EDIT)
    if live.status == "auth":
        return f"Login refused: {name}", [_AUTH], (RETRY, EDIT)
    if live.status == "agent_missing":
        return f"No agent: {name}", [_MISSING], (INSTALL, RETRY)
    if live.status == "agent_mismatch":
        return f"Agent differs: {name}", [_MISMATCH], (INSTALL, RETRY)
    if live.status == "unreachable":
        return f"Not reached: {name}", [_UNREACHABLE], (RETRY, EDIT)
    engine = live.engine
    if live.live and engine is not None and engine.status != "up":
        return f"No engine: {name}", [(engine.message or "The engine is not up.", "warn"), _ENGINE], (RETRY,)
    if live.upgrade_available:
        return f"Check: {name}", [_UPGRADE], (INSTALL, EDIT)
    return f"Check: {name}", [], (RETRY, EDIT)


_CHANGED = (
    "Nothing was sent to it, and no key here accepts this. If it was installed anew, look at its key on its own "
    "console, compare the fingerprint, remove the old line, then connect again with ^R.", "",
)  # fmt: skip
_CHANGED_WHY = (
    "If nobody knows of a change, somebody may stand between you and it: leave it, and ask who runs it.", "warn",
)  # fmt: skip
_AUTH = ("It is not tried again by itself: servers lock out addresses that keep failing.", "")
_MISSING = ("SSH works. Its agent is not there, or does not run.", "")
_MISMATCH = ("SSH works. What answers there speaks another version than this program.", "")
_UNREACHABLE = ("It is tried again by itself; what is shown of it is what it said last.", "")
_ENGINE = ("Host figures and shells work without an engine; containers are shown once there is one.", "")
_UPGRADE = ("Its agent is older than this program; they understand each other.", "")


def _unknown_key(error: HostKeyUnknownError) -> list[Part]:
    kind = error.algorithm.removeprefix("ssh-").partition("-")[0]
    return [
        (f"{error.algorithm}\n{error.fingerprint}", "accent bold"),
        (f"Compare it with the server's own, on its console:\nssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub", ""),
        ("Accepted, it is remembered in known_hosts, where ssh finds it too.", "dim"),
    ]


def _facts(live: ServerLive, probe: ServerProbe | None, now: float) -> list[tuple[str, str, str]]:
    facts = [("address", live.definition.address, "")]
    if live.live:
        facts.append(("up for", f"{long_duration_text(now - live.since)}, answers in {latency_text(live.latency)}", ""))
    else:
        facts.append(("since", f"{time_text(live.since)}, {long_duration_text(now - live.since)} ago", ""))
        facts.append(("last data", time_text(live.seen) or "never", ""))
    if live.hello is not None and live.live:
        facts.append(("agent", f"{live.hello.version} on {live.hello.hostname}, uid {live.hello.uid}", ""))
    engine = live.engine
    if live.live and engine is not None and engine.status == "up":
        facts.append(("engine", f"{engine.name} {engine.version}, {count_text(len(live.containers), 'container')}", ""))
    facts += _figures(live) if live.live else []
    return facts + (_probed(probe) if probe is not None else [])


def _figures(live: ServerLive) -> list[tuple[str, str, str]]:
    """Those that reached a limit, with the limit."""
    disk = fullest(live.filesystems)
    alerts, sample = live.definition.alerts, live.sample
    figures = [("cpu", sample.cpu, alerts.cpu), ("memory", memory_percent(sample), alerts.memory)] if sample else []
    if disk is not None:
        figures.append((f"disk {disk.path}", disk_percent(disk), alerts.disk))
    found = []
    for name, value, limit in figures:
        reached = level(value, limit)
        if reached != "ok":
            least = limit.critical if reached == "critical" else limit.warning
            found.append((name, f"{value:.0f}%, {reached} from {least:g}%", LEVEL_TONES[reached]))
    return found


def _probed(probe: ServerProbe) -> list[tuple[str, str, str]]:
    python = probe.python
    version = f"{python.path} {'.'.join(map(str, python.version))}" if python else "none of 3.10 or newer"
    return [
        ("login", f"{probe.user} on {probe.system} {probe.arch}", ""),
        ("python", version, "" if python else "bad"),
        ("docker", probe.docker_problem or "can be opened", "warn" if probe.docker_problem else ""),
    ]
