"""Which function does which verb, imported when it is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable

    from komodo_tui.headless.session import Session

_VERBS = {
    "status": "overview:status",
    "ps": "containers:ps",
    "top": "containers:top",
    "logs": "logs:logs",
    "exec": "execute:execute",
    "attach": "attach:attach",
    "server": "servers:server",
    "actions": "actions:actions",
    "timeline": "timeline:timeline",
    "doctor": "doctor:doctor",
    "info": "doctor:info",
    "deploy": "stacks:deploy",
    "rollback": "stacks:rollback",
    "destroy": "stacks:destroy",
    "adopt": "stacks:adopt",
    "diff": "stack_looks:diff",
    "stack": "stack_looks:stack",
    "procedure": "procedures:procedure",
    "repo": "repos:repo",
    "sync": "syncs:sync",
    "build": "builds:build",
    "builds": "builds:builds",
    "watch": "watching:watch",
    "schedules": "watching:schedules",
    "alerts": "alerts:alerts",
    "plan": "files:plan",
    "apply": "files:apply",
    "export": "files:export",
    "import": "imports:import_definitions",
    "updates": "updates:updates",
    "deployment": "deployments:deployment",
    "images": "ships:images",
    **dict.fromkeys(("volumes", "networks"), "resources:list_resources"),
    "prune": "resources:prune",
    "secret": "values:values",
    "var": "values:values",
    "registry": "registries:registry",
    "delivery": "delivery:delivery",
    "volume": "resources:volume",
    "network": "resource_changes:network",
    **dict.fromkeys(("start", "stop", "restart", "pause", "unpause", "kill", "rename", "rm"), "acts:act"),
}


def function_of(verb: str) -> Callable[[Session], Awaitable[int]]:
    """The function that does a verb; it returns the exit code."""
    module, _, name = _VERBS[verb].partition(":")
    function: Callable[[Session], Awaitable[int]] = getattr(
        importlib.import_module(f"komodo_tui.headless.{module}"), name
    )
    return function


def wants_local(arguments: argparse.Namespace) -> bool:
    """Whether the verb will want this machine's agent, as far as the command line tells."""
    if arguments.verb == "server":
        return bool(arguments.server_verb == "check")
    if arguments.verb == "procedure":
        return bool(arguments.procedure_verb == "run")
    if arguments.verb in (
        "watch",
        "schedules",
        "alerts",
        "actions",
        "info",
        "plan",
        "apply",
        "export",
        "import",
        "builds",
        "secret",
        "var",
    ):
        return False
    if arguments.verb == "registry" and arguments.value_verb not in ("check", "start", "show", "delete", "collect"):
        return False
    if arguments.verb == "images" and arguments.image_verb in ("ship", "push"):
        return not arguments.source or "local" in (*getattr(arguments, "servers", ()), arguments.source)
    if arguments.verb in ("volume", "network"):
        return bool(getattr(arguments, arguments.verb).endswith("@local"))
    named = getattr(arguments, "server", [])
    return not named or "local" in named
