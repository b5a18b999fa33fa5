"""``sync list``, ``plan``, ``apply``, ``commit``."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.errors import ExitCode, NotConfirmedError
from komodo_tui.domain.syncs import difference, standing
from komodo_tui.domain.units import count_text, time_text
from komodo_tui.headless.acts import print_record, run, submit
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.outcomes import exit_code
from komodo_tui.operations.sync_definitions import SyncDefinitions
from komodo_tui.operations.syncs.applying import SyncApplier, chosen
from komodo_tui.operations.syncs.committing import commit_back
from komodo_tui.operations.syncs.looking import SyncLooker
from komodo_tui.store.yaml_text import yaml_text

if TYPE_CHECKING:
    from komodo_tui.domain.operations import ActionRecord, Plan
    from komodo_tui.domain.syncs import Item, SyncBase, SyncDefinition
    from komodo_tui.headless.output import Tone
    from komodo_tui.headless.session import Runtime, Session
    from komodo_tui.operations.syncs.applying import Drift
    from komodo_tui.operations.syncs.looking import Pending

_COLUMNS = (
    Column("SYNC"), Column("SOURCE", flexible=True), Column("MODE"), Column("COMMIT"), Column("LOOKED"),
    Column("PENDING", right=True), Column("STATE", flexible=True),
)  # fmt: skip


async def sync(session: Session) -> int:
    """Do the verb's own verb."""
    does = {"list": _list, "plan": _plan, "apply": _apply, "commit": _commit}
    return await does[session.arguments.sync_verb](session)


async def _list(session: Session) -> int:
    async with session.runtime() as runtime:
        looker = SyncLooker(runtime, runtime.fleet, runtime.state_dir)
        known = await asyncio.to_thread(SyncDefinitions(runtime.definitions).known)
        found = {name: await asyncio.to_thread(looker.bases.shown, name) for name in known}
    if session.out.json:
        session.out.document([
            {"sync": known[name], "commit": base.commit, "seen": base.seen, "looked": base.looked,
             "applied": base.applied, "pending": base.pending, "conflicts": base.conflicts, "kept": base.kept,
             "drifted": base.drifted, "problem": base.problem}
            for name, base in found.items()
        ])  # fmt: skip
    else:
        session.out.table(_COLUMNS, [_row(known[name], base) for name, base in found.items()])
    return ExitCode.FAILED if any(base.problem for base in found.values()) else ExitCode.DONE


def _row(definition: SyncDefinition, base: SyncBase) -> list[Cell]:
    words, tone = standing(base)
    tones: dict[str, Tone] = {"ok": "good", "warn": "warn", "bad": "bad", "dim": "dim"}
    path = f"/{definition.path}" if definition.path else ""
    return [
        Cell(definition.name),
        Cell((definition.repo or definition.folder) + path),
        Cell("automatic" if definition.automatic else "by hand"),
        Cell(base.seen[:12] or "-"),
        Cell(time_text(base.looked) or "never"),
        Cell(str(len(base.pending)) if base.looked else "-"),
        Cell(words, tones[tone]),
    ]


async def _plan(session: Session) -> int:
    arguments = session.arguments
    async with session.fleet(lambda known: None) as runtime:
        definition, looker, applier = await _parts(session, runtime)
        pending = await looker.look(definition, pull=not arguments.no_pull)
        drifts = await applier.drifts(pending, chosen(pending.items, ())) if definition.deploy else []
        if definition.deploy:
            await applier.drifted(definition, pending, drifts)
    _show(session, pending, drifts)
    return ExitCode.DONE


async def _apply(session: Session) -> int:
    arguments = session.arguments
    async with session.fleet(lambda known: None) as runtime:
        definition, looker, applier = await _parts(session, runtime)
        pending = await looker.look(definition)
        items = chosen(pending.items, arguments.only)
        await asyncio.to_thread(applier.changes_of, pending, items)
        drifts = await applier.drifts(pending, items) if definition.deploy else []
        waits = any(drift.operation is not None for drift in drifts)
        if arguments.dry_run:
            _show(session, pending._replace(items=items), drifts)
            return ExitCode.DONE
        if items or waits:
            await _agreed(session, pending._replace(items=items), drifts)

        async def do(plan: Plan) -> ActionRecord:
            record = await submit(session, runtime, plan, plan.phrase or True)
            if not session.out.json:
                print_record(session.out, record)
            return record

        done = await applier.apply(definition, pending, items, do)
        if session.out.json:
            session.out.document(done.records)
        else:
            _tell_kept(session, [item for item in pending.items if item not in items], anything=bool(done.records))
        if done.left:
            session.out.say(f"komodo-tui: not begun, after a failure: {', '.join(done.left)}")
            return ExitCode.PARTLY_FAILED if len(done.records) > 1 else ExitCode.FAILED
        return next((code for code in map(exit_code, done.records) if code), ExitCode.DONE)


