"""What an operation on stacks would do, as the agents said when it was prepared."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from komodo_agent.wire.compose import ComposeAct, ComposeDeploy, ComposeRollback
from komodo_agent.wire.compose_files import ComposeWrite
from komodo_agent.wire.compose_values import shown
from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.stacks import check_stack
from komodo_tui.domain.units import count_text
from komodo_tui.operations.commands import definition_command
from komodo_tui.operations.container_plans import Draft, server_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from komodo_agent.wire.compose import ComposePreview
    from komodo_agent.wire.compose_changes import FileChange
    from komodo_agent.wire.compose_git import GitNews
    from komodo_tui.domain.stacks import DefineStackOperation, StackDefinition, StackOperation, StackTarget
    from komodo_tui.fleet.live import FleetState

_UNDO = {
    "deploy": "roll back to the last good revision; volumes keep what was written meanwhile",
    "rollback": "deploy the stack again",
    "destroy": "deploy the stack again; volumes and files are kept",
    "start": "stop it again",
    "stop": "start it again: containers are kept",
    "restart": "nothing to take back: the same containers run again; open connections are cut",
    "pause": "unpause it",
    "unpause": "pause it again",
    "pull": "nothing to take back: what runs keeps its image until a deploy",
    "write": "edit it back; what runs sees it at the next deploy",
    "adopt": "remove the stack's definition; no container is touched",
}
_UNDO_VOLUMES = "nothing brings the volumes' data back"
_ORDER = ("create", "recreate", "start", "remove", "keep")


def draft_stack(operation: StackOperation, state: FleetState) -> Draft:
    """Say what each agent said.

    Raises:
        UsageError: no deployment is named.
        NotFoundError: a server is gone.
        RefusedError: something on a server is in the way.
    """
    if not operation.targets:
        raise UsageError(f"{operation.verb}: no deployment of {operation.stack} is named")
    steps = []
    for target in operation.targets:
        server_of(state, target.server)
        if target.preview is not None and target.preview.conflicts:
            raise RefusedError(
                f"{operation.stack}: {'; '.join(target.preview.conflicts)}",
                hint="change its definition or what is in the way; nothing was changed",
                server=target.server,
            )
        steps.append(_step(operation, target))
    places = ", ".join(target.server for target in operation.targets)
    if len(operation.targets) > 3:
        places = count_text(len(operation.targets), "server")
    volumes = any(isinstance(t.spec, ComposeAct) and t.spec.volumes for t in operation.targets)
    undo = _UNDO_VOLUMES if volumes else _UNDO[operation.verb]
    return Draft(f"{operation.verb.capitalize()} {operation.stack} on {places}", operation.verb, tuple(steps), undo)


def draft_definition(operation: DefineStackOperation, known: Mapping[str, StackDefinition]) -> Draft:
    """Check a change of a definition.

    Raises:
        UsageError: a field cannot be used.
        RefusedError: a stack of that name exists.
        NotFoundError: there is no such stack.
    """
    name = operation.name
    if operation.verb == "add" and name in known:
        raise RefusedError(f"a stack {name!r} exists already", hint="choose another name, or edit that one")
    if operation.verb != "add" and name not in known:
        raise NotFoundError(f"there is no stack {name!r}")
    if operation.verb != "remove":
        if operation.definition is None:
            raise UsageError(f"stack {name}: no definition is given")
        check_stack(operation.definition)
    text = {"add": "define", "edit": "change the definition of", "remove": "forget"}[operation.verb]
    undo = {
        "add": "remove its definition",
        "edit": "edit it back: the definitions file keeps its last five versions",
        "remove": "define it again: what it deployed keeps running",
    }[operation.verb]
    step = PlanStep(
        target=Target(server="", name=name),
        text=f"{text} stack {name}",
        command=definition_command("stack", operation.verb, name),
    )
    return Draft(f"{text.capitalize()} stack {name}", f"stack {operation.verb}", (step,), undo)


def summary(preview: ComposePreview) -> str:
    """``recreate web; create db; keep 2``, or that nothing would change."""
    if not preview.changes:
        return "nothing would change"
    parts = []
    for verb in _ORDER:
        names = [change.service for change in preview.services if change.verb == verb]
        if names:
            parts.append(f"keep {len(names)}" if verb == "keep" else f"{verb} {', '.join(names)}")
    return "; ".join(parts) or "nothing to do"


def details(preview: ComposePreview) -> Iterator[str]:
    """What a deploy touches, one thing a line."""
    if preview.git is not None:
        yield from commit_lines(preview.git)
    for change in preview.services:
        if change.verb != "keep":
            absent = "" if change.present or change.builds else " (to be pulled)"
            image = f": {change.image}{absent}" if change.image else ""
            yield f"{change.verb} {change.service}{image}{f', {change.why}' if change.why else ''}"
    for key in preview.environment:
        yield f"{shown(key.key)} {key.change}"
    for file in preview.files:
        yield f"file {file.path}: {file.change}"
    for port in preview.ports:
        yield f"port {f'{port.ip}:' if port.ip else ''}{port.port}/{port.protocol} of {port.service}"
    yield from (f"volume {name}: new" for name in preview.new_volumes)
    yield from (f"volume {name}: kept" for name in preview.kept_volumes)
    yield from (f"volume {name}: no service uses it any more; kept" for name in preview.dropped_volumes)
    yield from (f"mounts {bind}" for bind in preview.binds)


def commit_lines(git: GitNews) -> Iterator[str]:
    """Which commit is deployed, which it takes the place of, and what comes with it."""
    target = git.target
    if git.deployed == target.id:
        yield f"commit {target.id[:12]} {target.subject}: deployed already"
    else:
        yield f"commit {git.deployed[:12] or 'none'} → {target.id[:12]} {target.subject} ({target.author})"
    yield from (f"brings {commit.id[:12]} {commit.subject} ({commit.author})" for commit in git.coming)
    if git.behind:
        yield f"the branch is {count_text(git.behind, 'commit')} further than that"


def file_diff(change: FileChange) -> str:
    """A unified diff of one file, from what is deployed to what would be."""
    import difflib  # late: few acts show files, and every start would pay for it

    lines = difflib.unified_diff(
        change.before.splitlines(keepends=True),
        change.after.splitlines(keepends=True),
        f"deployed/{change.path}" if change.change != "added" else "/dev/null",
        f"stack/{change.path}" if change.change != "removed" else "/dev/null",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n" for line in lines)


def _step(operation: StackOperation, target: StackTarget) -> PlanStep:
    preview, found = target.preview, target.found
    if isinstance(target.spec, ComposeWrite):
        return _writing(target, target.spec)
    where = Target(server=target.server, name=target.project)
    if preview is not None:
        spec = target.spec
        extra, before, after = (
            (spec.extra_args, spec.pre_deploy, spec.post_deploy) if isinstance(spec, ComposeDeploy) else ((), (), ())
        )
        to = f" to revision {spec.revision}" if isinstance(spec, ComposeRollback) else ""
        return PlanStep(
            target=where,
            text=f"{operation.verb} {target.project}{to}: {summary(preview)}",
            command=" ".join([preview.command, *map(shlex.quote, extra)]),
            details=(
                *(f"before: {shlex.join(words)}" for words in before),
                *details(preview),
                *(f"after: {shlex.join(words)}" for words in after),
            ),
            warning="; ".join((*preview.warnings, *target.warnings)),
        )
    if isinstance(target.spec, ComposeDeploy):
        return _unplanned(where, target.spec)
    only = target.spec.services if isinstance(target.spec, ComposeAct) else ()
    touched = [service for service in found.services if not only or service.service in only] if found else []
    services = [service.service for service in touched if service.containers]
    nothing = f"files in {found.working_dir}, of which nothing runs" if found and found.found else "no services"
    volumes = isinstance(target.spec, ComposeAct) and target.spec.volumes
    lines = [f"{service.service}: {service.state}, {service.image}" for service in touched]
    if found and operation.verb == "destroy":
        lines += [f"volume {name}: {'REMOVED with its data' if volumes else 'kept'}" for name in found.volumes]
        lines += [f"network {name}: removed" for name in found.networks]
    return PlanStep(
        target=where,
        text=f"{operation.verb} {target.project}: {', '.join(services) or nothing}",
        command=_command(target),
        details=tuple(lines),
        warning="; ".join((*(["the data of its volumes is lost"] if volumes else []), *target.warnings)),
        state=f"{len(services)} services",
    )


def _unplanned(where: Target, spec: ComposeDeploy) -> PlanStep:
    words = ["docker", "compose", "-p", where.name, "up", "-d", "--remove-orphans", *spec.extra_args]
    text = f"deploy {where.name}: what that changes is found out by the job, and nothing is done where it is nothing"
    return PlanStep(target=where, text=text, command=shlex.join(words))


def _writing(target: StackTarget, spec: ComposeWrite) -> PlanStep:
    path = f"{spec.folder}/{bytes.fromhex(spec.path).decode('utf-8', 'replace')}"
    return PlanStep(
        target=Target(server=target.server, name=target.project),
        text=f"write {path}",
        command=f"# {count_text(spec.content.count(chr(10)), 'line')} > {shlex.quote(path)}",
        warning="; ".join(target.warnings),
    )


def _command(target: StackTarget) -> str:
    if not isinstance(target.spec, ComposeAct):
        return f"komodo-tui adopt {shlex.quote(target.project)}"
    if target.spec.verb == "pull":
        return " && ".join(shlex.join(["docker", "pull", image]) for image in target.spec.images)
    words = ["docker", "compose", "-p", target.project, target.spec.verb]
    if target.spec.verb == "down":
        words += ["--remove-orphans", *(["--volumes"] if target.spec.volumes else [])]
    return shlex.join([*words, *target.spec.services])
