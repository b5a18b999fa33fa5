"""What a deploy changes: services, names of the environment, files, ports."""

from __future__ import annotations

from typing import Literal

import msgspec

ServiceVerb = Literal["create", "recreate", "start", "keep", "remove"]
Against = Literal["same", "changed", "new", "gone", "unknown"]
"""How a service of a definition stands to the newest good revision, whatever runs."""


class ServiceChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a deploy does to one service."""

    service: str
    verb: ServiceVerb
    image: str = ""
    why: str = ""
    present: bool = True
    """Whether the image is on the server already."""
    builds: bool = False
    containers: tuple[str, ...] = ()
    """Names of those there are now."""
    deployed: Against = "unknown"


class KeyChange(msgspec.Struct, frozen=True, kw_only=True):
    """A name of the environment whose value differs from the last revision's. Values are never told."""

    key: str
    change: Literal["added", "changed", "removed"]


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """A file that differs from the last revision's."""

    path: str
    change: Literal["added", "changed", "removed"]
    before: str = ""
    after: str = ""


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A port of the host a service wants."""

    service: str
    port: int
    protocol: str = "tcp"
    ip: str = ""
