"""What output that is no longer kept has set in a terminal: as much as is needed to begin in the middle."""

from __future__ import annotations

import re

_SETTINGS = re.compile(
    rb"\x1b\[\?(?P<private>[0-9;]{1,64})(?P<on>[hl])"
    rb"|\x1b\[(?P<ansi>[0-9;]{1,16})(?P<set>[hl])"
    rb"|\x1b(?P<keypad>[=>])"
    rb"|\x1b\[(?P<region>[0-9;]{0,16})r"
    rb"|\x1b\[(?P<cursor>[0-9]{0,2}) q"
    rb"|\x1b\[(?P<pushed>[><=])(?P<keyboard>[0-9;]{0,16})u"
    rb"|\x1b\](?P<title>[02];[^\x07\x1b]{0,256})(?:\x07|\x1b\\)"
    rb"|\x1b(?P<charset>[()][0AB])"
    rb"|\x1b(?P<reset>c)"
    rb"|\x1b\[(?P<soft>!p)"
)
_LONGEST = 300
"""Bytes of the longest sequence that is looked for: so much is looked at again with what follows."""
_MANY = 64
_ALTERNATE = {b"47", b"1047", b"1049"}
_NO_STATE = {b"2026", b"1048", b"3"}
"""Modes that must not be set again: a drawing held back, a cursor saved, a change of columns."""


class Modes:
    """Follows the sequences that set something for longer than the next line."""

    def __init__(self) -> None:
        self._tail = b""
        self._forget()

    def _forget(self) -> None:
        self._private: dict[bytes, bytes] = {}
        self._ansi: dict[bytes, bytes] = {}
        self._one: dict[str, bytes] = {}
        self._keyboard: list[bytes] = []

    def take(self, data: bytes) -> None:
        """The next output."""
        data = self._tail + data
        done = 0
        for match in _SETTINGS.finditer(data):
            self._set(match)
            done = match.end()
        rest = data[max(done, len(data) - _LONGEST) :]
        begin = rest.rfind(b"\x1b")  # a sequence may go on in what follows
        self._tail = rest[begin:] if begin >= 0 else b""

    def _set(self, match: re.Match[bytes]) -> None:
        kind = match.lastgroup
        if kind == "reset":
            self._forget()
        elif kind == "soft":
            self._private = {k: v for k, v in self._private.items() if k in _ALTERNATE}
            self._ansi.clear()
        elif kind == "on":
            _put(self._private, match["private"], match["on"])
        elif kind == "set":
            _put(self._ansi, match["ansi"], match["set"])
        elif kind == "keyboard":
            self._push(match["pushed"], match[0])
        elif kind is not None:
            self._one[kind] = match[0]

    def _push(self, how: bytes, sequence: bytes) -> None:
        if how == b"<":
            del self._keyboard[-1:]
        else:
            self._keyboard = [*self._keyboard[-7:], sequence]

    def restore(self) -> bytes:
        """What sets it all in a terminal that was just reset."""
        private = dict(self._private)
        alternate = [number for number in _ALTERNATE if private.pop(number, b"l") == b"h"]
        return b"".join(
            [
                *(b"\x1b[?" + number + b"h" for number in alternate),
                *(b"\x1b[?" + number + on for number, on in private.items() if number not in _NO_STATE),
                *(b"\x1b[" + number + on for number, on in self._ansi.items()),
                *self._one.values(),
                *self._keyboard,
            ]
        )


def _put(settings: dict[bytes, bytes], numbers: bytes, on: bytes) -> None:
    for number in numbers.split(b";"):
        settings.pop(number, None)
        if number and len(settings) < _MANY:
            settings[number] = on
