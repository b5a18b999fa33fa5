"""Files of a stack that lie in a folder of the server: looked at, read, and written by one who may."""

from __future__ import annotations

import msgspec

ROUTE_STACK_FOLDER = "/v1/compose/folder"
"""GET ?folder=/srv/shop&path=hex -> :class:`~.volumes.VolumeFolder`."""
ROUTE_STACK_FILE = "/v1/compose/file"
"""GET ?folder=/srv/shop&path=hex -> :class:`StackText`."""


class StackText(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is text."""

    shown: str
    """Its path below the folder, to be shown."""
    content: str
    digest: str
    """Of its bytes: what a change of it is based on."""


class ComposeWrite(msgspec.Struct, frozen=True, kw_only=True, tag="compose_write", tag_field="kind"):
    """Write one file of a stack's folder, whole, if it is what the change is based on."""

    project: str
    folder: str
    path: str
    """The bytes of its path below the folder, in hexadecimal."""
    content: str
    digest: str
    """Of what is there now; empty = nothing is."""
