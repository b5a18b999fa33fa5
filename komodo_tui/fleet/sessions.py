"""What a terminal pane talks to, wherever the process runs: bytes both ways, a size, an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class SessionEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a session ended."""

    code: int | None
    """Exit status; None when it is not known (killed, connection lost)."""
    reason: str = ""
    """A sentence where the code does not say it: ``connection to web-1 lost``."""


class ByteSession(Protocol):
    """An interactive process: a login shell over SSH, a local pty, or an exec in a container."""

    title: str
    """``web-1`` or ``api-1@web-1``, already cleaned."""

    async def read(self) -> bytes:
        """The next output, at most 64 KiB; empty at the end. Not reading holds the process back."""
        ...

    async def write(self, data: bytes) -> None:
        """Send input; waits while the other side does not take it. Does nothing after the end."""
        ...

    async def resize(self, cols: int, rows: int) -> None:
        """Tell the process its window's size in cells."""
        ...

    async def close(self) -> None:
        """End the process and free the channel. Safe to call twice."""
        ...

    async def wait(self) -> SessionEnd:
        """Wait for the end."""
        ...


class SharedSession:
    """The part of a :class:`ByteSession` whose terminal others may look at too, now or later.

    Then its size is not ours alone, and what it repeats to who comes back must not be answered again.
    """

    def __init__(self) -> None:
        self.answering = True
        """Whether questions of the program in what was read last are for our emulator to answer."""
        self.size_now: tuple[int, int] | None = None
        """A size, columns and rows, that is to be told before the next output is given out."""
        self.on_size: Callable[[int, int], Awaitable[None]] | None = None
        """Awaited with columns and rows before output that was written at that size is given out."""
        self.on_notice: Callable[[str], None] | None = None
        """Called with a sentence for the person in front; with an empty one when it no longer holds."""
