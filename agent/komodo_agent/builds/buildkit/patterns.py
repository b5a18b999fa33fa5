"""The patterns of ``.dockerignore``. Pure.

BuildKit reads the file and tells the patterns; which files they mean is for the side that has the files to find out.
Rules: https://docs.docker.com/build/concepts/context/#dockerignore-files, and ``moby/patternmatcher`` where they are
silent: the last pattern that fits decides, and what fits a folder fits all that is in it.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_WILD = frozenset("*?[]^\\")
_MOST = 5000
_LONGEST = 4096


class _Pattern(NamedTuple):
    text: str
    form: re.Pattern[str]
    exception: bool

    @property
    def start(self) -> str | None:
        """The folder or file it begins with, where no sign stands before its end; None = it may fit anywhere."""
        text = self.text.removesuffix("/**").removesuffix("/*")
        return None if _WILD.intersection(text) else text


class Patterns:
    """A list of patterns, in its order."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises ValueError: one of them makes no sense."""
        self._patterns = [made for pattern in patterns if (made := _made(pattern)) is not None]
        if len(self._patterns) > _MOST:
            raise ValueError(f"more than {_MOST} patterns")

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def match(self, path: str, above: tuple[bool, ...]) -> tuple[bool, tuple[bool, ...]]:
        """Whether the path is meant, and what to hand over for what is in it.

        Args:
            path: relative, with slashes.
            above: what this returned of its folder; empty at the top.
        """
        meant = False
        each = []
        for index, pattern in enumerate(self._patterns):
            fits = bool(above) and above[index]
            if not fits and pattern.exception == meant:
                fits = pattern.form.fullmatch(path) is not None
            each.append(fits)
            if fits:
                meant = not pattern.exception
        return meant, tuple(each)

    def may_begin_in(self, folder: str, *, exception: bool) -> bool:
        """Whether one of the patterns (or of the exceptions) may fit something in this folder that does not fit it."""
        for pattern in self._patterns:
            if pattern.exception == exception:
                start = pattern.start
                if start is None or f"{start}/".startswith(f"{folder}/"):
                    return True
        return False


def _made(pattern: str) -> _Pattern | None:
    text = pattern.strip()
    if not text:
        return None
    if len(text) > _LONGEST:
        raise ValueError(f"a pattern has more than {_LONGEST} characters")
    exception = text.startswith("!")
    text = posixpath.normpath(text[1:].strip() if exception else text)
    if exception and text == ".":
        raise ValueError("pattern '!' makes no sense")
    text = "/" + text.lstrip("/") if text.startswith("//") else text
    try:
        return _Pattern(text, re.compile(_form(text), re.DOTALL), exception)
    except re.error as error:
        raise ValueError(f"pattern {text[:80]!r} makes no sense") from error


def _form(text: str) -> str:
    """As a regular expression."""
    rest = text.removeprefix("**")
    if rest != text and not rest.startswith("/") and not _WILD.intersection(rest):
        return ".*" + re.escape(rest)  # **.log: whatever ends like this
    out, at = "", 0
    while at < len(text):
        sign = text[at]
        if text.startswith("**", at):
            at += 2
            if text.startswith("/", at):
                at += 1
            out += ".*" if at == len(text) else "(?:.*/)?"
            continue
        if sign == "[":
            end = text.find("]", at + 2)
            if end < 0:
                raise ValueError(f"pattern {text[:80]!r} has a [ without a ]")
            out, at = out + _one_of(text[at + 1 : end]), end + 1
            continue
        if sign == "\\" and at + 1 < len(text):
            out, at = out + re.escape(text[at + 1]), at + 2
            continue
        out += {"*": "[^/]*", "?": "[^/]"}.get(sign) or re.escape(sign)
        at += 1
    return out


def _one_of(text: str) -> str:
    """What stands between brackets: signs and spans of signs; none of them, after a ``^``."""
    without = text.startswith("^")
    signs = text[without:]
    out, at = "", 0
    while at < len(signs):
        span = signs[at + 1 : at + 2] == "-" and at + 2 < len(signs)
        out += f"{re.escape(signs[at])}-{re.escape(signs[at + 2])}" if span else re.escape(signs[at])
        at += 3 if span else 1
    return f"[{'^' if without else ''}{out}]"
