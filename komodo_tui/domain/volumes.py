"""Taking what is in a volume to this side, and putting it back. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

VolumeVerb = Literal["backup", "restore", "download"]


class VolumeOperation(msgspec.Struct, frozen=True, kw_only=True, tag="volume", tag_field="operation"):
    """Move a volume's content between its server and this side."""

    verb: VolumeVerb
    server: str
    volume: str
    file: str
    """On this side, an absolute path: written by backup and download, read by restore."""
    path: str = ""
    """For download: the file in the volume, as :attr:`~komodo_agent.wire.volumes.VolumeFile.path` has it."""
    shown: str = ""
    """For download: the same path as text."""
    replace: bool = False
    """For restore: also where the volume is not empty; what is in it goes once the archive is unpacked."""
    used_by: tuple[str, ...] = ()
    """The containers that were seen to use it."""
