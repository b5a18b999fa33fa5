"""Writing what a log view keeps to a file, without anything a terminal would obey when it is printed later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from komodo_tui.domain.text import clean
from komodo_tui.ui.logs import record
from komodo_tui.ui.saving import write_new

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence
    from pathlib import Path

    from komodo_tui.ui.logs.ring import Piece


@dataclass(frozen=True)
class Excerpt:
    """Lines apart from the ring: safe to write in a thread while the view goes on."""

    pieces: Sequence[Piece]
    """Oldest first."""
    only: Container[int] | None
    """Numbers of the lines wanted; None: all."""
    sources: Mapping[bytes, str]
    """Containers for people, by tag."""
    times: bool
    """Whether each line begins with its time and its container."""

    def lines(self) -> Iterator[str]:
        """The lines, each with its line feed. Lines of ours (gaps, losses) are among them: they belong to the truth."""
        for piece in self.pieces:
            for number, line in enumerate(piece.data.split(b"\n")[:-1], piece.first):
                if self.only is None or number in self.only:
                    yield self._line(record.parse(line))

    def _line(self, line: record.Record) -> str:
        text = clean(line.raw.decode("utf-8", "replace"), keep_newlines=True).replace("\n", "\ufffd")
        if not self.times:
            return f"{text}\n"
        return f"{line.time} {self.sources.get(line.tag, 'komodo-tui')} {text}\n"


def write(path: Path, excerpt: Excerpt) -> int:
    """Write a new file that only its owner can read; returns the number of lines. Blocks.

    Raises:
        RefusedError: the file exists already.
        ActError: it cannot be written; what was written of it stays.
    """
    return write_new(path, excerpt.lines(), "log")
