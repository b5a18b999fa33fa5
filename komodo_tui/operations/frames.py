"""The frames of an image on its way, as far as this side looks at them: it counts what passes, and keeps nothing."""

from __future__ import annotations

from komodo_agent.wire.ships import DATA, END, FRAME_HEAD, FRAME_LIMIT, PACKED
from komodo_tui.domain.errors import ActError


def frame(kind: bytes, body: bytes) -> bytes:
    """One frame."""
    return FRAME_HEAD.pack(kind, len(body), len(body)) + body


class FrameMeter:
    """Walks over the heads of the frames in a stream that comes in arbitrary pieces. Pure."""

    def __init__(self) -> None:
        self.passed = 0
        """Bytes on the wire."""
        self.plain = 0
        """Bytes of layers in them, unpacked."""
        self.saved = 0
        """Bytes of them that packing has kept off the wire."""
        self.ended = False
        self._skip = 0
        self._head = b""

    def feed(self, piece: bytes) -> None:
        """Take the next piece.

        Raises:
            ActError: that is no row of frames.
        """
        self.passed += len(piece)
        at = 0
        while at < len(piece):
            if self._skip:
                step = min(self._skip, len(piece) - at)
                self._skip -= step
                at += step
                continue
            need = FRAME_HEAD.size - len(self._head)
            self._head += piece[at : at + need]
            at += min(need, len(piece) - at)
            if len(self._head) == FRAME_HEAD.size:
                self._begin()

    def _begin(self) -> None:
        kind, stored, plain = FRAME_HEAD.unpack(self._head)
        if stored > FRAME_LIMIT or plain > FRAME_LIMIT:
            raise ActError("what the source sends is no image", hint="are both agents of the same version?")
        self._head, self._skip = b"", stored
        if kind in (DATA, PACKED):
            self.plain += plain
            self.saved += plain - stored
        self.ended = self.ended or kind == END
