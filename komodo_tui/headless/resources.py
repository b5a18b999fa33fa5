"""``images``, ``volumes``, ``networks``, ``prune`` and ``volume``."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.resources import ClearBuildCache, DiskUsage, Resource
from komodo_tui.domain.errors import ExitCode, KomodoError, NotFoundError, UsageError
from komodo_tui.domain.resource_filter import parse_resources
from komodo_tui.domain.resources import PruneRule, ResourceOperation, prunable, target_of
from komodo_tui.domain.units import bytes_text, duration_text, time_text
from komodo_tui.domain.volumes import VolumeOperation
from komodo_tui.headless.acts import run
from komodo_tui.headless.resource_changes import create, remove
from komodo_tui.headless.session import not_reached, warn_away
from komodo_tui.headless.tables import Cell, Column

if TYPE_CHECKING:
    from komodo_agent.wire.volumes import VolumeFolder
    from komodo_tui.headless.output import Output
    from komodo_tui.headless.session import Runtime, Session

_LIST = (
    Column("NAME", flexible=True),
    Column("SERVER"),
    Column("SIZE", right=True),
    Column("USED BY", flexible=True),
    Column("AGE", right=True),
    Column("ID"),
)
_FILES = (Column("MODE"), Column("OWNER"), Column("SIZE", right=True), Column("CHANGED"), Column("NAME", flexible=True))


class ListedResource(msgspec.Struct, frozen=True, kw_only=True):
    """A resource in ``--json``."""

    server: str
    resource: Resource


async def list_resources(session: Session) -> int:
    """List one kind of all servers."""
    kind = str(session.arguments.verb).removesuffix("s")
    test = parse_resources(" ".join(session.arguments.filter))
    async with session.servers() as runtime:
        listed, reached = await _lists(session.out, runtime)
        found = [row for row in listed if row.resource.kind == kind and test(row.server, row.resource)]
        if session.out.json:
            session.out.document(found)
        else:
            now = time.time()
            session.out.table(_LIST, [_row(row, now) for row in found])
        return ExitCode.DONE if reached else ExitCode.UNREACHABLE


async def _lists(out: Output, runtime: Runtime) -> tuple[list[ListedResource], bool]:
    """What the servers that can be asked have, and whether there were any."""
    warn_away(out, runtime, engines=False)  # those say it themselves
    names = [name for name, live in runtime.fleet.state.servers.items() if live.live]

    async def ask(name: str) -> list[ListedResource] | KomodoError:
        try:
            client = await runtime.fleet.link(name).client()
            return [ListedResource(server=name, resource=resource) for resource in await client.resources()]
        except KomodoError as error:
            return error

    found: list[ListedResource] = []
    failures: list[KomodoError] = []
    for answer in await asyncio.gather(*map(ask, names)):
        if isinstance(answer, KomodoError):
            out.error(answer)
            failures.append(answer)
        else:
            found += answer
    if failures and len(failures) == len(names):
        raise failures[0]
    return found, bool(names) or not runtime.fleet.state.servers


def _row(row: ListedResource, now: float) -> list[Cell]:
    resource = row.resource
    more = f" +{len(resource.tags) - 1}" if len(resource.tags) > 1 else ""
    used = ", ".join(resource.used_by)
    state = "built in" if resource.fixed else "dangling" if resource.dangling else "unused"
    return [
        Cell((resource.name or "<none>") + more),
        Cell(row.server),
        Cell("-" if resource.size is None else bytes_text(resource.size)),
        Cell(used or state, "" if used else "dim"),
        Cell(duration_text(now - resource.created) if resource.created else "-"),
        Cell("" if resource.kind == "volume" else resource.id.removeprefix("sha256:")[:12], "dim"),
    ]


async def prune(session: Session) -> int:
    """Remove what nothing uses."""
    arguments = session.arguments
    if arguments.build_cache:
        return await _clear_cache(session)
    other = arguments.networks or arguments.volumes
    rule = PruneRule(
        images=arguments.images or ("none" if other else "dangling"),
        networks=arguments.networks,
        volumes=arguments.volumes,
        keep_labels=tuple(arguments.keep_label),
        older_than=arguments.older_than,
    )
    async with session.servers() as runtime:
        listed, reached = await _lists(session.out, runtime)
        if not reached:
            raise not_reached("nothing was removed", list(runtime.fleet.state.servers.values()))
        targets = []
        for server in dict.fromkeys(row.server for row in listed):
            resources = [row.resource for row in listed if row.server == server]
            picked = prunable(resources, rule, time.time())
            freed = await _freed(session.out, runtime, server) if picked else {}
            targets += [target_of(server, one, freed=freed.get((one.kind, one.id))) for one in picked]
        if not targets:
            session.out.say("komodo-tui: nothing to remove")
            if session.out.json:
                session.out.document(None)
            return ExitCode.DONE
        return await run(session, runtime, ResourceOperation(verb="prune", targets=tuple(targets)))


async def _clear_cache(session: Session) -> int:
    """Remove what builds left, on every server that can be asked."""
    arguments = session.arguments
    if arguments.images or arguments.networks or arguments.volumes or arguments.keep_label:
        raise UsageError("prune: --build-cache goes alone, or with --older-than")
    async with session.servers() as runtime:
        warn_away(session.out, runtime)
        servers = tuple(name for name, live in runtime.fleet.state.servers.items() if live.engine_live)
        if not servers:
            raise not_reached("nothing was removed", list(runtime.fleet.state.servers.values()))
        spec = ClearBuildCache(older_than=arguments.older_than)
        return await run(session, runtime, ResourceOperation(verb="clear_cache", servers=servers, spec=spec))


async def _freed(out: Output, runtime: Runtime, server: str) -> dict[tuple[str, str], int]:
    """What each removal frees there; nothing where the engine does not say."""
    try:
        usage: DiskUsage = await (await runtime.fleet.link(server).client()).disk_usage()
    except KomodoError as error:
        out.error(error)
        return {}
    return {(item.kind, item.id): item.freed for item in usage.items}


async def volume(session: Session) -> int:
    """Look into a volume, move its content, create or remove one."""
    arguments = session.arguments
    if arguments.volume_verb in ("create", "rm"):
        return await (create if arguments.volume_verb == "create" else remove)(session)
    name, _, server = arguments.volume.rpartition("@")
    if not name:
        raise UsageError(f"volume: {arguments.volume!r} names no server", hint="like data@web-1")

    def only(known: object) -> tuple[str, ...]:
        return (server,)

    async with session.fleet(only) as runtime:
        live = runtime.fleet.state.servers.get(server)
        if live is None:
            raise NotFoundError(f"there is no server {server!r}", hint="`komodo-tui server list` names them")
        if not live.live:
            raise not_reached("nothing was done", [live])
        client = await runtime.fleet.link(server).client()
        if arguments.volume_verb == "ls":
            _print_folder(session.out, await client.volume_folder(name, _hex(arguments.path)))
            return ExitCode.DONE
        used_by = next((r.used_by for r in await client.resources() if (r.kind, r.id) == ("volume", name)), ())
        operation = VolumeOperation(
            verb="download" if arguments.volume_verb == "get" else arguments.volume_verb,
            server=server,
            volume=name,
            file=_absolute(arguments.file),
            path=_hex(getattr(arguments, "path", "")),
            shown=getattr(arguments, "path", ""),
            replace=getattr(arguments, "replace", False),
            used_by=used_by,
        )
        return await run(session, runtime, operation)


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _hex(path: str) -> str:
    return os.fsencode(path.strip("/")).hex()


def _print_folder(out: Output, folder: VolumeFolder) -> None:
    if out.json:
        out.document(folder)
        return
    rows = []
    for file in folder.files:
        link = f" -> {file.link}" if file.kind == "link" else "/" if file.kind == "folder" else ""
        size = bytes_text(file.size) if file.kind == "file" else ""
        cells = (stat.filemode(file.mode)[1:], f"{file.uid}:{file.gid}", size, time_text(file.changed))
        rows.append([*map(Cell, cells), Cell(file.name + link)])
    out.table(_FILES, rows)
    if folder.left_out:
        out.say(f"komodo-tui: {folder.left_out} more are left out")
