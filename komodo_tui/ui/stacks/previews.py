"""What deploys would change, asked of the agents while somebody looks at the differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from komodo_agent.wire.compose import ComposePreview, ComposeProject
    from komodo_tui.domain.stacks import StackDefinition
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.stacks.book import Place

_AGAIN = 20.0
"""Seconds for which an answer is good enough; a deploy always asks anew."""


class Previews:
    """Answers for one stack, by server."""

    def __init__(self, runtime: Runtime, shell: Shell, changed: Callable[[], None]) -> None:
        self._runtime = runtime
        self._shell = shell
        self._changed = changed
        self._stack: StackDefinition | None = None
        self._asked: dict[str, float] = {}
        self._asking: set[str] = set()
        self._seen: dict[str, ComposeProject | None] = {}
        self.answers: dict[str, ComposePreview] = {}
        self.problems: dict[str, str] = {}

    def want(self, stack: StackDefinition, places: Sequence[Place]) -> None:
        """Ask those servers whose answers are old, or on which something was done since."""
        if stack != self._stack:
            if self._stack is None or stack.name != self._stack.name:
                self.answers, self.problems = {}, {}
            self._stack = stack
            self._asked.clear()
        now = self._shell.now()
        for place in places:
            server = place.deployment.server
            if place.project != self._seen.get(server):
                self._seen[server] = place.project
                self._asked.pop(server, None)
            if server not in self._asking and now - self._asked.get(server, 0.0) >= _AGAIN:
                self._asked[server] = now
                self._asking.add(server)
                self._shell.work(self._ask(stack, server))

    async def _ask(self, stack: StackDefinition, server: str) -> None:
        problem, answer = "", None
        try:
            answer = await self._runtime.preparer.preview(stack, server)
        except KomodoError as error:
            problem = error.message + (f"; {error.hint}" if error.hint else "")
        finally:
            self._asking.discard(server)
        if stack is not self._stack:
            return
        if answer is not None:
            self.answers[server] = answer
        self.problems[server] = problem
        self._changed()
