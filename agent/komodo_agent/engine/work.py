"""Which code does which job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..registry.acts import describe_registry_job, run_registry_job
from ..tasks import describe_task, run_task
from ..wire.jobs import ContainerAct, CreateContainer
from ..wire.registry import RegistryJob
from ..wire.tasks import TaskJob
from .acts import act
from .create import create
from .resource_acts import describe_resource_job, run_resource_job

if TYPE_CHECKING:
    from ..jobs import JobContext
    from ..wire.jobs import EngineJob
    from .client import Engine


def describe(engine: Engine, spec: EngineJob) -> tuple[str, str]:
    """The kind of a job (``restart``, ``create``…) and what it acts on, as far as that is known before it runs."""
    if isinstance(spec, ContainerAct):
        known = engine.container(spec.container)
        return spec.verb, known.name if known else spec.container[:12]
    if isinstance(spec, CreateContainer):
        return "create", spec.name or spec.image
    if isinstance(spec, TaskJob):
        return describe_task(engine, spec)
    if isinstance(spec, RegistryJob):
        return describe_registry_job(spec)
    return describe_resource_job(spec)


async def run_job(engine: Engine, context: JobContext, spec: EngineJob) -> None:
    """Do the work of a job.

    Raises:
        AgentError: it was refused or failed.
    """
    if isinstance(spec, ContainerAct):
        await act(engine, context, spec)
    elif isinstance(spec, CreateContainer):
        await create(engine, context, spec)
    elif isinstance(spec, TaskJob):
        await run_task(engine, context, spec)
    elif isinstance(spec, RegistryJob):
        await run_registry_job(engine, context, spec)
    else:
        await run_resource_job(engine, context, spec)
