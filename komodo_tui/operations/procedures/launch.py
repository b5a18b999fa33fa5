"""Starting a run as a process of its own, the same that cron starts; it goes on whatever becomes of who started it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from komodo_tui.domain.errors import ActError, NotFoundError, RefusedError
from komodo_tui.domain.procedures.journal import RunResumed, RunStarted
from komodo_tui.operations.procedures.start import new_run_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from komodo_tui.store.paths import StateDirectory
    from komodo_tui.store.runs import RunStore

_BEGIN = 30.0
"""Seconds a run may take to begin: its servers are connected first."""
_LOOK = 0.1
_OUTPUTS = 200
"""Files kept of what processes of runs said; how runs went is in their journals."""


async def launch(
    paths: StateDirectory, store: RunStore, name: str, parameters: Mapping[str, str], *, run: str = ""
) -> str:
    """Start a run and wait until it has begun; returns its id, which is ``run`` if given: such a run begins once.

    Raises:
        RefusedError: it did not begin; the message is what its process said.
    """
    run = run or new_run_id()
    given = [word for parameter, value in parameters.items() for word in ("--param", f"{parameter}={value}")]
    return await _start(paths, store, run, ["--run-procedure", name, *given, "--run-id", run, "--lock", "fail"])


async def resume(paths: StateDirectory, store: RunStore, run: str) -> str:
    """Go on with a run whose process is gone. Raises RefusedError."""
    return await _start(paths, store, run, ["--resume", run])


async def again(paths: StateDirectory, store: RunStore, run: str) -> str:
    """Do again what failed in a run; returns the new run's id. Raises RefusedError."""
    new = new_run_id()
    return await _start(paths, store, new, ["--again", run, "--run-id", new])


async def cancel(store: RunStore, run: str) -> None:
    """Ask the process of a run to stop.

    Raises:
        ActError: there is no such process, or it is somebody else's.
    """
    entries = await asyncio.to_thread(store.entries, run)
    pids = [entry.pid for _, _, entry in entries if isinstance(entry, RunStarted | RunResumed)]
    if not await asyncio.to_thread(store.alive, run):
        raise ActError(f"run {run} is not under way", hint="nothing to stop")
    try:
        os.kill(pids[-1], signal.SIGTERM)
    except OSError as error:
        raise ActError(f"the process {pids[-1]} of run {run} cannot be stopped: {error.strerror}") from error


async def _start(paths: StateDirectory, store: RunStore, run: str, words: list[str]) -> str:
    log = store.folder / f"{run}.out"
    argv = [sys.executable, "-m", "komodo_tui", *words]
    environment = {**os.environ, "KOMODO_TUI_HOME": str(paths.root)} if paths.root == paths.config else dict(os.environ)
    with await asyncio.to_thread(_open, log) as output:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, env=environment, cwd="/",
            start_new_session=True,
        )  # fmt: skip
    try:
        async with asyncio.timeout(_BEGIN):
            while not await begun(store, run, words[0]):
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), _LOOK)
                if process.returncode is not None and not await begun(store, run, words[0]):
                    raise RefusedError(await asyncio.to_thread(_said, log) or "the run did not begin")
    except TimeoutError as error:
        raise ActError(f"the run has not begun within {_BEGIN:.0f} s", hint=f"see {log}") from error
    return run


async def begun(store: RunStore, run: str, how: str = "") -> bool:
    """Whether a run has begun; after ``--resume``, whether it goes on. Raises StoreError."""
    if how == "--resume":
        return await asyncio.to_thread(store.alive, run)
    try:
        await asyncio.to_thread(store.get, run)
    except NotFoundError:
        return False
    return True


def _open(path: Path) -> BinaryIO:
    for old in sorted(path.parent.glob("*.out"))[: 1 - _OUTPUTS]:
        old.unlink(missing_ok=True)
    return open(path, "ab", opener=lambda name, flags: os.open(name, flags | os.O_CLOEXEC, 0o600))


def _said(path: Path) -> str:
    text = path.read_text("utf-8", "replace").strip()
    path.unlink(missing_ok=True)
    return " ".join(text.removeprefix("komodo-tui: ").split())[:500]
