"""End a process in a container whose terminal is gone. The engine does not: an exec'd process outlives its connection.

As a terminal does, everything in the process's session is hung up (SIGHUP); the process itself is killed if that
does not end it. What ignores a hangup on purpose (``nohup``) goes on, as it would over SSH.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aiodocker import DockerError

from .errors import engine_errors

if TYPE_CHECKING:
    from .client import Engine

_PATIENCE = 2.0
_LOOK_EVERY = 0.05


class HostProcess(NamedTuple):
    """A process as the host sees it. The start time tells it from a later one of the same number."""

    pid: int
    started: int
    session: int


def find(pid: int, container_id: str) -> HostProcess | None:
    """The host's process of this number, if it is in this container; None when this agent cannot see it so."""
    process = _look(pid)
    if process is None:
        return None
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return None
    return process if container_id in groups else None


def alive(process: HostProcess) -> bool:
    """Whether this very process still runs."""
    now = _look(process.pid)
    return now is not None and now.started == process.started


async def hang_up(engine: Engine, container_id: str, process: HostProcess) -> None:
    """End the process and its session. Falls back to a ``kill`` inside the container where the host's is refused.

    Raises:
        AgentError: neither way worked.
    """
    inside = _pid_inside(process.pid)
    if not alive(process):
        return
    try:
        await asyncio.to_thread(_signal_session, process)
        for _ in range(round(_PATIENCE / _LOOK_EVERY)):
            if not alive(process):
                return
            await asyncio.sleep(_LOOK_EVERY)
        os.kill(process.pid, signal.SIGKILL)
    except PermissionError:
        await _kill_inside(engine, container_id, inside)
    except ProcessLookupError:
        return


def _look(pid: int) -> HostProcess | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    if fields[0] in ("Z", "X"):
        return None
    return HostProcess(pid, int(fields[19]), int(fields[3]))


def _signal_session(leader: HostProcess) -> None:
    """SIGHUP (and SIGCONT, for those that are stopped) to the session the process leads, itself last."""
    members = [leader.pid]
    if leader.session == leader.pid:
        others = (_look(int(entry)) for entry in os.listdir("/proc") if entry.isdigit())
        members = [p.pid for p in others if p and p.session == leader.session and p.pid != leader.pid] + members
    for pid in members:
        for number in (signal.SIGHUP, signal.SIGCONT):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


def _pid_inside(pid: int) -> int:
    """The process's number in its own namespace; 0 when it cannot be told."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
    except OSError:
        pass
    return 0


async def _kill_inside(engine: Engine, container_id: str, pid: int) -> None:
    if pid <= 1:
        return
    container = engine.docker.containers.container(container_id)
    script = f"kill -HUP -- -{pid} {pid} 2>/dev/null; kill -CONT {pid} 2>/dev/null; sleep 1; kill -KILL {pid}"
    with engine_errors(f"end process {pid} in {container_id[:12]}"):
        try:
            killer = await container.exec(["sh", "-c", script], user="root")
            await killer.start(detach=True)
        except DockerError as error:
            if error.status not in (404, 409):  # the container is gone or stopped, and the process with it
                raise
