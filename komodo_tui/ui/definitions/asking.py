"""What the books of pages have in common: reading in a thread, and asking agents; nobody waits for either."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from komodo_tui.domain.errors import KomodoError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from komodo_tui.fleet.client import AgentClient
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

PATIENCE = 5.0
"""Seconds a connection may take to come."""
AGAIN = 15.0
"""Seconds after which a server is asked again while somebody looks."""

T = TypeVar("T")


class Reading(Generic[T]):
    """Reads something in a thread, once at a time."""

    def __init__(self, shell: Shell, read: Callable[[], T], taken: Callable[[T], None]) -> None:
        """``read`` runs in the thread; ``taken`` is called with what it gave, in the event loop."""
        self._shell = shell
        self._read = read
        self._taken = taken
        self.under_way = False
        self._again = False

    def look(self) -> None:
        """Read; where it is being read, once more after that."""
        if self.under_way:
            self._again = True
            return
        self.under_way = True
        self._shell.work(self._look())

    async def _look(self) -> None:
        try:
            found = await asyncio.to_thread(self._read)
        finally:
            self.under_way = False
        self._taken(found)
        if self._again:
            self._again = False
            self.look()


class Answers(Generic[T]):
    """What the agent of each server said last to one question; each is asked once at a time."""

    def __init__(
        self,
        runtime: Runtime,
        shell: Shell,
        question: Callable[[AgentClient], Awaitable[T]],
        changed: Callable[[], None],
        words: Callable[[KomodoError], str] = lambda error: error.message,
    ) -> None:
        """``changed`` is called when an answer is another one; ``words`` says why there is none."""
        self._runtime = runtime
        self._shell = shell
        self._question = question
        self._changed = changed
        self._words = words
        self._asking: set[str] = set()
        self._again: set[str] = set()
        self._asked: dict[str, float] = {}
        self.given: dict[str, T] = {}
        """By server."""
        self.problems: dict[str, str] = {}
        """By server: why nothing newer is known; empty where the last answer came."""

    def late(self, server: str) -> bool:
        """Whether it was not asked for a while."""
        return self._shell.now() - self._asked.get(server, 0.0) >= AGAIN

    def forget_when(self) -> None:
        """Take every answer for an old one."""
        self._asked.clear()

    def ask(self, server: str) -> None:
        """Ask one server; while it is being asked, once more after that."""
        self._asked[server] = self._shell.now()
        if server in self._asking:
            self._again.add(server)
            return
        self._asking.add(server)
        self._shell.work(self._ask(server))

    async def _ask(self, server: str) -> None:
        problem, found = "", None
        try:
            found = await self._question(await self._runtime.fleet.link(server).client(PATIENCE))
        except KomodoError as error:
            problem = self._words(error)
        finally:
            self._asking.discard(server)
        if server in self._again:
            self._again.discard(server)
            self.ask(server)
        if (found is None or found == self.given.get(server)) and problem == self.problems.get(server, ""):
            return
        if found is not None:
            self.given[server] = found
        self.problems[server] = problem
        self._changed()
