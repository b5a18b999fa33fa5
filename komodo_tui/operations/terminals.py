"""Opening and closing a terminal as acts of the history: who, where, what command. Never what is typed in it."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from komodo_tui.domain.errors import ActError, KomodoError, ReadOnlyError, StoreError
from komodo_tui.domain.operations import ActionRecord, StepResult, Target
from komodo_tui.operations.intents import Intent
from komodo_tui.operations.outcomes import done, failed
from komodo_tui.operations.records import finish

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from komodo_tui.domain.operations import Actor
    from komodo_tui.domain.settings import Settings
    from komodo_tui.operations.locking import TargetLocks
    from komodo_tui.store.history import History

T = TypeVar("T")


class TerminalNote(msgspec.Struct, frozen=True, kw_only=True):
    """What the history keeps of it."""

    verb: Literal["open", "close"]
    target: Target
    command: str
    """As shown; ``shell`` where none was named."""

    @property
    def title(self) -> str:
        """``Open a terminal in api-1@web-1: shell``"""
        what = "Open a terminal in" if self.verb == "open" else "Close a terminal in"
        return f"{what} {self.target}: {self.command}"


class TerminalLog:
    """Enters them. Part of the executor."""

    def __init__(self, history: History, locks: TargetLocks, settings: Settings) -> None:
        self._history = history
        self._locks = locks
        self._settings = settings

    def use_settings(self, settings: Settings) -> None:
        """Go by other settings from now on."""
        self._settings = settings

    async def act(self, note: TerminalNote, actor: Actor, effect: Callable[[], Awaitable[T]]) -> T:
        """Do it, between its intent and its outcome; what ``effect`` gives or raises comes out of here.

        Raises:
            ReadOnlyError: a terminal cannot be opened in read-only mode.
            StoreError: the intent cannot be written; nothing was done.
        """
        if self._settings.read_only and note.verb == "open":
            raise ReadOnlyError(f"{note.title}: refused, read-only mode is on", hint="start without --read-only")
        id = str(uuid.uuid4())
        intent = Intent(locks=(f"terminal {id}",))
        with self._locks.hold(intent.locks):
            await asyncio.to_thread(self._history.begin, _record(id, note, actor, intent))
            result = failed(note.target, ActError("it was broken off"))
            try:
                value = await effect()
                result = done(note.target)
            except KomodoError as error:
                result = failed(note.target, error)
                raise
            finally:
                await asyncio.shield(self._finish(id, result))
        return value

    async def _finish(self, id: str, result: StepResult) -> None:
        with suppress(StoreError):  # the next start enters it
            await finish(self._history, id, [result])


def _record(id: str, note: TerminalNote, actor: Actor, intent: Intent) -> ActionRecord:
    return ActionRecord(
        id=id, seq=0, started=time.time(), actor=actor, act=f"{note.verb} terminal", targets=(note.target,),
        title=note.title,
        operation={"operation": "terminal", **msgspec.to_builtins(note), "intent": msgspec.to_builtins(intent)},
    )  # fmt: skip
