"""A command in a container, as a job."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING

from ..engine import exec_process
from ..problems import AgentError
from ..wire.exec import ExecRequest
from .output import Output

if TYPE_CHECKING:
    from ..engine.client import Engine
    from ..engine.exec_process import ExecProcess
    from ..jobs import JobContext
    from ..wire.tasks import ExecTask


async def execute(engine: Engine, context: JobContext, spec: ExecTask) -> None:
    """Run it and wait for its end; a job that is cancelled ends it.

    Raises:
        AgentError: it could not start, did not end in time, or failed.
    """
    if not spec.command or any("\0" in word for word in (*spec.command, *spec.environment.values())):
        raise AgentError("bad_request", "exec: there is no command, or it holds a NUL character")
    container = await engine.find(spec.container)
    context.target(container.name)
    context.command(exec_command(spec, container.name))
    request = ExecRequest(
        container=container.id, command=spec.command, tty=False, user=spec.user, workdir=spec.workdir,
        environment=spec.environment, stdin=False,
    )  # fmt: skip
    output = Output(context, spec.environment, spec.secret_keys)
    process = await exec_process.start(engine, container, request)
    try:
        async with asyncio.timeout(spec.timeout or None):
            code = await _to_its_end(process, output)
    except TimeoutError as error:
        raise AgentError("failed", f"it did not end within {spec.timeout:g} s and was ended") from error
    finally:
        await asyncio.shield(process.close())
    output.end(code)


async def _to_its_end(process: ExecProcess, output: Output) -> int:
    while True:
        _, data = await process.stream.read()
        if not data:
            break
        output.add(data)
    end = await process.exit()
    if end.code is None:
        raise AgentError("failed", end.reason)
    return end.code


def exec_command(spec: ExecTask, name: str) -> str:
    """``docker exec -u app db ./migrate``; values of variables are left out, they may be secrets."""
    words = ["docker", "exec"]
    words += ["-u", spec.user] if spec.user else []
    words += ["-w", spec.workdir] if spec.workdir else []
    words += [word for variable in spec.environment for word in ("-e", variable)]
    return shlex.join([*words, name, *spec.command])
