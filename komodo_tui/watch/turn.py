"""Whose turn it is to run what runs by itself: a lock, a note of its holder, and a second lock to ask for the first.

Who holds ``watch.lock`` runs it all. A ``watch`` that finds a program on the screen there takes ``watch-wanted.lock``:
the holder sees that within a second, stops, and leaves the first lock to it. Both locks die with their processes.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_tui.domain.errors import LockedError, StoreError
from komodo_tui.store.atomic import write_atomic
from komodo_tui.store.locks import FileLock, is_held

if TYPE_CHECKING:
    from pathlib import Path

Program = Literal["watch", "tui", "once"]
STALLED = 60.0
"""Seconds without a sign of life after which a holder is said to be stuck."""
_TRIES = 3
_PAUSE = 0.05
_ASK_EVERY = 0.2
PATIENCE = 30.0
"""Seconds for which a program on the screen is waited for: its holder may have an editor before it just now."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs it, as written down by them."""

    pid: int
    program: Program
    user: str = ""
    host: str = ""
    since: float
    """Unix time."""
    seen: float
    """Unix time of the last sign of life."""
    looked: dict[str, float] = msgspec.field(default_factory=dict)
    """By part: Unix time of its last look."""
    servers: int = 0
    """Servers that are connected."""
    servers_all: int = 0
    said: str = ""
    """What was said last."""

    def stalled(self, now: float) -> bool:
        """Whether it gives no sign of life any more."""
        return now - self.seen > STALLED

    def late(self, now: float) -> list[str]:
        """The parts that have not looked for too long; all of them where it gives no sign of life."""
        return sorted(self.looked) or ["all"] if self.stalled(now) else late_parts(self.looked, self.seen)

    def __str__(self) -> str:
        """``process 4711 (komodo-tui watch)``."""
        what = {"watch": "komodo-tui watch", "tui": "a komodo-tui on a screen", "once": "komodo-tui watch --once"}
        return f"process {self.pid} ({what[self.program]})"


def late_parts(looked: dict[str, float], now: float) -> list[str]:
    """Of parts and the Unix times of their last looks, those that do not get on any more."""
    return sorted(name for name, at in looked.items() if now - at > STALLED)


class WatchTurn:
    """The turn as one process takes it. What is not said to be in a thread returns at once."""

    def __init__(self, root: Path, program: Program, user: str) -> None:
        """``root`` is the state directory."""
        self._root = root
        self._lock = FileLock(root / "watch.lock")
        self._wish = FileLock(root / "watch-wanted.lock")
        self.program: Program = program
        self._user = user
        self._since = 0.0

    @property
    def held(self) -> bool:
        """Whether it is ours."""
        return self._lock.held

    def take(self) -> bool:
        """Take it if it is free. In a thread: somebody who only asks for it is waited for. Raises StoreError."""
        for attempt in range(_TRIES):
            if self._lock.try_acquire():
                self._since = time.time()
                with suppress(StoreError):  # a full disk keeps nobody from looking
                    self.note()
                return True
            if attempt < _TRIES - 1:
                time.sleep(_PAUSE)
        return False

    async def take_over(self, patience: float = PATIENCE) -> None:
        """Take it, from a program on a screen too.

        Raises:
            LockedError: another ``watch`` has it or waits for it, or the program does not give way.
        """
        if await asyncio.to_thread(self.take):
            return
        holder = await asyncio.to_thread(holder_of, self._root)
        if holder is not None and holder.program == "watch":
            raise LockedError(
                f"a watch is under way already: {holder}", hint="one process watches a state directory"
            )  # fmt: skip
        if not await asyncio.to_thread(self._wish.try_acquire):
            raise LockedError("a watch is about to begin already", hint="one process watches a state directory")
        try:
            async with asyncio.timeout(patience):
                while not await asyncio.to_thread(self.take):  # noqa: ASYNC110 - it is another process that gives way
                    await asyncio.sleep(_ASK_EVERY)
        except TimeoutError:
            raise LockedError(
                f"{holder or 'another process'} does not give way", hint="end it, or wait until it goes on"
            ) from None
        finally:
            self._wish.release()

    def wanted(self) -> bool:
        """Whether a ``watch`` waits for it. In a thread."""
        return not self._wish.held and is_held(self._wish.path)

    def note(
        self, looked: dict[str, float] | None = None, servers: tuple[int, int] = (0, 0), said: str = ""
    ) -> None:  # fmt: skip
        """Write down that we are alive, and how it goes. In a thread. Raises StoreError."""
        holder = Holder(
            pid=os.getpid(), program=self.program, user=self._user, host=socket.gethostname(), since=self._since,
            seen=time.time(), looked=looked or {}, servers=servers[0], servers_all=servers[1], said=said,
        )  # fmt: skip
        write_atomic(_note(self._root), msgspec.json.encode(holder), durable=False)

    def release(self) -> None:
        """Give it back. Does nothing where it is not ours."""
        if self._lock.held:
            with suppress(OSError):  # a note without its lock says nothing anyway
                _note(self._root).unlink(missing_ok=True)
        self._lock.release()


def holder_of(root: Path) -> Holder | None:
    """Who runs it now; None = nobody does. Blocks. Raises StoreError."""
    if not is_held(root / "watch.lock"):
        return None
    try:
        return msgspec.json.decode(_note(root).read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):  # it has the lock and has not written its note yet
        return Holder(pid=0, program="watch", since=time.time(), seen=time.time())


def _note(root: Path) -> Path:
    return root / "watch.json"
