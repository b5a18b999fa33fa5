"""What can be wrong with one step before it runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.durations import parse_duration, parse_size
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.interpolation import references
from komodo_tui.domain.procedures import expressions, facts, steps
from komodo_tui.domain.procedures.words import argv, words

if TYPE_CHECKING:
    from collections.abc import Callable

_SPANS = ("timeout", "backoff", "pause", "grace", "every", "seconds", "older_than", "healthy_within")
RESERVED = frozenset({"failed", "run", "procedure"})


def check_step(step: steps.Step, where: str) -> None:
    """Raise UsageError for the first thing that is wrong; ``where`` says which step it is."""
    for name in _SPANS:
        check_span(getattr(step, name, ""), f"{where}: {name}")
    if min(step.retries, getattr(step, "batch", 0), getattr(step, "parallel", 0), getattr(step, "keep", 0)) < 0:
        raise UsageError(f"{where}: retries, batch, parallel and keep are 0 or more")
    if step.idempotent is False and step.retries:
        raise UsageError(f"{where}: idempotent: false and retries exclude each other", hint="take one of them out")
    if isinstance(step, steps.Spread):
        _check_spread(step, where)
    for kind, check in _CHECKS.items():
        if isinstance(step, kind):
            check(step, where)


def check_span(text: Any, where: str) -> None:
    """Raise UsageError unless a text is a span of time, or has a placeholder in it."""
    if isinstance(text, str) and not expressions.names_in(text):
        wrapped(lambda: parse_duration(text), where)


def wrapped(make: Callable[[], Any], where: str) -> Any:
    """What ``make`` gives; its UsageError says where."""
    try:
        return make()
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", hint=error.hint) from error


def check_name(name: str, where: str) -> None:
    """Raise UsageError unless outputs and values can have this name."""
    if not expressions.NAME.fullmatch(name) or name in RESERVED:
        raise UsageError(f"{where}: {name!r} cannot be a name", hint="lower-case letters, digits and underscores")


def _check_spread(step: steps.Spread, where: str) -> None:
    if step.batch and step.parallel:
        raise UsageError(f"{where}: batch or parallel, not both", hint="batch waits for all of its targets")
    missing = wrapped(lambda: expressions.condition_names(step.where), f"{where}: where") - set(facts.TARGET)
    if missing:
        raise UsageError(
            f"{where}: where asks for {sorted(missing)[0]}, which is no fact of a target",
            hint=f"there are: {', '.join(facts.TARGET)}",
        )


def _containers(step: steps.OnContainers, where: str) -> None:
    one = step.container if isinstance(step, steps.Exec) else ""
    if bool(words(step.match)) == bool(one):
        raise UsageError(f"{where}: which containers?", hint='match: "api-*", match: [web, db], or one container')


def _command(step: steps.Exec | steps.Run, where: str) -> None:
    command = wrapped(lambda: argv(step.command), where)
    if not command:
        raise UsageError(f"{where}: the command is empty")
    _no_secrets(" ".join(command), where)


def _script(step: steps.Script, where: str) -> None:
    if not argv(step.interpreter):
        raise UsageError(f"{where}: no interpreter", hint="sh, bash, python3…")
    if bool(step.repo) != bool(step.file) or bool(step.script.strip()) == bool(step.file):
        raise UsageError(f"{where}: the script is empty", hint="script: its text, or repo: and file: in its clone")
    if step.file.startswith("/") or ".." in step.file.split("/"):
        raise UsageError(f"{where}: file {step.file!r} is not within the repo")
    _no_secrets(step.script, where)


def _no_secrets(text: str, where: str) -> None:
    """A command's words can be read by every user of a server; in a shell's test ``[[ … ]]`` has blanks."""
    found = [name for name in references(text) if f"[[{name}]]" in text]
    if found:
        raise UsageError(
            f"{where}: [[{found[0]}]] would be seen by every user of the server",
            hint=f"environment: {{{found[0]}: '[[{found[0]}]]'}} and ${found[0]} in a script",
        )


def _clear(step: steps.ClearLogs, where: str) -> None:
    if not expressions.names_in(step.larger_than):
        wrapped(lambda: parse_size(step.larger_than), f"{where}: larger_than")


def _prune(step: steps.Prune, where: str) -> None:
    if step.images == "none" and not any((step.networks, step.volumes, step.containers, step.build_cache)):
        raise UsageError(f"{where}: prune what?", hint="images, networks, volumes, containers or build_cache")


def _wait(step: steps.Wait, where: str) -> None:
    if sum(map(bool, (words(step.healthy), step.tcp, step.http, step.log, step.file))) != 1:
        raise UsageError(f"{where}: wait for one thing", hint="healthy, tcp, http, log or file")
    if bool(step.log) != bool(words(step.containers)):
        raise UsageError(f"{where}: log and containers go together", hint='log: "ready", containers: web-1')
    if step.log and not expressions.names_in(step.log):
        try:
            re.compile(step.log)
        except re.error as error:
            raise UsageError(f"{where}: log: the pattern cannot be read: {error}") from error
    if step.file:
        _absolute(step.file, f"{where}: file")


def _absolute(path: str, where: str) -> None:
    if not path.startswith("/") and not expressions.names_in(path):
        raise UsageError(f"{where} {path!r} is no absolute path")


def _backup(step: steps.BackupVolume | steps.RestoreVolume, where: str) -> None:
    _required("volume")(step, where)
    field = "folder" if isinstance(step, steps.BackupVolume) else "file"
    _absolute(getattr(step, field), f"{where}: {field}")


def _approve(step: steps.Approve, where: str) -> None:
    if not expressions.names_in(step.timeout) and parse_duration(step.timeout) <= 0:
        raise UsageError(f"{where}: an approval needs a timeout", hint="timeout: 1h")


def _set(step: steps.Set, where: str) -> None:
    for name in step.values:
        check_name(name, where)


def _required(*fields: str) -> Callable[[Any, str], None]:
    def check(step: Any, where: str) -> None:
        for field in fields:
            value = getattr(step, field)
            if not (words(value) if isinstance(value, tuple) else value.strip()):
                raise UsageError(f"{where}: which {field}?", hint=f"give {field}")

    return check


_CHECKS: dict[type[steps.Step], Callable[[Any, str], None]] = {
    steps.OnContainers: _containers,
    steps.Exec: _command,
    steps.Run: _command,
    steps.Script: _script,
    steps.ClearLogs: _clear,
    steps.OnStack: _required("stack"),
    steps.OnRepo: _required("repo"),
    steps.Build: _required("build"),
    steps.SyncApply: _required("sync"),
    steps.Prune: _prune,
    steps.RemoveResources: _required("match"),
    steps.PullImage: _required("image"),
    steps.BackupVolume: _backup,
    steps.RestoreVolume: _backup,
    steps.Wait: _wait,
    steps.Approve: _approve,
    steps.Notify: _required("message"),
    steps.Set: _set,
    steps.Procedure: _required("procedure"),
}
"""By kind; a step passes those of all kinds it is of."""
