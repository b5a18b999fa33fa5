"""Komodo's procedures: stages of executions, each as a step of ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.schedules import Schedule
from komodo_tui.operations.imports.komodo_usual import USUAL
from komodo_tui.operations.imports.texts import patterns

if TYPE_CHECKING:
    from komodo_tui.domain.syncs import Plain
    from komodo_tui.operations.imports.found import Imported

Table = dict[str, Any]
_ON_STACKS = {
    "DeployStack": "deploy", "DeployStackIfChanged": "deploy_if_changed", "PullStack": "pull_stack",
    "StartStack": "start_stack", "StopStack": "stop_stack", "RestartStack": "restart_stack",
    "PauseStack": "pause_stack", "UnpauseStack": "unpause_stack", "DestroyStack": "destroy_stack",
    "Deploy": "deploy", "PullDeployment": "pull_stack", "StartDeployment": "start_stack",
    "StopDeployment": "stop_stack", "RestartDeployment": "restart_stack", "PauseDeployment": "pause_stack",
    "UnpauseDeployment": "unpause_stack", "DestroyDeployment": "destroy_stack",
}  # fmt: skip
_ON_CONTAINERS = {"Start": "start", "Restart": "restart", "Pause": "pause", "Unpause": "unpause", "Stop": "stop",
                  "Destroy": "remove"}  # fmt: skip
_ON_OTHERS = {"RunBuild": ("build", "build"), "CloneRepo": ("repo_clone", "repo"), "PullRepo": ("repo_pull", "repo"),
              "RunProcedure": ("procedure", "procedure"), "RunSync": ("sync", "sync")}  # fmt: skip
_PRUNES: dict[str, Plain] = {
    "PruneImages": {"images": "unused"}, "PruneNetworks": {"images": "none", "networks": True},
    "PruneVolumes": {"images": "none", "volumes": True}, "PruneContainers": {"images": "none", "containers": True},
    "PruneSystem": {"images": "unused", "networks": True, "containers": True},
}  # fmt: skip
_DANGEROUS = ("destroy_stack", "remove_containers", "remove_resources")


def procedure_of(table: Table, what: str, found: Imported) -> None:
    """Take in one procedure."""
    config: Table = table.get("config", {})
    stages: list[Plain] = []
    for stage in config.get("stages") or config.get("stage") or ():
        steps = [step for one in stage.get("executions", []) if (step := _step(one, what, found)) is not None]
        if steps:
            enabled = {} if stage.get("enabled", True) else {"enabled": False}
            stages.append({"name": stage.get("name", ""), **enabled, "steps": steps})
    if not stages:
        found.note(what, "left out: it has no step that there is here")
        return
    all_steps = [step for stage in stages for step in stage["steps"]]
    dangerous = any(_dangerous(kind, fields) for step in all_steps for kind, fields in step.items())
    if dangerous:
        found.note(what, "it removes things, so allow_dangerous is set: read it before you run it")
    found.add("procedures", {
        "name": table.get("name", ""), "description": table.get("description", ""), "tags": table.get("tags", []),
        "allow_dangerous": dangerous or None, "schedule": _schedule(config, what, found),
        "timezone": config.get("schedule_timezone", ""), "stages": stages,
    })  # fmt: skip
    known = ("stage", "stages", "schedule", "schedule_timezone", "webhook_enabled")
    found.unmatched(what, config, known, USUAL["procedure"])


def _dangerous(kind: str, fields: Plain) -> bool:
    return kind in _DANGEROUS or (kind == "prune" and bool(fields.get("volumes") or fields.get("containers")))


def _schedule(config: Table, what: str, found: Imported) -> str:
    text = str(config.get("schedule", "")).strip()
    if not text or config.get("schedule_enabled") is False:
        return ""
    words = text.split()
    if len(words) == 6 and words[0] in ("0", "*"):  # theirs begins with the second
        text = " ".join(words[1:])
    text = re.sub(r"^(every .*?) at (\d{1,2})(?::(\d{2}))?\s*(am|pm)$", _on_24_hours, text.lower())
    try:
        Schedule(text, str(config.get("schedule_timezone", "")))
    except UsageError as error:
        found.note(what, f"its schedule {text!r} is not understood here ({error.message}): write it anew")
        return ""
    return text


def _on_24_hours(match: re.Match[str]) -> str:
    hour = int(match[2]) % 12 + (12 if match[4] == "pm" else 0)
    return f"{match[1]} at {hour:02}:{match[3] or '00'}"


def _step(given: Table, what: str, found: Imported) -> Plain | None:
    execution = given.get("execution", {})
    kind, params = str(execution.get("type", "")), execution.get("params", {})
    if kind in ("", "None"):
        return None
    step = _step_of(kind, params)
    if step is None:
        found.note(what, f"{kind} has no step here and was left out")
        return None
    if not given.get("enabled", True):
        for fields in step.values():
            fields["enabled"] = False
    return step


def _step_of(kind: str, params: Table) -> Plain | None:
    batch, single = kind.startswith("Batch"), kind.removeprefix("Batch")
    words = patterns(params.get("pattern")) if batch else None
    if single in _ON_STACKS:
        services = {"services": params["services"]} if params.get("services") and single.endswith("Stack") else {}
        if _ON_STACKS[single] in ("deploy", "deploy_if_changed", "pull_stack", "destroy_stack"):
            services = {}
        return {_ON_STACKS[single]: {"stack": words or params.get("stack", params.get("deployment", "")), **services}}
    if single in _ON_OTHERS:
        name, field = _ON_OTHERS[single]
        return None if batch and name == "procedure" else {name: {field: words or params.get(field, "")}}
    if kind in _PRUNES:
        return {"prune": {**_PRUNES[kind], "servers": params.get("server", "")}}
    if kind == "Sleep":
        return {"sleep": {"seconds": f"{int(params.get('duration_ms', 0)) / 1000:g}s"}}
    if kind == "SendAlert":
        return {"notify": {"message": str(params.get("message", "")), "alerters": params.get("alerters", [])}}
    if kind in ("DeleteImage", "DeleteVolume", "DeleteNetwork"):
        return {"remove_resources": {"what": kind.removeprefix("Delete").lower(), "match": params.get("name", ""),
                                     "servers": params.get("server", "")}}  # fmt: skip
    return _on_containers(kind, params)


def _on_containers(kind: str, params: Table) -> Plain | None:
    for theirs, ours in _ON_CONTAINERS.items():
        if kind in (f"{theirs}Container", f"{theirs}AllContainers"):
            match = params.get("container", "*") if kind.endswith("AllContainers") is False else "*"
            return {f"{ours}_containers": {"match": match, "servers": params.get("server", "")}}
    return None
