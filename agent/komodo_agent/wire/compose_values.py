"""``[[NAME]]`` in compose files: each becomes a variable of compose's own, ``${VALUE_NAME}``. Pure.

The value goes into the environment that compose runs with: so it is in no file, and cannot change what a file means.
``[[build.NAME]]``, the image of a build, may have letters that a variable cannot: they are written as their code.
"""

from __future__ import annotations

import re

PREFIX = "VALUE_"
NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}|build\.[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
"""What may stand between the brackets."""
_REFERENCE = re.compile(rf"\[\[\s*({NAME})\s*\]\]")
_BUILD = "build."
_CODED = f"{PREFIX}build_2e_"


def names_in(text: str) -> tuple[str, ...]:
    """The names that a text refers to, each once, in order."""
    return tuple(dict.fromkeys(_REFERENCE.findall(text)))


def with_variables(text: str) -> str:
    """The same text with compose's variables in their place."""
    return _REFERENCE.sub(lambda match: f"${{{variable_of(match[1])}}}", text)


def variable_of(name: str) -> str:
    """The variable that stands for a name."""
    if not name.startswith(_BUILD):
        return f"{PREFIX}{name}"
    coded = re.sub(r"[^A-Za-z0-9]", lambda match: f"_{ord(match[0]):02x}_", name.removeprefix(_BUILD))
    return f"{_CODED}{coded}"


def shown(variable: str) -> str:
    """A variable as its author knows it: ``[[build.app]]``, ``HTTP_PORT``."""
    return f"[[{name_of(variable)}]]" if variable.startswith(PREFIX) else f"environment: {variable}"


def name_of(variable: str) -> str:
    """The name behind a variable."""
    if not variable.startswith(_CODED):
        return variable.removeprefix(PREFIX)
    plain = re.sub(r"_([0-9a-f]{2})_", lambda match: chr(int(match[1], 16)), variable.removeprefix(_CODED))
    return f"{_BUILD}{plain}"
