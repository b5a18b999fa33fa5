"""What a deploy would do now, service by service, and a fingerprint of everything that answer rests on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ..wire.compose import ComposePreview, ComposeSource, Revision, StackFile
from ..wire.compose_changes import FileChange, KeyChange, ServiceChange
from .mounted import unseen
from .observe import WORKING_DIR, containers_of, fingerprint, hash_of, images, names, state_print, words_of
from .ports import doubles, holder
from .project import placed_calls, project_folder
from .resolve import resolved
from .revisions import against, last_good, placed_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..engine.client import Engine
    from ..wire.models import Container
    from .cli import Cli
    from .folder import StackFolder
    from .ground import Ground
    from .model import Model, Service

_NAMED = 3


class Look(NamedTuple):
    """A preview, with what the deploy that follows needs of it."""

    preview: ComposePreview
    model: Model
    configs: dict[str, str]
    """By service: a keyed fingerprint of its resolved configuration."""
    files: tuple[StackFile, ...]
    folder: str


class _Facts(NamedTuple):
    """What there is now."""

    containers: list[Container]
    images: dict[str, dict[str, object]]
    volumes: set[str]
    networks: set[str]
    own_volumes: set[str]
    others: list[Container]


async def look(cli: Cli, engine: Engine, kept: StackFolder, ground: Ground, fds: tuple[int, ...] = ()) -> Look:
    """Find out.

    Raises:
        AgentError: the source is wrong, compose or the engine refused.
    """
    source, files = ground.source, ground.files
    revisions = kept.revisions()
    model, hashes = await resolved(cli, engine, kept, source, revisions, fds, ground.at)
    folder = source.folder or str(project_folder(source, kept))
    facts = await _facts(engine, source.project, model)
    current = revisions[0] if revisions else None
    good = last_good(revisions)
    configs = kept.prints(model.configs)
    services = _services(model, hashes, configs, facts, good)
    edited = _edited(kept, ground, revisions)
    differing = _files(files, good or current)
    ports = tuple(port for service in model.services.values() for port in service.ports)
    preview = ComposePreview(
        project=source.project,
        fingerprint="",
        command=placed_calls(cli, engine, kept, source, at=ground.at).shown(*up_words(model, cli)),
        compose=str(cli),
        folder=folder,
        services=services,
        environment=_keys(kept, source, good or current),
        files=differing,
        ports=ports,
        new_volumes=tuple(sorted(set(model.volumes.values()) - facts.volumes)),
        kept_volumes=tuple(sorted(set(model.volumes.values()) & facts.volumes)),
        dropped_volumes=tuple(sorted(facts.own_volumes - set(model.volumes.values()))),
        binds=tuple(dict.fromkeys(bind for service in model.services.values() for bind in service.binds)),
        conflicts=(*_conflicts(kept, source, revisions, model, facts), *_foreign(ground)),
        warnings=(
            *_warnings(source, model, revisions),
            *edited,
            *unseen(folder, differing, source.compose_files, model.services, services),
        ),
        git=ground.news,
        current=current.summary if current else None,
        last_good=good.summary if good else None,
        last_good_templates=good.templates if good else {},
    )
    made_of = fingerprint(
        source.project, folder, [[f.path, f.content] for f in files], source.compose_files, source.profiles,
        kept.prints(source.environment), hashes, configs, state_print(facts.containers),
        current.summary.number if current else 0,
        preview.conflicts, edited, [[s.service, s.verb] for s in services], source.commit, source.env_files,
    )  # fmt: skip
    return Look(msgspec.structs.replace(preview, fingerprint=made_of), model, configs, files, folder)


def up_words(model: Model, cli: Cli) -> tuple[str, ...]:
    """The one command that makes containers. Images have been pulled before, so that what was recorded is what runs."""
    builds = any(service.builds for service in model.services.values())
    return ("up", "-d", "--remove-orphans", *(() if builds or cli.old else ("--pull", "never")))


async def _facts(engine: Engine, project: str, model: Model) -> _Facts:
    containers, found, volumes, networks, own = await asyncio.gather(
        containers_of(engine, project),
        images(engine, [service.image for service in model.services.values()]),
        names(engine, "volumes"),
        names(engine, "networks"),
        names(engine, "volumes", project),
    )
    others = [c for c in engine.containers.values() if c.stack != project]
    return _Facts(containers, found, volumes, networks, own, others)


def _services(
    model: Model, hashes: Mapping[str, str], configs: Mapping[str, str], facts: _Facts, good: Revision | None
) -> tuple[ServiceChange, ...]:
    there: dict[str, list[Container]] = {}
    for container in facts.containers:
        there.setdefault(container.service, []).append(container)
    changes = [
        msgspec.structs.replace(
            _change(service, _as_it_was(name, hashes, configs, there.get(name, ()), good), there.get(name, []), facts),
            deployed=against(good, name, config=configs.get(name, ""), hash=hashes.get(name, ""), image=service.image),
        )
        for name, service in model.services.items()
    ]
    for name, containers in there.items():
        if name not in model.services:
            changes.append(
                ServiceChange(
                    service=name, verb="remove", image=containers[0].image, why="not in the file any more",
                    containers=tuple(c.name for c in containers), deployed="gone",
                )
            )  # fmt: skip
    return tuple(changes)


def _as_it_was(
    name: str,
    hashes: Mapping[str, str],
    configs: Mapping[str, str],
    there: Sequence[Container],
    good: Revision | None,
) -> bool:
    """Whether the containers of a service were made from the configuration that it has."""
    labels = {hash_of(container) for container in there}
    if name in hashes and labels == {hashes[name]}:
        return True
    return (
        good is not None
        and labels == {good.hashes.get(name)}
        and name in configs
        and configs[name] == good.configs.get(name)
    )


def _change(service: Service, as_it_was: bool, there: Sequence[Container], facts: _Facts) -> ServiceChange:
    image = facts.images.get(service.image)
    verb, why = "keep", ""
    if not there:
        verb, why = "create", f"{service.replicas} containers" if service.replicas > 1 else ""
        verb = "keep" if service.replicas == 0 else verb
    elif not as_it_was:
        verb, why = "recreate", "its configuration changed"
    elif image is not None and any(c.image_id and c.image_id != image.get("Id") for c in there):
        verb, why = "recreate", f"{service.image} is another image now"
    elif any(c.state not in ("running", "restarting") for c in there):
        stopped = next(c for c in there if c.state not in ("running", "restarting"))
        verb, why = "start", f"it is {words_of(stopped)}"
    elif len(there) != service.replicas:
        verb, why = "recreate", f"{len(there)} containers, {service.replicas} wanted"
    return ServiceChange(
        service=service.name,
        verb=verb,  # type: ignore[arg-type]
        image=service.image,
        why=why,
        present=image is not None,
        builds=service.builds,
        containers=tuple(c.name for c in there),
    )


def _keys(kept: StackFolder, source: ComposeSource, before: Revision | None) -> tuple[KeyChange, ...]:
    old, new = before.prints if before else {}, kept.prints(source.environment)
    changes = [KeyChange(key=key, change="added") for key in new if key not in old]
    changes += [KeyChange(key=key, change="changed") for key in new if key in old and old[key] != new[key]]
    changes += [KeyChange(key=key, change="removed") for key in old if key not in new]
    return tuple(sorted(changes, key=lambda change: change.key))


def _files(files: Sequence[StackFile], before: Revision | None) -> tuple[FileChange, ...]:
    old = {file.path: file.content for file in before.files} if before else {}
    new = {file.path: file.content for file in files}
    changes = []
    for path in sorted({*old, *new}):
        if path not in old:
            changes.append(FileChange(path=path, change="added", after=new[path]))
        elif path not in new:
            changes.append(FileChange(path=path, change="removed", before=old[path]))
        elif old[path] != new[path]:
            changes.append(FileChange(path=path, change="changed", before=old[path], after=new[path]))
    return tuple(changes)


def _conflicts(
    kept: StackFolder, source: ComposeSource, revisions: Sequence[Revision], model: Model, facts: _Facts
) -> list[str]:
    found = []
    if facts.containers and not revisions:
        where = facts.containers[0].labels.get(WORKING_DIR, "")
        found.append(
            f"a project {source.project} runs here that no stack deployed"
            + (f", from {where}" if where else "")
            + ": adopt it, or give the stack another project name"
        )
    if not source.folder:
        found += kept.check_own(source.files, placed_files(revisions))
    for service in model.services.values():
        if not service.image and not service.builds:
            found.append(f"service {service.name} has no image")
        for port in service.ports:
            held_by = holder(port.port, port.protocol, port.ip, facts.others)
            if held_by:
                found.append(f"port {port.port}/{port.protocol} of {service.name} is taken by {held_by}")
        for other in facts.others:
            if service.container_name and other.name == service.container_name:
                found.append(f"the container name {other.name} is taken by one of {other.stack or 'no stack'}")
    wanted = [(port.port, port.protocol, port.ip) for s in model.services.values() for port in s.ports]
    found += [f"port {port}/{protocol} is wanted twice" for port, protocol, _ in doubles(wanted)]
    for kind, name in model.external:
        if name not in (facts.volumes if kind == "volume" else facts.networks):
            found.append(f"the external {kind} {name} is not there")
    return found


def _foreign(ground: Ground) -> tuple[str, ...]:
    more = len(ground.in_the_way) - _NAMED
    named = [f"{path} is somebody's own: it would be written over" for path in ground.in_the_way[:_NAMED]]
    return (*named, f"{more} more files are in the way") if more > 0 else tuple(named)


def _edited(kept: StackFolder, ground: Ground, revisions: Sequence[Revision]) -> list[str]:
    """The files of ours that somebody changed on the server, and that a deploy would write over."""
    source = ground.source
    if source.folder:
        edited = ground.news.edited if ground.news is not None else ()
        return [
            f"{path} was changed on the server since it was checked out: that will be written over" for path in edited
        ]
    known: dict[str, set[str]] = {}
    for revision in revisions:
        for file in () if revision.folder else revision.files:
            known.setdefault(file.path, set()).add(file.content)
    return [
        f"{file.path} was changed on the server since it was placed there: that will be written over"
        for file in source.files
        if file.path in known
        and (now := kept.content(file.path)) is not None
        and now not in {*known[file.path], file.content}
    ]


def _warnings(source: ComposeSource, model: Model, revisions: Sequence[Revision]) -> list[str]:
    found = [risk for service in model.services.values() for risk in service.risks]
    newest = revisions[0].summary if revisions else None
    if newest is not None and newest.outcome != "success":
        found.append(f"the last deploy (revision {newest.number}) ended as {newest.outcome.replace('_', ' ')}")
    if newest is not None and source.stack and newest.stack and newest.stack != source.stack:
        found.append(f"this project was deployed by stack {newest.stack} before")
    return found
