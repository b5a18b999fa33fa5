"""``plan``, ``apply`` and ``export``: definitions from YAML files, and to them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode, NotConfirmedError
from komodo_tui.domain.units import count_text
from komodo_tui.headless.acts import print_record, submit
from komodo_tui.operations.definition_files import changes, exported, planned
from komodo_tui.operations.outcomes import exit_code
from komodo_tui.store.atomic import write_atomic
from komodo_tui.store.fleet_files import read_fleet
from komodo_tui.store.yaml_text import yaml_text

if TYPE_CHECKING:
    from komodo_tui.domain.operations import Plan
    from komodo_tui.headless.session import Session
    from komodo_tui.operations.definition_files import Change
    from komodo_tui.store.fleet_files import FleetFile


async def plan(session: Session) -> int:
    """What ``apply`` would change."""
    async with session.runtime() as runtime:
        found = changes(runtime, _wanted(session), delete=session.arguments.delete)
        _show(session, found)
    return ExitCode.DONE


async def apply(session: Session) -> int:
    """Change the definitions, each through the executor; nothing where anything in the files is wrong."""
    arguments = session.arguments
    async with session.runtime() as runtime:
        found = changes(runtime, _wanted(session), delete=arguments.delete)
        plans = planned(runtime.executor, found)
        if arguments.dry_run or not found:
            _show(session, found)
            return ExitCode.DONE
        await _confirmed(session, plans, found)
        records = []
        for change in found:
            made = runtime.executor.plan(change.operation)  # anew: what went before may have changed what it has to do
            records.append(await submit(session, runtime, made, made.phrase or True))
        if session.out.json:
            session.out.document(records)
        else:
            for record in records:
                print_record(session.out, record)
        return next((code for code in map(exit_code, records) if code), ExitCode.DONE)


async def export(session: Session) -> int:
    """The definitions as YAML that ``apply`` takes."""
    arguments = session.arguments
    async with session.runtime() as runtime:
        found = exported(runtime, arguments.kind, arguments.name)
    if session.out.json:
        session.out.document(found)
        return ExitCode.DONE
    text = yaml_text(found) if found else "{}\n"
    if arguments.output:
        await asyncio.to_thread(write_atomic, Path(arguments.output), text.encode("utf-8", "surrogateescape"))
    else:
        for line in text.splitlines():
            session.out.line(line)
    return ExitCode.DONE


def _wanted(session: Session) -> FleetFile:
    return read_fleet([Path(path) for path in session.arguments.file])


def _show(session: Session, found: list[Change]) -> None:
    lines = [str(change) for change in found]
    if session.out.json:
        session.out.document({"changes": lines})
        return
    for text in lines or ["nothing to change"]:
        session.out.line(text)


async def _confirmed(session: Session, plans: list[Plan], found: list[Change]) -> None:
    """One question for all; raises NotConfirmedError."""
    arguments = session.arguments
    if arguments.yes or (len(plans) == len(found) and all(made.confirm == "none" for made in plans)):
        return
    title = f"apply {count_text(len(found), 'change')}"
    if not session.asking.possible:
        raise NotConfirmedError(f"{title}: not confirmed", hint="nobody can be asked here: add --yes")
    for change in found:
        session.out.say(str(change))
    answer = await session.asking.ask(f"{title.capitalize()}? [y/N] ")
    if (answer or "").strip().lower() not in ("y", "yes"):
        raise NotConfirmedError(f"{title}: not confirmed")
