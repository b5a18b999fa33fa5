"""``deployment list`` and ``deployment remove``: the definitions of single containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode
from komodo_tui.domain.single import DefineDeploymentOperation
from komodo_tui.headless.acts import run
from komodo_tui.headless.tables import Cell, Column

if TYPE_CHECKING:
    from komodo_tui.headless.session import Session

_COLUMNS = (Column("NAME"), Column("IMAGE", flexible=True), Column("SERVERS", flexible=True), Column("PORTS"))


async def deployment(session: Session) -> int:
    """Do the verb's own verb."""
    return await {"list": _list, "remove": _remove}[session.arguments.deployment_verb](session)


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


async def _remove(session: Session) -> int:
    async with session.runtime() as runtime:
        stored = runtime.deployments.stored(session.arguments.name)
        operation = DefineDeploymentOperation(verb="remove", name=stored.value.name, rev=stored.rev)
        return await run(session, runtime, operation)
