"""A single-container deployment as the compose project of one service that it is deployed as. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_agent.wire.compose_values import with_variables
from komodo_tui.domain.interpolation import references
from komodo_tui.domain.run_options import parse_restart
from komodo_tui.domain.stack_values import variables_for
from komodo_tui.domain.stacks import StackDefinition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from komodo_tui.domain.single import DeploymentDefinition, HealthCheck

SERVICE = "app"
"""What the one service of such a project is called."""
SERVICE_KEYS = frozenset({
    "image", "container_name", "restart", "command", "entrypoint", "user", "working_dir", "ports", "volumes",
    "environment", "labels", "cpus", "mem_limit", "pids_limit", "healthcheck", "network_mode", "networks",
})  # fmt: skip
"""Those of its keys that come from fields."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEERS = re.compile(r"PATH|HOME|LC_ALL|(DOCKER|COMPOSE|LD|PYTHON)_.*")
"""What steers docker itself where compose runs: a container may have it under its name, compose may not."""
_OWN_NETWORKS = ("", "bridge", "host", "none")
_TEXTS = ("image", "ports", "volumes", "labels", "network", "command", "entrypoint", "user", "workdir",
          "health_check", "more")  # fmt: skip
"""The fields whose texts stand in the file."""


class SingleStack(StackDefinition, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stack of one service that stands for a single container."""


def as_stack(deployment: DeploymentDefinition) -> SingleStack:
    """The stack of one service that is deployed for it; nothing is checked."""
    variables = _variables(deployment.environment)
    document: dict[str, Any] = {"services": {SERVICE: _service(deployment, variables) | _more(deployment)}}
    named = [v.partition(":")[0] for v in deployment.volumes if not v.startswith("/")]
    if named:
        document["volumes"] = {name: {"name": name} for name in dict.fromkeys(named)}
    if deployment.network not in _OWN_NETWORKS and not deployment.network.startswith("container:"):
        document["networks"] = {"outer": {"name": _text(deployment.network), "external": True}}
    environment = {variables[key]: value for key, value in deployment.environment.items()}
    fields = msgspec.to_builtins(deployment)
    for text in _texts([fields[field] for field in _TEXTS]):
        environment |= variables_for(references(text))
    return SingleStack(
        name=deployment.name,
        servers=deployment.servers,
        description=deployment.description,
        tags=deployment.tags,
        links=deployment.links,
        compose="".join(f"{line}\n" for line in _yaml(document)),
        environment=environment,
        per_server={
            server: {variables.get(key, key): value for key, value in values.items()}
            for server, values in deployment.per_server.items()
        },
        pull=deployment.pull,
        health=deployment.health,
        revisions=deployment.revisions,
        after=deployment.after,
    )


def _service(deployment: DeploymentDefinition, variables: Mapping[str, str]) -> dict[str, Any]:
    """The service, without the keys that are not set."""
    policy, times = parse_restart(deployment.restart)
    limits = deployment.limits
    found: dict[str, Any] = {
        "image": _text(deployment.image),
        "container_name": deployment.name,
        "restart": f"{policy}:{times}" if times else policy,
        "command": [_text(word) for word in deployment.command],
        "entrypoint": [_text(word) for word in deployment.entrypoint],
        "user": _text(deployment.user),
        "working_dir": _text(deployment.workdir),
        "ports": [_text(port) for port in deployment.ports],
        "volumes": [_text(volume) for volume in deployment.volumes],
        "environment": _environment(deployment, variables),
        "labels": {key: _text(value) for key, value in deployment.labels.items()},
        "cpus": limits.cpus,
        "mem_limit": limits.memory,
        "pids_limit": limits.pids,
        "healthcheck": _health_check(deployment.health_check),
    }
    if deployment.network in _OWN_NETWORKS or deployment.network.startswith("container:"):
        found["network_mode"] = _text(deployment.network) or "bridge"
    else:
        found["networks"] = ["outer"]
    return {key: value for key, value in found.items() if value}


def _environment(deployment: DeploymentDefinition, variables: Mapping[str, str]) -> dict[str, str | None]:
    """Values stay out of the file. One that only some servers have is passed on as it is, or not at all."""
    only = {key: None for values in deployment.per_server.values() for key in values}
    return only | {key: f"${{{variables[key]}}}" for key in deployment.environment if key in variables}


def _health_check(check: HealthCheck) -> dict[str, Any]:
    if check.disabled:
        return {"disable": True}
    if not check.command:
        return {}
    shell = isinstance(check.command, str)
    test = ["CMD-SHELL", _text(check.command)] if shell else ["CMD", *map(_text, check.command)]  # type: ignore[arg-type]
    times = {"interval": check.interval, "timeout": check.timeout, "start_period": check.start_period}
    return {"test": test, "retries": check.retries, **{key: f"{value:g}s" for key, value in times.items() if value}}


def _more(deployment: DeploymentDefinition) -> dict[str, Any]:
    def put(value: Any) -> Any:
        if isinstance(value, str):
            return _text(value)
        if isinstance(value, dict):
            return {key: put(inner) for key, inner in value.items()}
        return [put(inner) for inner in value] if isinstance(value, list | tuple) else value

    return {key: put(value) for key, value in deployment.more.items()}


def _text(text: str) -> str:
    """A text as compose has to read it: nothing in it means anything but ``[[NAME]]``."""
    return with_variables(text.replace("$", "$$"))


def _variables(environment: Iterable[str]) -> dict[str, str]:
    """The name under which compose gets the value of each key."""
    found: dict[str, str] = {}
    for key in environment:
        found[key] = variable_for(key, found.values())
    return found


def variable_for(key: str, taken: Iterable[str]) -> str:
    plain = _PLAIN.fullmatch(key) and not _STEERS.fullmatch(key) and not key.startswith(("VALUE_", "ENV_"))
    name = key if plain else "ENV_" + re.sub(r"[^A-Za-z0-9_]", "_", key)
    while name in taken:
        name += "_"
    return name


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from _texts(inner)


def _yaml(value: Any, indent: str = "") -> Iterable[str]:
    """YAML that people can read and compare line by line: all texts quoted, as JSON has them."""
    items = value.items() if isinstance(value, dict) else ((None, inner) for inner in value)
    for key, inner in items:
        word = "-" if key is None else f"{key if _PLAIN.fullmatch(str(key)) else json.dumps(str(key))}:"
        if isinstance(inner, dict | list) and inner:
            if key is None:
                yield f"{indent}- {json.dumps(inner, ensure_ascii=False)}"
            else:
                yield f"{indent}{word}"
                yield from _yaml(inner, f"{indent}  ")
        else:
            yield f"{indent}{word}" + ("" if inner is None else f" {json.dumps(inner, ensure_ascii=False)}")