def _tell_kept(session: Session, kept: list[Item], *, anything: bool) -> None:
    """What was not applied since it wants a decision, and how that is taken; what the sync is to leave is no news."""
    waiting = [item for item in kept if item.held or item.state in ("here", "conflict")]
    if not anything and not waiting:
        session.out.line("nothing to do")
    for item in waiting:
        session.out.say(f"komodo-tui: not applied: {_words(item)}")
    first = next((item for item in waiting if not item.held), None)
    if first is not None:
        name = session.arguments.name
        only = f"{name} --only '{first.kind} {first.name}'"
        session.out.say(f"  as the files say: komodo-tui sync apply {only} --yes")
        session.out.say(f"  as it is here: komodo-tui sync commit {only} -m MESSAGE --yes")


async def _commit(session: Session) -> int:
    arguments = session.arguments
    async with session.fleet(lambda known: None) as runtime:
        definition, looker, _ = await _parts(session, runtime)
        pending = await looker.look(definition)
        items = chosen(pending.items, arguments.only) if arguments.only else [
            item for item in pending.items if item.state == "here"
        ]  # fmt: skip
        who = runtime.actor.sudo_user or runtime.actor.name
        operation = await asyncio.to_thread(
            commit_back, definition, pending, items, runtime.definitions, message=arguments.message,
            author=arguments.author or f"{who} <{who}@{socket.gethostname()}>",
        )  # fmt: skip
        code = await run(session, runtime, operation)
        if code == ExitCode.DONE and not arguments.dry_run:
            await looker.look(definition)
        return code


async def _parts(session: Session, runtime: Runtime) -> tuple[SyncDefinition, SyncLooker, SyncApplier]:
    definitions = SyncDefinitions(runtime.definitions)
    definition = (await asyncio.to_thread(definitions.stored, session.arguments.name)).value
    looker = SyncLooker(runtime, runtime.fleet, runtime.state_dir)
    return definition, looker, SyncApplier(runtime, runtime.executor, runtime.preparer, looker)


async def _agreed(session: Session, pending: Pending, drifts: list[Drift]) -> None:
    """One question for all of it. Raises NotConfirmedError."""
    if session.arguments.yes:
        return
    title = f"apply {count_text(len(pending.items), 'change')}"
    if not session.asking.possible:
        raise NotConfirmedError(f"{title}: not confirmed", hint="nobody can be asked here: add --yes")
    for line in _lines(pending, drifts):
        session.out.say(line)
    if (await session.asking.ask(f"{title.capitalize()}? [y/N] ") or "").strip().lower() not in ("y", "yes"):
        raise NotConfirmedError(f"{title}: not confirmed")


def _show(session: Session, pending: Pending, drifts: list[Drift]) -> None:
    if session.out.json:
        session.out.document({
            "commit": pending.source.commit,
            "items": [_document(pending, item) for item in pending.items],
            "deploys": [_deploy(drift) for drift in drifts if drift.operation is not None or drift.problem],
        })  # fmt: skip
        return
    for item in pending.items:
        session.out.line(_words(item))
        for line in difference(item, yaml_text).splitlines()[2:]:
            session.out.line(f"    {line}")
    for drift in drifts:
        if drift.operation is not None or drift.problem:
            session.out.line(_deploy_words(drift))
    if not pending.items and not any(drift.operation or drift.problem for drift in drifts):
        session.out.line("nothing differs")


def _lines(pending: Pending, drifts: list[Drift]) -> list[str]:
    return [*map(_words, pending.items), *(_deploy_words(d) for d in drifts if d.operation is not None)]


def _words(item: Item) -> str:
    return f"{item}" + (f"  ({item.note})" if item.note else "")


def _deploy_words(drift: Drift) -> str:
    if drift.problem:
        return f"{drift.name}: it cannot be told what a deploy would change: {drift.problem}"
    servers = [target.server for target in drift.operation.targets] if drift.operation is not None else []
    return f"deploy {drift.name} on {', '.join(servers)}"


def _document(pending: Pending, item: Item) -> dict[str, Any]:
    return {"verb": item.verb, "kind": item.kind, "name": item.name, "state": item.state, "note": item.note,
            "file": pending.places.get(item.key, ""), "diff": difference(item, yaml_text)}  # fmt: skip


def _deploy(drift: Drift) -> dict[str, Any]:
    servers = [target.server for target in drift.operation.targets] if drift.operation is not None else []
    return {"name": drift.name, "servers": servers, "problem": drift.problem}
