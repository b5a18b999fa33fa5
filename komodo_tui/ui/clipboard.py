"""The terminal's clipboard by OSC 52, also through tmux and screen."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT = 74_994
"""Base64 characters most terminals still take (measured by k9s); longer copies are cut off by some."""
_CHUNK = 76
"""screen passes strings of less than about 768 bytes; small pieces are safe."""


@dataclass(frozen=True)
class Copy:
    """What to write to the terminal, and what to tell the person."""

    sequence: str
    """Empty when nothing should be written."""
    doubt: str = ""
    """Why it may not have arrived."""


def osc52(text: str, environ: Mapping[str, str]) -> Copy:
    """The sequence that puts ``text`` on the clipboard of the terminal at the other end."""
    encoded = base64.b64encode(text.encode()).decode("ascii")
    if len(encoded) > LIMIT:
        return Copy("", f"{len(text)} characters are more than terminals take by OSC 52; write it to a file with W")
    plain = f"\x1b]52;c;{encoded}\a"
    if environ.get("TMUX"):
        # tmux takes the plain form when set-clipboard is on, and passes the wrapped one when allow-passthrough is.
        return Copy(plain + _tmux(plain), "in tmux it needs set-clipboard on")
    if environ.get("TERM", "").startswith("screen") or environ.get("STY"):
        return Copy(_screen(plain))
    if environ.get("TERM") in ("linux", "dumb", "vt100"):
        return Copy("", "this terminal has no clipboard")
    return Copy(plain)


def _tmux(sequence: str) -> str:
    escaped = sequence.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{escaped}\x1b\\"


def _screen(sequence: str) -> str:
    pieces = (sequence[n : n + _CHUNK] for n in range(0, len(sequence), _CHUNK))
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
