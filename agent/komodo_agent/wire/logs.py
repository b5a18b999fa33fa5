r"""Container logs over one WebSocket: many sources, lines in batches, resumable.

The client's first message is a text :class:`LogRequest`. From then on the agent sends

* binary frames: whole lines of **one** source, in the order of that source. Each line is
  ``TAG(2) STREAM(1) TIME(30) SP TEXT LF`` where TAG is the source's tag, STREAM is ``o`` or ``e``, TIME is RFC 3339
  with exactly nine decimals and ``Z``, and TEXT is the raw bytes the program wrote, joined over the engine's 16 KiB
  pieces and cut at :data:`MAX_LINE`. A carriage return at its end is dropped, others stay;
* text frames: JSON of a :data:`LogEvent`.

A frame holds at most about 64 KiB. The agent never drops: it waits when the client does not read.
"""

from __future__ import annotations

import msgspec

TAG = 2
"""Bytes of a source's tag."""
TIME = 30
"""Bytes of a timestamp: ``2026-11-24T19:05:01.123456789Z``."""
PREFIX = TAG + 1 + TIME + 1
"""Where the text of a line begins."""
MAX_LINE = 1 << 20
"""Longest text of one line; the rest is replaced by ``…[n bytes more]``."""


class LogSource(msgspec.Struct, frozen=True, kw_only=True):
    """One container's log, and where to begin."""

    container: str
    tag: str
    """Two ASCII characters the client chooses."""
    tail: int | None = None
    """Only the last n lines before following; None = all."""
    since: str = ""
    """Inclusive; RFC 3339 or Unix seconds with decimals."""
    until: str = ""
    after: str = ""
    """Resume: TIME of the last line the client has; lines up to it are not sent again…"""
    after_count: int = 1
    """…of which the client has this many with exactly that time."""


class LogRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which logs to send."""

    sources: tuple[LogSource, ...]
    follow: bool = True


class LogCaughtUp(msgspec.Struct, frozen=True, kw_only=True, tag="caught_up", tag_field="k"):
    """The source's past has been sent; what follows is live."""

    tag: str


class LogGap(msgspec.Struct, frozen=True, kw_only=True, tag="gap", tag_field="k"):
    """Lines that cannot be had any more: the log rotated faster than it could be read."""

    tag: str
    after: str
    """TIME of the last line before the gap."""
    lines: int | None
    """How many, when it can be known…"""
    size: int
    """…and about how many bytes."""
    reason: str


class LogEnded(msgspec.Struct, frozen=True, kw_only=True, tag="ended", tag_field="k"):
    """No more lines will come of this source: ``stopped``, ``removed``, ``complete`` (not following) or an error."""

    tag: str
    reason: str
    error: bool = False


LogEvent = LogCaughtUp | LogGap | LogEnded

request_decoder = msgspec.json.Decoder(LogRequest)
event_decoder = msgspec.json.Decoder(LogEvent)
