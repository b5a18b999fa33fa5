"""All terminals of an agent, by the id that whoever opened them has chosen."""

from __future__ import annotations

import asyncio
import os
import re
import time
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..wire.terminals import MAX_TERMINALS, ShellRequest
from .programs import begin
from .terminal import AgentTerminal

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ..engine.client import Engine
    from ..wire.terminals import OpenTerminal
    from .ring import Size

_KEEP_ENDED = 600.0
"""Seconds that one which has ended is kept, with its screen and its exit status."""
_MOST_ENDED = 16
_FORGOTTEN = 86_400.0
"""Seconds after which one that nobody has looked at does not keep an agent that ends when idle. The agent that a
program started for itself may be of an older version, which no program asks any more."""
_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_LONGEST_NAME = 100


class Terminals:
    """Opens, finds, renames and ends them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._all: dict[str, AgentTerminal] = {}
        self._opening: dict[str, asyncio.Task[AgentTerminal]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def busy(self) -> bool:
        """Whether a program runs in one that somebody may come back to."""
        since = time.monotonic() - _FORGOTTEN
        return bool(self._opening) or any(
            terminal.end is None and (terminal.viewers or terminal.left > since) for terminal in self._all.values()
        )

    def list(self, uid: int) -> tuple[AgentTerminal, ...]:
        """Those of a user, or all of them for root; oldest first."""
        return tuple(terminal for terminal in self._all.values() if uid in (0, terminal.uid))

    def get(self, id: str, uid: int) -> AgentTerminal:
        """One that this user may see.

        Raises:
            AgentError: ``not_found``.
        """
        terminal = self._all.get(id)
        if terminal is None or uid not in (0, terminal.uid):
            raise AgentError("not_found", "there is no such terminal", hint="it was closed, or the agent has restarted")
        return terminal

    async def open(self, id: str, wanted: OpenTerminal, size: Size, uid: int) -> AgentTerminal:
        """The terminal of this id, begun if there is none yet. Cancelling the caller does not end it.

        Raises:
            AgentError: it cannot be begun, or is somebody else's.
        """
        if id in self._all:
            return self.get(id, uid)
        opening = self._opening.get(id)
        if opening is None:
            self._check(id, wanted, uid)
            opening = self._opening[id] = asyncio.create_task(self._open(id, wanted, size, uid))
            opening.add_done_callback(lambda _: self._opening.pop(id, None))
        await asyncio.shield(opening)
        return self.get(id, uid)

    def _check(self, id: str, wanted: OpenTerminal, uid: int) -> None:
        if not _ID.fullmatch(id):
            raise AgentError("bad_request", "the id of a terminal has 8 to 64 letters, digits and dashes")
        if isinstance(wanted.program, ShellRequest) and uid != os.geteuid():
            raise AgentError("forbidden", "the agent runs as another user: a shell of it would be that user's")
        running = sum(terminal.end is None for terminal in self._all.values()) + len(self._opening)
        if running >= MAX_TERMINALS:
            raise AgentError("failed", f"{running} terminals are open on this server", hint="close some")

    async def _open(self, id: str, wanted: OpenTerminal, size: Size, uid: int) -> AgentTerminal:
        begun = await begin(self._engine, wanted, size)
        name = wanted.name[:_LONGEST_NAME]
        terminal = AgentTerminal(id, name, uid, begun, size, on_end=lambda: self._has_ended(id))
        self._all[id] = terminal
        return terminal

    def rename(self, id: str, name: str, uid: int) -> AgentTerminal:
        """Call one something else.

        Raises:
            AgentError: there is none.
        """
        terminal = self.get(id, uid)
        terminal.name = name[:_LONGEST_NAME] or terminal.name
        return terminal

    async def end(self, id: str, uid: int) -> None:
        """End its program and forget it. Those who look at it are told.

        Raises:
            AgentError: there is none.
        """
        terminal = self.get(id, uid)
        await self._own(terminal.close())
        self._all.pop(id, None)

    async def close(self) -> None:
        """End them all."""
        for task in list(self._opening.values()):
            task.cancel()
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        await asyncio.gather(*(terminal.close() for terminal in self._all.values()), *self._ending)
        self._all.clear()

    async def _own(self, ending: Coroutine[None, None, None]) -> None:
        """Have it done even when whoever asked goes away."""
        task = asyncio.ensure_future(ending)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        await asyncio.shield(task)

    def _has_ended(self, id: str) -> None:
        asyncio.get_running_loop().call_later(_KEEP_ENDED, self._all.pop, id, None)
        ended = [other for other in self._all.values() if other.end is not None and not other.viewers]
        for terminal in sorted(ended, key=lambda one: one.ended or 0.0)[:-_MOST_ENDED]:
            self._all.pop(terminal.id, None)
