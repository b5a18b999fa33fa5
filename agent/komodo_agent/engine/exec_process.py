"""One exec'd process: find a shell, start it, know whether it really runs, size its terminal, learn its end."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiodocker import DockerError

from ..problems import AgentError
from ..wire.exec import ExecExit
from . import hangup
from .attach import DETACH_KEYS
from .errors import engine_errors
from .hijack import hijack

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiodocker.execs import Exec

    from ..wire.exec import ExecRequest
    from ..wire.models import Container
    from .client import Engine
    from .hijack import Hijacked

_CHOOSE = "command -v bash >/dev/null 2>&1 && exec bash; command -v ash >/dev/null 2>&1 && exec ash; exec sh"
_SHELLS = (("sh", "-c", _CHOOSE), ("bash",), ("ash",))
"""Nearly every image has ``sh``, which then picks the best; without it the others are tried themselves."""
_TERMINAL = "xterm-256color"
_CANNOT_RUN = (126, 127)
_KILLED = 137
_AFTER_KILL = 1.0
_START_TIMEOUT = 30.0
_END_TIMEOUT = 5.0
_FIRST_LOOK, _LAST_LOOK = 0.005, 0.1
_API_CONSOLE_SIZE = (1, 42)
_WORDS_LIMIT = 4096


class CannotStartError(Exception):
    """The engine could not start the command; the message has its words."""


class ExecProcess:
    """A process that was started and runs, or has run."""

    def __init__(
        self, engine: Engine, container: Container, instance: Exec, stream: Hijacked, command: tuple[str, ...]
    ) -> None:
        self._engine = engine
        self._container = container
        self._exec = instance
        self._process: hangup.HostProcess | None = None
        self.stream = stream
        self.command = command

    async def begin(self, request: ExecRequest) -> None:
        """Wait until it runs, and size its terminal.

        Raises:
            CannotStartError: it never ran.
            AgentError: the engine did not answer.
        """
        with engine_errors(f"start a process in {self._container.name}"):
            state = await self._poll(_has_begun, _START_TIMEOUT)
            pid = int(state.get("Pid") or 0)
            if not state.get("Running") and not pid and state.get("ExitCode") in _CANNOT_RUN:
                raise CannotStartError(await self._words())
            self._process = hangup.find(pid, self._container.id) if pid else None
            if request.tty:
                await self.resize(request.rows, request.cols)

    async def resize(self, rows: int, cols: int) -> None:
        """Tell its terminal's size. After its end there is nothing to size, which is no error."""
        try:
            await self._exec.resize(h=rows, w=cols)
        except DockerError as error:
            if error.status not in (404, 409, 500):
                raise

    async def exit(self) -> ExecExit:
        """How it ended, once its output has."""
        with engine_errors("ask how the process ended"):
            state = await self._poll(lambda state: not state.get("Running"), _END_TIMEOUT)
        code = state.get("ExitCode")
        if state.get("Running") or code is None:
            return ExecExit(code=None, reason="its output ended, the process itself still runs")
        return ExecExit(code=int(code), reason=await self._taken_away() if code == _KILLED else "")

    async def _taken_away(self) -> str:
        """Whether a killed process was killed with its container, of which the engine learns a moment later."""
        deadline = time.monotonic() + _AFTER_KILL
        while time.monotonic() < deadline:
            try:
                state = (await self._engine.inspect(self._container.id)).get("State") or {}
            except AgentError as error:
                return f"{self._container.name} was removed" if error.code == "not_found" else ""
            if state.get("Dead") or state.get("Status") == "removing":
                return f"{self._container.name} was removed"
            if not state.get("Running"):
                return f"{self._container.name} was stopped"
            await asyncio.sleep(_LAST_LOOK)
        return ""

    async def close(self) -> None:
        """End the process if it still runs, and give the connection up."""
        await self.stream.close()
        if self._process is not None and hangup.alive(self._process):
            await hangup.hang_up(self._engine, self._container.id, self._process)

    async def _poll(self, until: Callable[[dict[str, Any]], object], timeout: float) -> dict[str, Any]:
        """The exec's state as soon as it is as wanted, or as it is when the time is over."""
        deadline, pause = time.monotonic() + timeout, _FIRST_LOOK
        while True:
            state: dict[str, Any] = await self._exec.inspect()
            if until(state) or time.monotonic() >= deadline:
                return state
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_LOOK)

    async def _words(self) -> str:
        """The engine tells why it could not start a process in that process's output."""
        words = b""
        with suppress(asyncio.TimeoutError):
            while len(words) < _WORDS_LIMIT:
                _, data = await asyncio.wait_for(self.stream.read(), _END_TIMEOUT)
                if not data:
                    break
                words += data
        text = " ".join(words.decode("utf-8", "replace").split())
        return text.removeprefix("OCI runtime exec failed: ").removesuffix(": unknown")


def _has_begun(state: dict[str, Any]) -> bool:
    """Whether it has a process, or had one, or never will. The engine says Running a moment before it knows the pid."""
    return bool(state.get("Pid")) if state.get("Running") else state.get("ExitCode") is not None


async def start(engine: Engine, container: Container, request: ExecRequest) -> ExecProcess:
    """Start the command that is asked for, or else the best shell there is.

    Raises:
        AgentError: there is no such program or no shell; the container does not run; the engine did not answer.
    """
    for command in (request.command,) if request.command else _SHELLS:
        try:
            return await _start(engine, container, request, command)
        except CannotStartError as error:
            if request.command or not _missing(command[0], str(error)):
                raise AgentError("failed", f"{command[0]} cannot be started in {container.name}: {error}") from error
    raise AgentError(
        "failed",
        f"{container.name} has no shell: neither bash, ash nor sh can be started in it",
        hint="run a program that it has, or look at its logs and files from outside",
    )


def _missing(program: str, words: str) -> bool:
    """Whether the engine could not start a program because the image does not have it."""
    return f'"{program}"' in words and ("executable file not found" in words or "no such file" in words)


async def _start(engine: Engine, container: Container, request: ExecRequest, command: tuple[str, ...]) -> ExecProcess:
    environment = dict(request.environment)
    body: dict[str, object] = {"Detach": False, "Tty": request.tty}
    if request.tty:
        environment.setdefault("TERM", _TERMINAL)
        if engine.api_version >= _API_CONSOLE_SIZE:
            body["ConsoleSize"] = [request.rows, request.cols]
    with engine_errors(f"start a process in {container.name}"):
        instance = await engine.docker.containers.container(container.id).exec(
            list(command),
            stdin=request.stdin,
            tty=request.tty,
            user=request.user,
            environment=environment,
            workdir=request.workdir or None,
            detach_keys=DETACH_KEYS if request.tty else None,
        )
        stream = await hijack(engine, f"/exec/{instance.id}/start", body, tty=request.tty)
    process = ExecProcess(engine, container, instance, stream, command)
    try:
        await process.begin(request)
    except BaseException:  # also when cancelled: the connection must not stay
        await process.close()
        raise
    return process
