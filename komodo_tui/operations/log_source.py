"""One container's log: what was asked for, and how far it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.logs import LogSource
from komodo_tui.operations.log_cursor import Cursor

if TYPE_CHECKING:
    from komodo_tui.operations.log_batch import LogTarget


class LogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are wanted."""

    tail: int | None = None
    """Only the last n lines of each container before following; None = all."""
    since: str = ""
    """Inclusive; RFC 3339 or Unix seconds with decimals."""
    until: str = ""
    follow: bool = True


class Source:
    """One container's log: what was asked for, and how far it was read."""

    def __init__(self, target: LogTarget, tag: str, options: LogOptions) -> None:
        self.target = target
        self.tag = tag
        self.key = tag.encode()
        self.ended = False
        self._options = options
        self._cursor = Cursor()
        self._caught_up = False
        # With no past wanted, its last line is still asked for, and kept back: it tells where to go on after a loss.
        self._hide = options.tail == 0

    def request(self) -> LogSource:
        """What to ask the agent for now."""
        resume = self._cursor.resume()
        source = LogSource(container=self.target.container, tag=self.tag, until=self._options.until)
        if resume is not None:
            return msgspec.structs.replace(source, after=resume[0], after_count=resume[1])
        # An empty log whose end was seen: every line in it is new by now, whatever tail was wanted.
        tail = None if self._caught_up else self._options.tail
        return msgspec.structs.replace(source, tail=1 if tail == 0 else tail, since=self._options.since)

    def receive(self, data: bytes) -> bytes:
        """Take a frame; return the lines that are new and wanted."""
        data = self._cursor.advance(data)
        if self._hide and data:
            self._hide = False
            return data.split(b"\n", 1)[1]
        return data

    def catch_up(self) -> None:
        """The past has been read."""
        self._caught_up, self._hide = True, False
