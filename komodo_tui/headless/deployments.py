"""``deployment list``, ``deployment from`` and ``deployment remove``: the definitions of single containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode, UsageError
from komodo_tui.domain.single import DefineDeploymentOperation
from komodo_tui.domain.units import count_text
from komodo_tui.headless.acts import run
from komodo_tui.headless.session import pick
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.definition_files import plain
from komodo_tui.operations.deployment_definitions import definition_of
from komodo_tui.store.yaml_text import yaml_text

if TYPE_CHECKING:
    from komodo_tui.headless.session import Session

_COLUMNS = (Column("NAME"), Column("IMAGE", flexible=True), Column("SERVERS", flexible=True), Column("PORTS"))


async def deployment(session: Session) -> int:
    """Do the verb's own verb."""
    return await {"list": _list, "remove": _remove, "from": _from}[session.arguments.deployment_verb](session)


async def _list(session: Session) -> int:
    async with session.runtime() as runtime:
        known = runtime.deployments.known()
    if session.out.json:
        session.out.document(list(known.values()))
        return ExitCode.DONE
    rows = [
        [Cell(d.name, "bold"), Cell(d.image or f"build {d.build}"), Cell(" ".join(d.servers)), Cell(" ".join(d.ports))]
        for d in known.values()
    ]
    session.out.table(_COLUMNS, rows)
    return ExitCode.DONE


async def _from(session: Session) -> int:
    """Print the definition that a container could be deployed from; nothing is changed."""
    arguments = session.arguments
    async with session.servers() as runtime:
        found = pick(runtime, [arguments.container])
        if len(found) != 1:
            raise UsageError(f"{arguments.container} means {count_text(len(found), 'container')}", hint="name one")
        server, container = found[0]
        definition = await definition_of(await runtime.fleet.link(server).client(), server, container, arguments.name)
    document = {"deployments": [plain(definition)]}
    if session.out.json:
        session.out.document(document)
    else:
        for line in yaml_text(document).splitlines():
            session.out.line(line)
    return ExitCode.DONE


async def _remove(session: Session) -> int:
    async with session.runtime() as runtime:
        stored = runtime.deployments.stored(session.arguments.name)
        operation = DefineDeploymentOperation(verb="remove", name=stored.value.name, rev=stored.rev)
        return await run(session, runtime, operation)
