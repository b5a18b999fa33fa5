"""The user's own commands after a clone or a pull: part of the same job, run as the user who asks for it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..tasks.host import run_on_host
from ..wire.tasks import RunTask

if TYPE_CHECKING:
    from pathlib import Path

    from ..jobs import JobContext
    from ..wire.repos import RepoJob


async def run_after(
    step: str, commands: tuple[tuple[str, ...], ...], context: JobContext, spec: RepoJob, files: Path,
    commits: tuple[str, str],
) -> None:  # fmt: skip
    """One after the other, in the folder of the files; ``commits``: what was checked out before, and what is now.

    Raises:
        AgentError: one failed, and those after it were not begun. The files stay as the clone or pull left them.
    """
    environment = {
        "KOMODO_REPO": spec.name, "KOMODO_BRANCH": spec.source.branch, "KOMODO_BEFORE": commits[0],
        "KOMODO_COMMIT": commits[1],
    }  # fmt: skip
    for words in commands:
        context.progress(step)
        task = RunTask(command=words, directory=str(files), environment=environment, timeout=spec.timeout)
        try:
            await run_on_host(context, task)
        except AgentError as error:
            raise AgentError(
                error.code, f"{step}: {shlex.join(words)[:200]}: {error}",
                hint=f"{commits[1][:12]} is checked out all the same; pull again to run the commands again",
            ) from error  # fmt: skip
