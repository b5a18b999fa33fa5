"""Between a session and a core: output in, answers and input out, without a queue that could grow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError
from komodo_tui.fleet.sessions import ByteSession, SessionEnd, SharedSession

if TYPE_CHECKING:
    from komodo_tui.ui.terminal.core import PaneCore

QUEUED_INPUTS = 2048
"""Keys, pastes and answers that wait for a program that does not read; more are dropped."""
END_LIMIT = 5.0
"""Seconds to wait for the exit status after the output has ended."""

Input = bytes | Callable[[], Awaitable[bytes]]
"""Bytes, or a call that encodes them when their turn has come."""


class Pump:
    """Runs a session against a core. Both stay the caller's to close. ``on_output`` is told how many bytes came."""

    def __init__(
        self,
        session: ByteSession,
        core: PaneCore,
        *,
        on_output: Callable[[int], None],
        on_end: Callable[[SessionEnd], None],
    ) -> None:
        self._session = session
        self._core = core
        self._on_output = on_output
        self._on_end = on_end
        self._inputs: asyncio.Queue[Input] = asyncio.Queue(QUEUED_INPUTS)
        self._tasks: list[asyncio.Task[None]] = []
        self._shared = session if isinstance(session, SharedSession) else None
        if self._shared is not None:
            self._shared.on_size = self._agreed
        self.dropped = 0
        """Inputs that the program did not take."""

    def start(self) -> None:
        """Begin; the callbacks come from now on."""
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]

    def send(self, data: Input) -> bool:
        """Queue input; False (and counted) when the program has not read for too long."""
        try:
            self._inputs.put_nowait(data)
        except asyncio.QueueFull:
            self.dropped += 1
            return False
        return True

    async def resize(self, cols: int, rows: int) -> None:
        """Tell the core first, then the program, whose answer is drawn at the new size.

        A terminal that others look at too says itself what its size becomes, and from which output on.
        """
        if self._shared is None:
            await self._agreed(cols, rows)
        await self._session.resize(cols, rows)

    async def _agreed(self, cols: int, rows: int) -> None:
        answer = await self._core.resize(cols, rows)
        if answer and self._answering:
            self.send(answer)
        self._on_output(0)

    @property
    def _answering(self) -> bool:
        return self._shared is None or self._shared.answering

    async def nudge(self, cols: int, rows: int) -> None:
        """Have a full-screen program draw itself anew."""
        await self._session.resize(cols, max(1, rows - 1))
        await self._session.resize(cols, rows)

    async def _read(self) -> None:
        """While the core works, nothing is read; a session that is not read from holds its program back."""
        end: SessionEnd | None = None
        try:
            while data := await self._session.read():
                answer = await self._core.feed(data)
                if answer and self._answering:
                    self.send(answer)
                self._on_output(len(data))
        except KomodoError as error:
            end = SessionEnd(code=None, reason=str(error))
        if end is None:
            end = await self._exit()
        self._on_output(0)
        self._on_end(end)

    async def _exit(self) -> SessionEnd:
        try:
            async with asyncio.timeout(END_LIMIT):
                return await self._session.wait()
        except TimeoutError:
            return SessionEnd(code=None, reason="it did not report an exit status")
        except KomodoError as error:
            return SessionEnd(code=None, reason=str(error))

    async def _write(self) -> None:
        while True:
            item = await self._inputs.get()
            data = item if isinstance(item, bytes) else await item()
            if data:
                await self._session.write(data)

    async def stop(self) -> None:
        """Stop moving bytes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
