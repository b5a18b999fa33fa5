"""Versions, routes and the handshake."""

from __future__ import annotations

import msgspec

PROTOCOL = 1
"""The newest protocol version this code speaks."""

PROTOCOL_MIN = 1
"""The oldest protocol version this code still speaks."""

ROUTE_HELLO = "/hello"
"""GET -> :class:`Hello`. Never versioned: every agent, of any age, answers it."""
ROUTE_HEALTH = "/v1/health"
"""GET -> 204. The ping that tells a frozen agent from a slow network."""
ROUTE_FEED = "/v1/feed"
"""WebSocket: live state, see :mod:`.feed`."""
ROUTE_CONTAINERS = "/v1/containers"
"""GET -> list of :class:`~.models.Container`."""
ROUTE_CONTAINER = "/v1/containers/{id}"
"""GET -> :class:`~.models.ContainerDetail`."""
ROUTE_CONTAINER_TOP = "/v1/containers/{id}/top"
"""GET -> :class:`~.models.ProcessTable`: the processes inside one container."""
ROUTE_CONTAINER_HISTORY = "/v1/containers/{id}/history"
"""GET ?window=seconds -> :class:`~.models.History`."""
ROUTE_HOST_HISTORY = "/v1/history"
"""GET ?window=seconds -> :class:`~.models.History` of the host."""
ROUTE_IMAGES = "/v1/images"
"""GET -> list of :class:`~.models.Image` (for the create form's completion)."""
ROUTE_NETWORKS = "/v1/networks"
"""GET -> list of :class:`~.models.Network`."""
ROUTE_JOBS = "/v1/jobs"
"""POST :class:`~.jobs.JobRequest` -> :class:`~.jobs.Job` (202, or 200 when that id is known already)."""
ROUTE_JOB = "/v1/jobs/{id}"
"""GET -> :class:`~.jobs.Job`. DELETE asks it to stop (204)."""
ROUTE_JOB_LOG = "/v1/jobs/{id}/log"
"""GET ?offset=bytes&wait=seconds -> bytes of the job's log from that offset; waits for more while it runs.

Answers carry ``X-Job-Status`` (:class:`~.jobs.JobStatus`) and ``X-Job-Log-Size``.
"""
ROUTE_COMPOSE_PROJECTS = "/v1/compose/projects"
"""GET -> list of :class:`~.compose.ComposeProject`, running or deployed before; without volumes and networks."""
ROUTE_COMPOSE_PROJECT = "/v1/compose/projects/{id}"
"""GET -> :class:`~.compose.ComposeProject`, asked of the engine now."""
ROUTE_COMPOSE_REVISION = "/v1/compose/projects/{id}/revisions/{number}"
"""GET -> :class:`~.compose.Revision`."""
ROUTE_COMPOSE_PREVIEW = "/v1/compose/preview"
"""POST :class:`~.compose.PreviewRequest` -> :class:`~.compose.ComposePreview`. Changes nothing."""
ROUTE_LOGS = "/v1/logs"
"""WebSocket: container logs, see :mod:`.logs`."""
ROUTE_EXEC = "/v1/exec"
"""WebSocket: a process inside a container, see :mod:`.exec`."""

CLOSE_GONE = 4001
"""WebSocket close code: the container is gone."""
CLOSE_FORBIDDEN = 4002
"""WebSocket close code: this user may not do that."""
CLOSE_STOPPING = 4003
"""WebSocket close code: the agent is stopping; reconnect at once."""


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent says of itself before anything else."""

    product: str = "komodo-agent"
    version: str
    """Version of the agent's code, e.g. ``0.1.0``."""
    protocol: int
    protocol_min: int
    instance: str
    """New at each start of the agent: tells a restart from a reconnect."""
    host_id: str
    """Stays with the machine (from machine-id), so two addresses of one server can be told to be one."""
    hostname: str
    boot_id: str
    python: str
    uid: int
    """The uid the agent runs as."""
    caller_uid: int
    """The uid of the peer, from SO_PEERCRED."""
    features: tuple[str, ...] = ()


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every refused call."""

    code: str
    """Stable word for programs: ``not_found``, ``conflict``, ``engine_unavailable``, ``bad_request``, ``failed``…"""
    message: str
    """What happened, to what."""
    hint: str = ""
    """What to do next; may be empty."""
    retryable: bool = False


def negotiate(hello: Hello) -> int | None:
    """The highest protocol version both sides speak, or None when there is none."""
    version = min(PROTOCOL, hello.protocol)
    return version if version >= max(PROTOCOL_MIN, hello.protocol_min) else None
