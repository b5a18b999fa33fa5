"""Takes the messages of a server's feed into what is known of it. Pure: no clock, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from komodo_agent.wire.feed import (
    ContainersChanged,
    EngineChanged,
    FilesystemsChanged,
    JobChanged,
    Processes,
    Samples,
    Snapshot,
)
from komodo_tui.fleet.changes import FleetEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from komodo_agent.wire.feed import FeedMessage
    from komodo_agent.wire.jobs import Job
    from komodo_agent.wire.models import Container, ContainerSample, Engine, HostSample, Oom
    from komodo_tui.fleet.changes import Changes, EventKind
    from komodo_tui.fleet.live import ServerLive

_JOBS_KEPT = 200
"""Ended jobs beyond this many are forgotten, oldest first; the agent keeps their logs."""

_MEASURED = frozenset({"running", "paused"})
"""States of containers that have figures; a look may still bring those of one that has just ended."""


def reduce(live: ServerLive, message: FeedMessage, changes: Changes) -> None:
    """Apply one message and note what it changed."""
    _REDUCERS[type(message)](live, message, changes)


def _snapshot(live: ServerLive, message: Snapshot, changes: Changes) -> None:
    known = live.host is not None
    live.host = message.host
    if known:
        _note_engine(live, message.engine, changes)
    live.engine = message.engine
    live.filesystems = message.filesystems
    new = {container.id: container for container in message.containers}
    for container in message.containers:
        _put(live, container, changes, news=known)
    for container_id in [c for c in live.containers if c not in new]:
        _drop(live, container_id, changes, news=known)
    changes.structure |= list(live.containers) != list(new)
    live.containers = new  # the agent's order
    changes.containers.update((live.name, container_id) for container_id in live.samples if container_id in new)
    live.samples = {}
    _take_samples(live, message.samples, changes)
    _take_ooms(live, message.ooms)
    if message.sample is not None:
        _take_host(live, message.sample)
    told = {job.id for job in message.jobs}
    for job_id in [job.id for job in live.jobs.values() if not job.ended and job.id not in told]:
        del live.jobs[job_id]  # it ended unseen: its agent was away, or has forgotten it
    for job in message.jobs:
        _take_job(live, job, changes, news=known)


def _engine(live: ServerLive, message: EngineChanged, changes: Changes) -> None:
    _note_engine(live, message.engine, changes)
    live.engine = message.engine
    if message.engine.status != "up":
        live.samples = {}
    changes.containers.update((live.name, container) for container in live.containers)


def _containers(live: ServerLive, message: ContainersChanged, changes: Changes) -> None:
    _take_ooms(live, message.ooms)
    for container in message.changed:
        _put(live, container, changes, news=True)
    for container_id in message.removed:
        _drop(live, container_id, changes, news=True)


def _take_ooms(live: ServerLive, ooms: Iterable[Oom]) -> None:
    live.ooms.extend(oom for oom in ooms if oom not in live.ooms)  # a snapshot repeats what is known


def _samples(live: ServerLive, message: Samples, changes: Changes) -> None:
    if message.host is not None:
        _take_host(live, message.host)
    _take_samples(live, message.containers, changes)
    if message.devices:
        live.devices = message.devices


def _filesystems(live: ServerLive, message: FilesystemsChanged, _changes: Changes) -> None:
    live.filesystems = message.filesystems


def _processes(live: ServerLive, message: Processes, _changes: Changes) -> None:
    live.processes = message.processes


def _job(live: ServerLive, message: JobChanged, changes: Changes) -> None:
    _take_job(live, message.job, changes, news=True)


def _take_host(live: ServerLive, sample: HostSample) -> None:
    live.sample = sample
    live.cpu_history.append(sample.cpu)


def _take_samples(live: ServerLive, samples: Mapping[str, ContainerSample], changes: Changes) -> None:
    containers = live.containers
    live.samples.update(
        {
            container_id: sample
            for container_id, sample in samples.items()
            if (container := containers.get(container_id)) is not None and container.state in _MEASURED
        }
    )
    if samples:
        changes.figures.add(live.name)


def _take_job(live: ServerLive, job: Job, changes: Changes, *, news: bool) -> None:
    before = live.jobs.pop(job.id, None)
    live.jobs[job.id] = job
    if len(live.jobs) > _JOBS_KEPT:
        ended = next((key for key, old in live.jobs.items() if old.ended), None)
        if ended is not None:
            del live.jobs[ended]
    if news and job.ended and (before is None or not before.ended):
        _event(live, changes, "job", f"{job.kind} {job.target}: {job.status}")


def _put(live: ServerLive, container: Container, changes: Changes, *, news: bool) -> None:
    """Keep a container; ``news`` tells whether it is worth an event."""
    before = live.containers.get(container.id)
    if before == container:
        return
    live.containers[container.id] = container
    changes.containers.add((live.name, container.id))
    changes.removed.discard((live.name, container.id))
    if before is None:
        changes.structure = True
    if container.state not in _MEASURED:
        live.samples.pop(container.id, None)
    text = _container_news(before, container)
    if text and news:
        _event(live, changes, "container", text)


def _drop(live: ServerLive, container_id: str, changes: Changes, *, news: bool) -> None:
    container = live.containers.pop(container_id, None)
    live.samples.pop(container_id, None)
    if container is None:
        return
    changes.removed.add((live.name, container_id))
    changes.containers.discard((live.name, container_id))
    changes.structure = True
    if news:
        _event(live, changes, "container", f"{container.name} removed")


def _container_news(before: Container | None, now: Container) -> str:
    if before is None:
        return f"{now.name} created" if now.state == "created" else f"{now.name} {now.state}"
    if now.name != before.name:
        return f"{before.name} renamed to {now.name}"
    if now.state != before.state:
        if now.state == "exited" and now.exit_code is not None:
            killed = ", out of memory" if now.oom_killed else ""
            return f"{now.name} exited ({now.exit_code}{killed})"
        return f"{now.name} started" if now.state == "running" else f"{now.name} {now.state}"
    if now.health != before.health and now.health in ("unhealthy", "healthy") and before.health:
        return f"{now.name} {now.health}"
    if now.state == "running" and now.started > before.started:
        return f"{now.name} restarted"
    return ""


def _note_engine(live: ServerLive, engine: Engine, changes: Changes) -> None:
    if live.engine is not None and engine.status != live.engine.status:
        why = f": {engine.message}" if engine.message else ""
        _event(live, changes, "engine", f"{engine.name} is {engine.status}{why}")


def _event(live: ServerLive, changes: Changes, kind: EventKind, text: str) -> None:
    changes.events.append(FleetEvent(live.seen, live.name, kind, text))


_REDUCERS: dict[type, Callable[[ServerLive, Any, Changes], None]] = {
    Snapshot: _snapshot,
    EngineChanged: _engine,
    ContainersChanged: _containers,
    Samples: _samples,
    FilesystemsChanged: _filesystems,
    Processes: _processes,
    JobChanged: _job,
}
