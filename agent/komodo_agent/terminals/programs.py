"""What runs in a terminal, wherever it runs: bytes both ways, a size, an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from ..engine import attach, exec_process, one_off
from ..problems import AgentError
from ..wire.terminals import ContainerRequest
from .shell import PtyProgram

if TYPE_CHECKING:
    from ..engine.client import Engine
    from ..engine.exec import Session
    from ..wire.exec import ExecExit
    from ..wire.terminals import OpenTerminal
    from .ring import Size


class Program(Protocol):
    """A process with a terminal."""

    async def read(self) -> bytes:
        """The next output; empty at the end. Not reading holds it back."""
        ...

    async def write(self, data: bytes) -> None:
        """Input; waits while it takes none."""
        ...

    async def resize(self, rows: int, cols: int) -> None:
        """Tell it the size of its terminal."""
        ...

    async def exit(self) -> ExecExit:
        """How it ended, once its output has."""
        ...

    async def close(self) -> None:
        """Hang up. Safe to call twice."""
        ...


class ContainerProgram:
    """A process in a container, or a container's own."""

    def __init__(self, session: Session, *, plain: bool = False) -> None:
        """``plain``: it has no terminal of its own; lines end then as a terminal shows and a program reads them."""
        self._session = session
        self._plain = plain
        self._after_cr = False

    async def read(self) -> bytes:
        """The next output; empty at the end."""
        data = (await self._session.stream.read())[1]
        return self._shown(data) if self._plain else data

    def _shown(self, data: bytes) -> bytes:
        text = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if self._after_cr and text.startswith(b"\r\n"):
            text = text[1:]
        self._after_cr = data.endswith(b"\r")
        return text

    async def write(self, data: bytes) -> None:
        """Input; waits while it takes none."""
        await self._session.stream.write(data.replace(b"\r", b"\n") if self._plain else data)

    async def resize(self, rows: int, cols: int) -> None:
        """Tell it the size of its terminal."""
        await self._session.resize(rows, cols)

    async def exit(self) -> ExecExit:
        """How it ended."""
        return await self._session.exit()

    async def close(self) -> None:
        """Hang up; a container's own process is left, not ended."""
        await self._session.close()


class Begun:
    """A program that was started, and what it runs in."""

    def __init__(
        self, program: Program, command: tuple[str, ...], target: str = "", container: str = "", *,
        attached: bool = False, fresh: bool = False,
    ) -> None:  # fmt: skip
        self.fresh = fresh
        """It has a container of its own, like the one that is named."""
        self.program = program
        self.attached = attached
        """It is a container's own process: closing leaves it."""
        self.command = command
        """As it was asked for; empty where the best shell was."""
        self.target = target
        self.container = container


async def begin(engine: Engine, wanted: OpenTerminal, size: Size) -> Begun:
    """Start what is asked for.

    Raises:
        AgentError: there is no such container, no shell, or it does not run; the engine did not answer.
    """
    if not isinstance(wanted.program, ContainerRequest):
        return Begun(await PtyProgram.start(wanted.program, size), wanted.program.command)
    request = msgspec.structs.replace(wanted.program.process, tty=True, stdin=True, rows=size.rows, cols=size.cols)
    if any("\0" in word for word in (*request.command, request.user, request.workdir, *request.environment.values())):
        raise AgentError("bad_request", "a command cannot hold a NUL character")
    container = await engine.find(request.container, request.otherwise)
    start = attach.attach if request.attach else one_off.start if request.fresh else exec_process.start
    session: Session = await start(engine, container, request)
    program = ContainerProgram(session, plain=request.attach and not container.tty)
    return Begun(program, request.command, container.name, container.id, attached=request.attach,
                 fresh=request.fresh)  # fmt: skip
