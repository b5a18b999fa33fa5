"""``procedure approve``, ``refuse`` and ``stop``: what a person says to a run that is under way."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode, ReadOnlyError
from komodo_tui.domain.procedures.journal import Answer
from komodo_tui.operations.procedures.asking import asks_now
from komodo_tui.operations.procedures.launch import cancel
from komodo_tui.store.runs import RunStore

if TYPE_CHECKING:
    from komodo_tui.headless.session import Session


async def answer(session: Session) -> int:
    """Say yes or no to what a run asks now."""
    arguments, yes = session.arguments, session.arguments.procedure_verb == "approve"
    async with session.runtime() as runtime:
        if runtime.settings.read_only:
            raise ReadOnlyError("answers are refused, read-only mode is on", hint="start without --read-only")
        store = RunStore(runtime.state_dir.runs)
        asking = await asyncio.to_thread(asks_now, store, arguments.run)
        said = Answer(
            stage=asking.stage, step=asking.step, yes=yes, who=str(runtime.actor), at=time.time(), note=arguments.note
        )
        await asyncio.to_thread(store.answer, asking.run, said)
        session.out.say(f"{'approved' if yes else 'refused'}: {asking.question} (run {asking.run})")
    return ExitCode.DONE


async def stop(session: Session) -> int:
    """Stop a run of this machine."""
    async with session.runtime() as runtime:
        if runtime.settings.read_only:
            raise ReadOnlyError("stopping is refused, read-only mode is on", hint="start without --read-only")
        store = RunStore(runtime.state_dir.runs)
        run = (await asyncio.to_thread(store.get, session.arguments.run)).run
        await cancel(store, run)
        session.out.say(f"run {run} was asked to stop; komodo-tui procedure log {run} --follow")
    return ExitCode.DONE
