"""What :class:`~komodo_tui.operations.logs.MergedLogs` yields: batches of log lines, and notices between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from komodo_agent.wire.logs import PREFIX, TAG, TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from komodo_tui.domain.errors import KomodoError

STREAM_AT = TAG
"""Where the stream's letter stands in a wire line."""
TIME_AT = TAG + 1
"""Where the timestamp begins in a wire line."""


class LogTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One container whose log is wanted."""

    server: str
    container: str
    """Id or name, as the agent takes it."""
    name: str = ""
    """For people; empty = ``container``."""

    @property
    def label(self) -> str:
        """``api-1@web-1``."""
        return f"{self.name or self.container}@{self.server}"


class LogLine(NamedTuple):
    """One line, decoded from the wire no further than it has to be."""

    server: str
    container: str
    """The name where there is one, else what was asked for."""
    stream: Literal["stdout", "stderr"]
    time: str
    """RFC 3339, nine decimals, UTC."""
    text: bytes
    """As the program wrote it, without its line feed: hostile until cleaned."""


class SourceCaughtUp(msgspec.Struct, frozen=True, kw_only=True):
    """The past of this container's log has been delivered; what follows is live."""

    target: LogTarget
    tag: str


class SourceGap(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of this container that cannot be had any more."""

    target: LogTarget
    tag: str
    after: str
    """TIME of the last line before the gap; may be empty."""
    lines: int | None
    """How many, when it is known…"""
    size: int
    """…and about how many bytes."""
    reason: str

    @property
    def message(self) -> str:
        """For people."""
        count = f"{self.lines:,} lines" if self.lines is not None else f"about {self.size:,} bytes of lines"
        return f"{count} of {self.target.label} are lost: {self.reason}"


class SourceEnded(msgspec.Struct, frozen=True, kw_only=True):
    """No more lines come of this container: ``stopped``, ``removed``, ``complete``, or what went wrong."""

    target: LogTarget
    tag: str
    reason: str
    error: bool = False

    @property
    def message(self) -> str:
        """For people."""
        return f"{self.target.label}: {self.reason}"


class ServerLost(NamedTuple):
    """The connection that carried these containers' logs is gone; it is being made again."""

    server: str
    targets: tuple[LogTarget, ...]
    error: KomodoError

    @property
    def message(self) -> str:
        """For people."""
        return f"logs of {self.server} are interrupted: {self.error.message}"


class ServerBack(NamedTuple):
    """The logs of this server go on where they stopped."""

    server: str
    targets: tuple[LogTarget, ...]
    seconds: float
    """How long they were away."""

    @property
    def message(self) -> str:
        """For people."""
        return f"logs of {self.server} go on after {self.seconds:.0f} s"


class OrderLost(NamedTuple):
    """One server's containers have more waiting than may be held: some lines follow out of order."""

    server: str

    @property
    def message(self) -> str:
        """For people."""
        return f"the logs of {self.server} are too far apart to be put in exact order"


LogNotice = SourceCaughtUp | SourceGap | SourceEnded | ServerLost | ServerBack | OrderLost


class LogBatch:
    """Some lines in order, and what happened after them."""

    __slots__ = ("_targets", "data", "events")

    def __init__(self, data: bytes, events: tuple[LogNotice, ...], targets: Mapping[bytes, LogTarget]) -> None:
        self.data = data
        """Whole wire lines (see ``komodo_agent.wire.logs``); tags are those of ``MergedLogs.targets``."""
        self.events = events
        self._targets = targets

    def lines(self) -> Iterator[LogLine]:
        """The lines, decoded. A line that is not in wire form is left out."""
        targets = self._targets
        for line in self.data.split(b"\n"):
            target = targets.get(line[:TAG])
            if target is None or len(line) < PREFIX:
                continue
            yield LogLine(
                target.server,
                target.name or target.container,
                "stderr" if line[STREAM_AT : STREAM_AT + 1] == b"e" else "stdout",
                line[TIME_AT : TIME_AT + TIME].decode("ascii", "replace"),
                line[PREFIX:],
            )
