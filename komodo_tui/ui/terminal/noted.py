"""A terminal whose opening and closing are in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.operations.terminals import TerminalNote

if TYPE_CHECKING:
    from komodo_tui.domain.operations import Actor, Target
    from komodo_tui.fleet.sessions import ByteSession
    from komodo_tui.operations.executor import Executor
    from komodo_tui.ui.terminal.terminal import OpenSession, Terminal


class Noted:
    """Opens it through the executor."""

    def __init__(
        self, executor: Executor, actor: Actor, target: Target, command: str, open_session: OpenSession
    ) -> None:
        self.terminal: Terminal | None = None
        self._log = executor.terminals
        self._actor = actor
        self._target = target
        self._command = command
        self._open = open_session

    async def open(self, cols: int, rows: int) -> ByteSession:
        """As the terminal wants it; raises what opening raises."""
        session = await self._log.act(self._note("open"), self._actor, lambda: self._open(cols, rows))
        if self.terminal is not None:
            self.terminal.on_close = self._closed
        return session

    async def _closed(self) -> None:
        await self._log.act(self._note("close"), self._actor, _nothing)

    def _note(self, verb: str) -> TerminalNote:
        return TerminalNote(verb="open" if verb == "open" else "close", target=self._target, command=self._command)


async def _nothing() -> None:
    """The program has ended, or is ended after the note."""
