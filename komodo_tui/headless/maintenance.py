"""``alerts``: maintenance that comes again, beside the mutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.alerts import DefineAlertingOperation
from komodo_tui.domain.durations import span_text
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.maintenance import MaintenanceDefinition, upcoming
from komodo_tui.domain.units import time_text
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.alerts.acts import mute_text
from komodo_tui.operations.alerts.definitions import MaintenanceDefinitions

if TYPE_CHECKING:
    from argparse import Namespace

    from komodo_tui.domain.alerts import Mute
    from komodo_tui.headless.session import Runtime, Session

_COLUMNS = (
    Column("ID"),
    Column("WHAT", flexible=True),
    Column("FROM"),
    Column("UNTIL"),
    Column("WHO", flexible=True),
    Column("WHY", flexible=True),
)


def defined(mute: Mute, arguments: Namespace, runtime: Runtime) -> DefineAlertingOperation:
    """A mute that comes again, as maintenance of the name given; one that is there is changed. Raises UsageError."""
    if not arguments.name:
        raise UsageError("maintenance needs a name", hint="--as NAME, by which it is changed and forgotten")
    definition = MaintenanceDefinition(
        name=arguments.name,
        when=f"{arguments.every} for {span_text(arguments.span)}",
        zone=arguments.zone,
        servers=(mute.server,),
        tags=tuple(arguments.tag),
        kinds=(mute.kind,) if mute.kind else (),  # type: ignore[arg-type]  # one of those there are
        names=(mute.what,),
        description=arguments.note,
    )
    known = MaintenanceDefinitions(runtime.definitions)
    there = known.find(arguments.name) is not None
    return DefineAlertingOperation(
        verb="edit" if there else "add", kind="maintenance", name=arguments.name,
        definition=msgspec.to_builtins(definition), rev=known.stored(arguments.name).rev if there else None,
    )  # fmt: skip


def forgotten(name: str, runtime: Runtime) -> DefineAlertingOperation:
    """Maintenance that does not come again. Raises NotFoundError."""
    rev = MaintenanceDefinitions(runtime.definitions).stored(name).rev
    return DefineAlertingOperation(verb="remove", kind="maintenance", name=name, rev=rev)


def list_mutes(session: Session, runtime: Runtime, now: float) -> None:
    """Mutes, and the next of each maintenance. Reads the stores."""
    mutes = runtime.alerts.mutes(now)
    known = MaintenanceDefinitions(runtime.definitions).known().values()
    spans = upcoming(known, now)
    if session.out.json:
        session.out.document({
            "mutes": mutes,
            "maintenance": [
                {**msgspec.to_builtins(each), "begins": begins, "ends": ends, "on": begins <= now}
                for begins, ends, each in spans
            ],
        })  # fmt: skip
        return
    rows = [
        [str(m.id), mute_text(m), time_text(m.starts), time_text(m.until), m.who, m.reason] for m in mutes
    ]  # fmt: skip
    rows += [
        [each.name, each.what(), time_text(begins), time_text(ends), each.when, each.description]
        for begins, ends, each in spans
    ]
    rows += [
        [each.name, each.what(), "", "", f"off: {each.when}", each.description] for each in known if not each.enabled
    ]
    session.out.table(_COLUMNS, [[*map(Cell, row)] for row in rows])
