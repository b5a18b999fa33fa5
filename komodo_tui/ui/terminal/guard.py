"""Keeps from the native core what is known to kill it.

Cells with hyperlinks (OSC 8) corrupt its pages when lines are deleted or scrolled. So no OSC 8 may reach it: a
zero-width space before the first semicolon makes the number one the core does not know, and ends up in an ignored
sequence. The parser of the core lets control characters stand between the bytes of the introducer, and it takes
0x9D for one inside any escape sequence; both hold here too. In plain text 0x9D is the last byte of a letter
(``”`` is E2 80 9D): there the space is all that happens, and it cannot be seen.

Nothing is held back: what has passed already is remembered, and the space goes into the bytes that complete it.
"""

from __future__ import annotations

import re

_AFTER_ESCAPE = rb"[\x00-\x17\x19\x1c-\x1f\x7f\xa0-\xff]*"
_IN_NUMBER = rb"[\x00-\x06\x08-\x17\x19\x1c-\x1f]*"
"""The bytes that change nothing at their place."""

_HYPERLINK = re.compile(rb"(?:\x1b" + _AFTER_ESCAPE + rb"\]|\x9d)" + _IN_NUMBER + rb"8" + _IN_NUMBER + rb"(?=;)")
_UNFINISHED = re.compile(
    rb"(\x1b)" + _AFTER_ESCAPE + rb"(?:(\])" + _IN_NUMBER + rb"(?:(8)" + _IN_NUMBER + rb")?)?\Z"
    rb"|(\x9d)" + _IN_NUMBER + rb"(?:(8)" + _IN_NUMBER + rb")?\Z"
)  # fmt: skip
_SPOILER = "\u200b".encode()


class Guard:
    """The filter of one terminal's output."""

    def __init__(self) -> None:
        self._begun = b""
        """The start of an introducer that has passed, without the bytes that change nothing: at most three bytes."""

    def clean(self, data: bytes) -> bytes:
        """The same output with every OSC 8 spoiled."""
        begun = self._begun
        escape = max(data.rfind(b"\x1b"), data.rfind(b"\x9d"))
        if not begun and escape < 0:
            return data
        data = begun + data
        unfinished = _UNFINISHED.match(data, escape + len(begun) if escape >= 0 else 0)
        self._begun = b"".join(filter(None, unfinished.groups())) if unfinished else b""
        return _HYPERLINK.sub(lambda found: found.group() + _SPOILER, data)[len(begun) :]
