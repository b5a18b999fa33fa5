"""``diff``, ``stack list``, ``stack revisions``, ``stack remove``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.domain.errors import ExitCode
from komodo_tui.domain.stack_drift import four_way
from komodo_tui.domain.stacks import DefineStackOperation
from komodo_tui.domain.units import time_text
from komodo_tui.headless.acts import run
from komodo_tui.headless.session import warn_away
from komodo_tui.headless.stack_arguments import STACK_ACTS
from komodo_tui.headless.stacks import act, on_stack
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.stack_plans import details, file_diff, summary

if TYPE_CHECKING:
    from komodo_agent.wire.compose import ComposePreview, ComposeProject
    from komodo_tui.domain.stack_drift import FourWay
    from komodo_tui.headless.output import Output, Tone
    from komodo_tui.headless.session import Session

_DEPLOYMENTS = (
    Column("STACK"), Column("SERVER"), Column("PROJECT"), Column("STATE", flexible=True), Column("REVISION"),
    Column("DRIFT", flexible=True),
)  # fmt: skip
_SIDES = (
    Column("SERVICE"), Column("RUNNING", flexible=True), Column("DEPLOYED"), Column("DEFINITION"), Column("GIT"),
)  # fmt: skip
_REVISIONS = (
    Column("SERVER"), Column("REVISION"), Column("OUTCOME"), Column("WHEN"), Column("WHO", flexible=True),
    Column("WHY", flexible=True),
)  # fmt: skip


async def diff(session: Session) -> int:
    """Definition against what is deployed, and what is deployed against what runs."""
    async with on_stack(session) as (runtime, stack, servers):
        previews = await asyncio.gather(*(runtime.preparer.preview(stack, server) for server in servers))
        clients = [await runtime.fleet.link(server).client() for server in servers]
        projects = await asyncio.gather(*(_project(client, stack.project_name) for client in clients))
    found = list(zip(servers, previews, projects, strict=True))
    differs = any(preview.changes or _drift(project) for _, preview, project in found)
    if session.out.json:
        session.out.document(
            [
                {
                    "server": s,
                    "preview": msgspec.structs.replace(p, last_good_templates={}),
                    "drift": _drift(d),
                    "services": four_way(d, p),
                }
                for s, p, d in found
            ]
        )
    else:
        for server, preview, project in found:
            _print(session.out, server, preview, project)
    return ExitCode.FAILED if differs else ExitCode.DONE


async def _project(client: Any, name: str) -> ComposeProject | None:
    from komodo_tui.domain.errors import NotFoundError

    try:
        found: ComposeProject = await client.compose_project(name)
    except NotFoundError:
        return None
    return found


def _drift(project: ComposeProject | None) -> dict[str, str]:
    """By service: how what runs differs from what was deployed."""
    return {service.service: service.drift for service in project.services if service.drift} if project else {}


def _print(out: Output, server: str, preview: ComposePreview, project: ComposeProject | None) -> None:
    out.line(f"{server}: {summary(preview)}")
    out.table(_SIDES, [_sides(row) for row in four_way(project, preview)])
    for line in details(preview):
        out.line(f"  {line}")
    for file in preview.files:
        for line in file_diff(file).splitlines():
            out.line(f"  {line}")
    for service, words in _drift(project).items():
        out.line(f"  drift of {service}: {words}")
    for words in (*preview.conflicts, *preview.warnings):
        out.line(f"  ! {words}")


def _sides(row: FourWay) -> list[Cell]:
    def tone(side: str) -> Tone:
        return "warn" if side in row.differs else ""

    return [
        Cell(row.service, "bold"), Cell(row.running, tone("running")), Cell(row.deployed),
        Cell(row.definition, tone("definition")), Cell(row.git, tone("git")),
    ]  # fmt: skip


async def stack(session: Session) -> int:
    """Do the verb's own verb."""
    verbs = {"list": _list, "revisions": _revisions, "remove": _remove, **dict.fromkeys(STACK_ACTS, act)}
    return await verbs[session.arguments.stack_verb](session)


async def _list(session: Session) -> int:
    async with session.servers() as runtime:
        known = runtime.deployables.known()
        live = [name for name, server in runtime.fleet.state.servers.items() if server.live]
        clients = [await runtime.fleet.link(name).client() for name in live]
        answers = await asyncio.gather(*(client.compose_projects() for client in clients))
        warn_away(session.out, runtime)
    rows = [(server, project) for server, projects in zip(live, answers, strict=True) for project in projects]
    if session.out.json:
        stacks = [{"name": s.name, "servers": s.servers, "project": s.project_name} for s in known.values()]
        session.out.document({"stacks": stacks, "deployments": [{"server": s, "project": p} for s, p in rows]})
        return ExitCode.DONE
    by_project = {s.project_name: s.name for s in known.values()}
    cells = [_row(server, project, by_project.get(project.name, "")) for server, project in rows]
    seen = {by_project.get(project.name) for _, project in rows}
    for s in known.values():
        if s.name not in seen:
            words = (" ".join(s.servers), s.project_name, "not deployed", "", "")
            cells.append([Cell(s.name, "bold"), *map(Cell, words)])
    session.out.table(_DEPLOYMENTS, cells)
    return ExitCode.DONE


def _row(server: str, project: ComposeProject, name: str) -> list[Cell]:
    states = [f"{service.service} {service.state}" for service in project.services]
    well = bool(states) and all(service.state in ("running", "running (healthy)") for service in project.services)
    down = not any(service.containers for service in project.services)
    drift = "" if down else ", ".join(service.service for service in project.services if service.drift)
    revision = project.revisions[0] if project.revisions else None
    number = f"{revision.number} {revision.outcome.replace('_', ' ')}" if revision else "-"
    state = f"files in {project.working_dir}" if project.found else "down" if down else ", ".join(states)
    return [
        Cell(name or "(not a stack)", "bold" if name else "dim"), Cell(server), Cell(project.name),
        Cell(state, "good" if well else "warn"), Cell(number), Cell(drift, "warn"),
    ]  # fmt: skip


async def _revisions(session: Session) -> int:
    async with on_stack(session) as (runtime, definition, servers):
        clients = [await runtime.fleet.link(server).client() for server in servers]
        projects = await asyncio.gather(*(_project(client, definition.project_name) for client in clients))
    rows = [(server, r) for server, p in zip(servers, projects, strict=True) if p for r in p.revisions]
    if session.out.json:
        session.out.document([{"server": server, "revision": revision} for server, revision in rows])
    else:
        cells = [
            [Cell(server), Cell(str(r.number)), Cell(r.outcome.replace("_", " ")), Cell(time_text(r.started)),
             Cell(r.actor), Cell(r.error)]
            for server, r in rows
        ]  # fmt: skip
        session.out.table(_REVISIONS, cells)
    return ExitCode.DONE


async def _remove(session: Session) -> int:
    async with session.runtime() as runtime:
        stored = runtime.stacks.stored(session.arguments.name)
        operation = DefineStackOperation(verb="remove", name=stored.value.name, rev=stored.rev)
        return await run(session, runtime, operation)
