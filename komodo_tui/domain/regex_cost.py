"""Whether a regular expression may take longer than anybody waits.

Python's ``re`` cannot be interrupted and keeps all threads waiting, so what may explode is not run at all.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
      (?P<escaped> \\. )
    | (?P<set>     \[ \^? \]? (?: \\. | [^\]\\] )* \] )
    | (?P<open>    \( )
    | (?P<close>   \) )
    | (?P<repeat>  [*+] | \{ \d* , \d* \} | \{ \d+ \} | \? )
    | (?P<other>   . )
    """,
    re.VERBOSE | re.DOTALL,
)
_SMALL = 8
"""Repeats up to this number are taken for one pass."""


def runaway(source: str) -> bool:
    """Whether a repeated group holds a repeat itself, as in ``(a+)+``: the shape whose time can grow exponentially."""
    holds = [False]  # for each open group, whether an unbounded repeat stands in it
    closed: bool | None = None  # for the group just closed
    for token in _TOKEN.finditer(source):
        kind = token.lastgroup
        if kind == "repeat" and _unbounded(token.group()):
            if closed:
                return True
            holds[-1] = True
            closed = None
        elif kind == "open":
            holds.append(False)
            closed = None
        elif kind == "close" and len(holds) > 1:
            closed = holds.pop()
            holds[-1] |= closed
        else:
            closed = None
    return False


def _unbounded(repeat: str) -> bool:
    if repeat in ("*", "+"):
        return True
    most = repeat.strip("{}").split(",")[-1] if repeat != "?" else "1"
    return not most or int(most) > _SMALL


def repeats(source: str) -> int:
    """How many unbounded repeats it has: the time for a line grows with its length to the power of one more."""
    return sum(token.lastgroup == "repeat" and _unbounded(token.group()) for token in _TOKEN.finditer(source))
