"""Commands as jobs: see :mod:`~komodo_agent.wire.tasks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..wire.tasks import ClearLog, ExecTask
from .clear import clear_log
from .execute import execute
from .host import run_on_host

if TYPE_CHECKING:
    from ..engine.client import Engine
    from ..jobs import JobContext
    from ..wire.tasks import TaskJob


def describe_task(engine: Engine, spec: TaskJob) -> tuple[str, str]:
    """The kind of the job, and what it acts on."""
    if isinstance(spec, ExecTask | ClearLog):
        known = engine.container(spec.container)
        name = known.name if known else spec.container[:12]
        return ("exec" if isinstance(spec, ExecTask) else "clear_log"), name
    return "run", spec.command[0] if spec.command else ""


async def run_task(engine: Engine, context: JobContext, spec: TaskJob) -> None:
    """Do it.

    Raises:
        AgentError: it was refused, could not start, or ended with another status than 0.
    """
    if isinstance(spec, ExecTask):
        await execute(engine, context, spec)
    elif isinstance(spec, ClearLog):
        await clear_log(engine, context, spec)
    else:
        await run_on_host(context, spec)
