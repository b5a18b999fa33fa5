"""What the program and the worker process say to each other: MessagePack frames on a socket pair.

One request, one reply, in order. The decoder knows every type, so nothing that a corrupted worker sends can become
more than these structs or an error.
"""

from __future__ import annotations

import struct

import msgspec

from komodo_tui.ui.terminal.core import Frame, Hit, KeyInput, MouseInput, Options, Scrollbar
from komodo_tui.ui.terminal.cores import CoreName

LENGTH = struct.Struct("!I")
MAX_MESSAGE = 64 * 1024 * 1024
"""A frame of the largest screen with a style for every cell stays below; more is a broken peer."""


class Open(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int
    cols: int
    rows: int
    options: Options
    core: CoreName | None = None
    """None: the best there is."""
    guarded: bool = True


class Close(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int


class Feed(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int
    data: bytes


class Resize(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int
    cols: int
    rows: int


class TakeFrame(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int
    force: bool = False


class EncodeKey(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int
    key: KeyInput


class EncodeMouse(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int
    mouse: MouseInput


class EncodePaste(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int
    text: str


class EncodeFocus(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int
    focused: bool


class Scroll(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int
    delta: int


class ScrollTo(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int
    row: int


class ScrollBottom(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int


class GetScrollbar(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int


class Search(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int
    text: str
    limit: int


class GetText(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pane: int
    start_row: int
    start_col: int
    end_row: int
    end_col: int


Request = (
    Open | Close | Feed | Resize | TakeFrame | EncodeKey | EncodeMouse | EncodePaste | EncodeFocus
    | Scroll | ScrollTo | ScrollBottom | GetScrollbar | Search | GetText
)  # fmt: skip


class Opened(msgspec.Struct, frozen=True):
    """Reply to :class:`Open`."""

    core: CoreName
    feed_slice: int


REPLY_TYPES: dict[type, type | None] = {
    Open: Opened, Close: None, Feed: bytes, Resize: bytes, TakeFrame: Frame, EncodeKey: bytes, EncodeMouse: bytes,
    EncodePaste: bytes, EncodeFocus: bytes, Scroll: Scrollbar, ScrollTo: Scrollbar, ScrollBottom: Scrollbar,
    GetScrollbar: Scrollbar, Search: list[Hit], GetText: str,
}  # fmt: skip

encoder = msgspec.msgpack.Encoder()
request_decoder = msgspec.msgpack.Decoder(Request)
reply_decoders = {request: msgspec.msgpack.Decoder(reply) for request, reply in REPLY_TYPES.items()}


def pack(message: object) -> bytes:
    """A message with its length in front."""
    body = encoder.encode(message)
    return LENGTH.pack(len(body)) + body
