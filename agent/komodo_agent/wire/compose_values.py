"""``[[NAME]]`` in compose files: each becomes a variable of compose's own, ``${VALUE_NAME}``. Pure.

The value goes into the environment that compose runs with: so it is in no file, and cannot change what a file means.
"""

from __future__ import annotations

import re

PREFIX = "VALUE_"
_REFERENCE = re.compile(r"\[\[\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\]\]")


def names_in(text: str) -> tuple[str, ...]:
    """The names that a text refers to, each once, in order."""
    return tuple(dict.fromkeys(_REFERENCE.findall(text)))


def with_variables(text: str) -> str:
    """The same text with compose's variables in their place."""
    return _REFERENCE.sub(lambda match: f"${{{PREFIX}{match[1]}}}", text)
