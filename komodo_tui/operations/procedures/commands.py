"""Steps that are a verb on containers, or a command in them or on servers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

from komodo_tui.domain.durations import parse_duration, parse_size
from komodo_tui.domain.errors import ActError
from komodo_tui.domain.operations import CommandOperation, ContainerOperation
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.words import argv
from komodo_tui.operations.procedures.parts import Work
from komodo_tui.operations.procedures.waits import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.operations import Target
    from komodo_tui.operations.procedures.parts import Environment, RunParts

_PATIENCE = 10.0
_UNTIL_THERE = 'while ! test -e "$FILE"; do sleep "$EVERY"; done'


async def verb_works(
    step: steps.OnContainers, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """A verb on containers."""
    grace = getattr(step, "grace", "")
    operation = ContainerOperation(
        verb=steps.VERBS[type(step)], targets=tuple(targets), timeout=int(parse_duration(grace)) if grace else None,
        signal=getattr(step, "signal", ""), force=getattr(step, "force", False),
        volumes=getattr(step, "volumes", False),
    )  # fmt: skip
    return [Work(operation, tuple(targets))]


async def clear_works(
    step: steps.ClearLogs, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """Clearing of logs."""
    size = parse_size(step.larger_than)
    return [Work(CommandOperation(verb="clear_log", targets=tuple(targets), larger_than=size), tuple(targets))]


async def command_works(
    step: steps.Exec | steps.Run, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """A command."""
    verb: Literal["exec", "run"] = "exec" if isinstance(step, steps.Exec) else "run"
    common = _common(step, environment)
    return [Work(CommandOperation(verb=verb, targets=tuple(targets), command=argv(step.command), **common),
                 tuple(targets))]  # fmt: skip


async def script_works(
    step: steps.Script, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """A script: on standard input, or the file in the clone of each server.

    Raises:
        ActError: a server has no clone of the repo.
    """
    common, interpreter = _common(step, environment), argv(step.interpreter)
    if not step.file:
        command = (*interpreter, "/dev/stdin")
        return [Work(CommandOperation(verb="run", targets=tuple(targets), command=command, script=step.script,
                                      **common), tuple(targets))]  # fmt: skip
    folders = await asyncio.gather(*(_clone(step.repo, target.server, parts) for target in targets))
    by_folder: defaultdict[str, list[Target]] = defaultdict(list)
    for target, folder in zip(targets, folders, strict=True):
        by_folder[folder].append(target)
    return [
        Work(CommandOperation(verb="run", targets=tuple(there), command=(*interpreter, f"{folder}/{step.file}"),
                              **{**common, "directory": step.directory or folder}), tuple(there))
        for folder, there in by_folder.items()
    ]  # fmt: skip


async def file_works(
    step: steps.Wait, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """A wait for a file: each server looks for it itself."""
    values = {"FILE": step.file, "EVERY": f"{max(0.05, parse_duration(step.every)):g}"}
    operation = CommandOperation(
        verb="run", targets=tuple(targets), command=("sh", "-c", _UNTIL_THERE), environment=values,
        timeout=parse_duration(step.timeout) or PATIENCE,
    )  # fmt: skip
    return [Work(operation, tuple(targets))]


async def _clone(repo: str, server: str, parts: RunParts) -> str:
    client = await parts.fleet.link(server).client(_PATIENCE)
    state = (await client.repo(repo)).state
    if state.commit is None:
        raise ActError(f"{server}: repo {repo} is not cloned there", hint="a repo_clone step before it, say")
    return state.path


def _common(step: steps.Exec | steps.Run | steps.Script, environment: Environment) -> dict[str, Any]:
    return {
        "user": step.user,
        "directory": step.directory,
        "environment": {**environment.values, **step.environment, **environment.references},
        "references": tuple(environment.references),
        "timeout": parse_duration(step.timeout),
    }
