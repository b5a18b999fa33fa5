"""What a target that is under way writes, asked of its agent while somebody looks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.text import clean
from komodo_tui.operations.intents import read_intent

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.operations import Target
    from komodo_tui.ui.runtime import Runtime

_PATIENCE = 5.0
_WAIT = 1.0
_AGAIN = 1.0
KEPT = 64 << 10
"""Characters of the newest output that are shown."""


async def follow_output(runtime: Runtime, action: str, target: Target, show: Callable[[str], None]) -> None:
    """Show the output of a target's act as it grows, until it ends there; cancel it to stop."""
    job = ""
    while not job:
        job = await asyncio.to_thread(_job_of, runtime, action, target)
        if not job:
            await asyncio.sleep(_AGAIN)  # the act is about to be written down
    text, offset = "", 0
    while True:
        try:
            client = await runtime.fleet.link(target.server).client(_PATIENCE)
            data, status = await client.job_log(job, offset, _WAIT)
        except KomodoError as error:
            show(f"{text}\n({error.message})")
            await asyncio.sleep(_AGAIN)
            continue
        offset += len(data)
        if data:
            text = (text + clean(data.decode("utf-8", "replace"), keep_newlines=True))[-KEPT:]
            show(text)
        elif status in ("succeeded", "failed", "cancelled"):
            return


def _job_of(runtime: Runtime, action: str, target: Target) -> str:
    """The agent's job for this target of an act; empty where there is none yet."""
    try:
        record = runtime.history.get(action)
    except KomodoError:
        return ""
    jobs = read_intent(record).jobs
    for job, known in zip(jobs, record.targets, strict=False):
        if known.server == target.server and (not known.id or not target.id or known.id == target.id):
            return job
    return ""
