"""What the feed does not carry of the container that is looked at: its document and its processes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.models import Container, ContainerDetail, ProcessTable
    from komodo_tui.ui.containers.columns import Key, Row
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_PROCESSES_EVERY = 2.0
"""Seconds between two looks at the processes."""
_HEALTH_EVERY = 10.0
"""Seconds between two looks at the document of a container with a health check: results come without an event."""
_AFTER_FAILURE = 5.0
_PATIENCE = 5.0
"""Seconds a connection may take to come back."""


class Inspection:
    """Asks for one container at a time; an answer for another one than wanted now is dropped."""

    def __init__(self, runtime: Runtime, shell: Shell, changed: Callable[[], None]) -> None:
        """``changed`` is called when an answer came in."""
        self._runtime = runtime
        self._shell = shell
        self._changed = changed
        self._key: Key | None = None
        self._seen: Container | None = None
        self._asking: set[str] = set()
        self._next: dict[str, float] = {}
        self.detail: ContainerDetail | None = None
        self.processes: ProcessTable | None = None
        self.problem = ""
        """Why there is no document."""

    def clear(self) -> None:
        """Forget the container."""
        self._key = self._seen = self.detail = self.processes = None
        self.problem = ""
        self._next.clear()

    def want(self, row: Row, *, processes: bool) -> None:
        """This container is looked at: ask for what is missing or old."""
        if row.key != self._key:
            self.clear()
            self._key = row.key
        now = self._shell.now()
        if row.container is not self._seen or now >= self._next.get("detail", math.inf):
            self._seen = row.container
            self._ask("detail", row)
        if processes and row.container.state in ("running", "paused") and now >= self._next.get("processes", 0.0):
            self._ask("processes", row)

    def _ask(self, what: str, row: Row) -> None:
        if what in self._asking:
            self._seen = None  # what is on its way may be older than what was just seen
            return
        self._asking.add(what)
        self._shell.work(self._answer(what, row.key))

    async def _answer(self, what: str, key: Key) -> None:
        server, container = key
        detail, processes, problem = None, None, ""
        try:
            client = await self._runtime.fleet.link(server).client(_PATIENCE)
            if what == "detail":
                detail = await client.container(container)
            else:
                processes = await client.container_top(container)
        except KomodoError as error:
            problem = error.message + (f"; {error.hint}" if error.hint else "")
        finally:
            self._asking.discard(what)
        if key != self._key:
            return
        now = self._shell.now()
        if what == "processes":
            self.processes = processes
            self._next[what] = now + (_AFTER_FAILURE if problem else _PROCESSES_EVERY)
        else:
            self.detail = detail or self.detail
            self.problem = problem
            if problem:
                self._next[what] = now + _AFTER_FAILURE
            elif detail is not None and detail.container.health:
                self._next[what] = now + _HEALTH_EVERY
            else:
                self._next.pop(what, None)
        self._changed()
