"""The whole output of builds: fetched from the agent once one has ended, and kept here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError, NotFoundError
from komodo_tui.domain.text import clean
from komodo_tui.operations.build_history import run_of

if TYPE_CHECKING:
    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.build_history import BuildRun
    from komodo_tui.store.build_logs import BuildLogs
    from komodo_tui.store.history import History

_ANSWER = 5.0
"""Seconds a server may take to be there for a log."""


class BuildOutput:
    """The whole output of a build, wherever it is kept."""

    def __init__(self, fleet: FleetManager, logs: BuildLogs, history: History) -> None:
        self._fleet = fleet
        self._logs = logs
        self._history = history

    async def keep(self, record: ActionRecord) -> None:
        """Fetch the whole log from its agent, and keep it. What cannot be had is let go: the history has its end."""
        run = run_of(record)
        if not run.job:
            return
        try:
            log = await self._of_agent(run)
            await asyncio.to_thread(self._logs.write, run.name, run.id, log)
        except KomodoError:
            return

    async def read(self, run: BuildRun) -> str:
        """All of it, or the end of it that the history has.

        Raises:
            StoreError: the history cannot be read.
        """
        kept = await asyncio.to_thread(self._logs.read, run.name, run.id)
        if kept is not None:
            return _text(kept)
        try:
            return _text(await self._of_agent(run))
        except KomodoError:
            record = await asyncio.to_thread(self._history.get, run.id)
            return record.steps[0].output if record.steps else ""

    async def _of_agent(self, run: BuildRun) -> bytes:
        """Raises KomodoError where it is not to be had."""
        client = await self._fleet.link(run.server).client(timeout=_ANSWER)
        if not (await client.job(run.job)).started:
            raise NotFoundError("the agent knows no such job", server=run.server)
        parts: list[bytes] = []
        size = 0
        while True:
            data, _ = await client.job_log(run.job, size)
            if not data:
                return b"".join(parts)
            parts.append(data)
            size += len(data)


def _text(log: bytes) -> str:
    return "\n".join(clean(line) for line in log.decode("utf-8", "replace").split("\n"))
