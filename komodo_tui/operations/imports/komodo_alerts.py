"""Komodo's alerters and maintenance windows (``entities/alerter.rs``, ``MaintenanceWindow``) as definitions of ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.alerters import Alerter, check_alerter
from komodo_tui.domain.durations import span_text
from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_tui.operations.imports.found import Imported

Table = dict[str, Any]
_KINDS = {
    "ServerUnreachable": ("unreachable", "network", "engine"), "ServerCpu": ("cpu",), "ServerMem": ("memory",),
    "ServerDisk": ("disk",), "ContainerStateChange": ("down", "unhealthy", "restarts", "oom"),
    "StackStateChange": ("down", "unhealthy", "restarts", "oom", "drift"),
    "DeploymentImageUpdateAvailable": ("update",), "StackImageUpdateAvailable": ("update",),
    "ResourceSyncPendingUpdates": ("sync",), "BuildFailed": ("build",), "ProcedureFailed": ("procedure",),
    "RepoBuildFailed": ("push",), "ScheduleRun": ("schedule",),
}  # fmt: skip
"""What an alert of theirs is here; others are none."""
_APPRISE = {"Ntfy": "ntfy", "Custom": "json"}
_TO_NAME = re.compile(r"[^A-Za-z0-9]+")


def alerter_of(table: Table, what: str, found: Imported) -> None:
    """One alerter. Its address stays in no file where there may be a secret in it: a secret of ours is named there."""
    config: Table = table.get("config", {})
    name = str(table.get("name", ""))
    endpoint = config.get("endpoint", {})
    url = str(endpoint.get("params", {}).get("url", ""))
    kind = endpoint.get("type", "Custom")
    if not url:
        found.note(what, "left out: it has no address")
        return
    scheme, _, rest = url.partition("://")
    if kind in _APPRISE and scheme in ("http", "https"):
        url = f"{_APPRISE[kind]}{'s' if scheme == 'https' else ''}://{rest}"
    found.add("alerters", {
        "name": name, "url": _without_secrets(name, url, kind, what, found), "kinds": _kinds(config, what, found),
        "servers": _servers(config.get("resources"), "resources", what, found),
        "except_servers": _servers(config.get("except_resources"), "except_resources", what, found),
        "enabled": None if config.get("enabled") else False,
    })  # fmt: skip
    if kind == "Custom":
        found.note(what, "who listens there gets Apprise's JSON (title, message, type), not Komodo's")
    if config.get("maintenance_windows"):
        found.note(what, "its maintenance windows were left out: here maintenance is about servers, for all alerters")
    if endpoint.get("params", {}).get("email"):
        found.note(what, "its e-mail address was left out: ntfys://TOPIC?email=… has it, or a mailtos:// alerter")
    known = ("enabled", "endpoint", "alert_types", "resources", "except_resources", "maintenance_windows")
    found.unmatched(what, config, known, {})


def _without_secrets(name: str, url: str, kind: str, what: str, found: Imported) -> str:
    try:
        return check_alerter(Alerter(name="x", url=url)).url
    except UsageError:
        secret = f"{_TO_NAME.sub('_', name).strip('_').upper() or 'ALERTER'}_URL"
        how = "; Apprise has it as pover://USER@TOKEN" if kind == "Pushover" else ""
        found.note(what, f"its address is a secret: set it by `komodo-tui secret set {secret}`{how}")
        return f"[[{secret}]]"


def _kinds(config: Table, what: str, found: Imported) -> list[str]:
    given = [str(one) for one in config.get("alert_types") or ()]
    strange = [one for one in given if one not in _KINDS]
    if strange:
        found.note(what, f"there are no alerts here like {', '.join(strange)}")
    kinds = list(dict.fromkeys(kind for one in given for kind in _KINDS.get(one, ())))
    if given and not kinds:
        found.note(what, "no kind of its alerts is left: all go there now; choose by `kinds`")
    return kinds


def _servers(resources: Any, field: str, what: str, found: Imported) -> list[str]:
    given = [one for one in resources or () if isinstance(one, dict)]
    if any(one.get("type") != "Server" for one in given):
        found.note(what, f"{field}: only servers are chosen by name here; others were left out")
    return [str(one.get("id", "")) for one in given if one.get("type") == "Server"]


def maintenance_of(server: str, windows: Iterable[Table], what: str, found: Imported) -> None:
    """The maintenance windows of a server."""
    for window in windows:
        name = _TO_NAME.sub("-", f"{server}-{window.get('name', '')}").strip("-")[:60]
        at = f"{int(window.get('hour', 0)):02}:{int(window.get('minute', 0)):02}"
        kind = window.get("schedule_type", "Daily")
        if kind == "OneTime":
            found.note(what, f"its maintenance on {window.get('date', '')} at {at} was left out: "
                             "`komodo-tui alerts --mute` has what comes once")  # fmt: skip
            continue
        day = "day" if kind == "Daily" else str(window.get("day_of_week", "")).lower()
        found.add("maintenance", {
            "name": name, "when": f"every {day} {at} for {span_text(60.0 * int(window.get('duration_minutes', 0)))}",
            "zone": window.get("timezone", ""), "servers": [server], "description": window.get("description", ""),
            "enabled": None if window.get("enabled", True) else False,
        })  # fmt: skip
