"""What is in a volume: looked at, taken away and put back. Only where the agent may read the volume's folder."""

from __future__ import annotations

from typing import Literal

import msgspec

ROUTE_VOLUME_FILES = "/v1/volumes/{id}/files"
"""GET ?path=hex -> :class:`VolumeFolder`. ``path`` is :attr:`VolumeFile.path` of a folder; without it, the top."""
ROUTE_VOLUME_FILE = "/v1/volumes/{id}/file"
"""GET ?path=hex -> the bytes of a file, with their number in ``Content-Length``."""
ROUTE_VOLUME_ARCHIVE = "/v1/volumes/{id}/archive"
"""GET -> all of it as a tar. An answer that breaks off is no archive.

PUT a tar (plain, or compressed by gzip, bzip2 or xz) -> :class:`Restored`. Nothing in the volume changes before the
whole archive has arrived and been unpacked beside it. ``?replace=1``: also where the volume is not empty.
"""

FileKind = Literal["file", "folder", "link", "other"]


class VolumeFile(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a folder."""

    name: str
    """To be shown: what is no UTF-8 in it has been replaced."""
    path: str
    """To be asked for: the bytes of its path below the volume's top, in hexadecimal."""
    kind: FileKind
    size: int = 0
    changed: float = 0.0
    mode: int = 0
    uid: int = 0
    gid: int = 0
    link: str = ""
    """Where a link leads; links are never followed."""


class VolumeFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of a volume, folders first, by name."""

    path: str
    shown: str
    """The path as text, with a leading slash."""
    files: tuple[VolumeFile, ...]
    left_out: int = 0
    """Entries beyond the number that one answer holds."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What was put back."""

    files: int
    size: int
    skipped: tuple[str, ...] = ()
    """Entries that cannot be put back (devices), the first of them by name."""
