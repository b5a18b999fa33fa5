"""Events in files of lines of JSON, a megabyte each, the oldest file dropped."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from ..wire.past import PastEvent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_FILE_SIZE = 1 << 20
_FILES = 4
_SUFFIX = ".jsonl"

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(PastEvent).decode


class Journal:
    """Events on disk. All calls block; they are made from one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.since = 0.0
        """The time of the oldest event there is, as of the last look; 0 when there is none."""

    def append(self, events: Iterable[PastEvent]) -> None:
        """Add events.

        Raises:
            OSError: they could not be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = self._files()
        number, path = files[-1] if files else (1, self._path(1))
        if files and path.stat().st_size >= _FILE_SIZE:
            number, path = number + 1, self._path(number + 1)
            for _, old in files[: max(0, len(files) + 1 - _FILES)]:
                with suppress(OSError):
                    old.unlink()
        lines = b"".join(_encode(event) + b"\n" for event in events)
        with path.open("ab") as file:
            # A line that a crash cut short must not swallow the next one.
            file.write(lines if not file.tell() or _ends_well(path) else b"\n" + lines)

    def read(self, start: float, end: float) -> list[PastEvent]:
        """What happened between two Unix times, in the order of writing. Damaged lines are left out."""
        found: list[PastEvent] = []
        self.since = 0.0
        for _, path in self._files():
            with suppress(OSError):
                for line in path.read_bytes().splitlines():
                    with suppress(msgspec.DecodeError):
                        event = _decode(line)
                        self.since = self.since or event.at
                        if start <= event.at <= end:
                            found.append(event)
        return found

    def _files(self) -> list[tuple[int, Path]]:
        with suppress(OSError):
            names = [path for path in self._folder.iterdir() if path.suffix == _SUFFIX and path.stem.isdigit()]
            return sorted((int(path.stem), path) for path in names)
        return []

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}{_SUFFIX}"


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
