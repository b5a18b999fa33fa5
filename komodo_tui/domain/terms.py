r"""The words of a filter line, before anybody asks what they mean.

::

    api              contains "api", upper and lower case alike
    "two words"      the same, with spaces in it
    ~apsv            fuzzy: these characters in this order
    /^api-\d+$/      regular expression, upper and lower case alike; it may hold spaces
    state:run        a field, where the list has one of that name; several values: state:run,exit
    !…               any of these turned round

All terms of a line have to hold. A word with a colon whose first half is no field is plain text (``redis:7``).
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

MAX_FILTER = 512
"""Longest filter line, in characters."""

TermKind = Literal["plain", "fuzzy", "regex", "field"]


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One term of a filter line."""

    kind: TermKind
    value: str
    """What is looked for; lower case but for ``regex``."""
    field: str = ""
    """Only for ``field``."""
    negated: bool = False
    pattern: re.Pattern[str] | None = None
    """Only for ``regex``."""

    @property
    def values(self) -> tuple[str, ...]:
        """The alternatives of a field term; empty while none has been typed yet, and for other terms."""
        return tuple(value for value in self.value.split(",") if value) if self.kind == "field" else ()


def split_terms(text: str, fields: Collection[str] = ()) -> tuple[Term, ...]:
    """Take a filter line apart.

    A regular expression or a quote that is not closed goes to the end of the line: it is still being typed.
    Raises :class:`UsageError` naming the expression that cannot be compiled, or a line that is too long.
    """
    if len(text) > MAX_FILTER:
        raise UsageError(f"the filter has {len(text)} characters, {MAX_FILTER} are allowed")
    terms = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        term, position = _next_term(text, position, fields)
        if term is not None:
            terms.append(term)
    return tuple(terms)


def _next_term(text: str, position: int, fields: Collection[str]) -> tuple[Term | None, int]:
    negated = text[position] == "!"
    if negated:
        position += 1
    lead = text[position : position + 1]
    if lead == "/":
        source, position = _until(text, position + 1, "/")
        return (_regex(source, negated) if source else None), position
    if lead == "~":
        word, position = _word(text, position + 1)
        return (Term(kind="fuzzy", value=word.lower(), negated=negated) if word else None), position
    if lead == '"':
        word, position = _until(text, position + 1, '"')
        return (Term(kind="plain", value=word.lower(), negated=negated) if word else None), position
    word, position = _word(text, position)
    name, colon, value = word.partition(":")
    if colon and name.lower() in fields:
        return Term(kind="field", field=name.lower(), value=value.lower(), negated=negated), position
    return (Term(kind="plain", value=word.lower(), negated=negated) if word else None), position


def _until(text: str, position: int, end: str) -> tuple[str, int]:
    r"""Up to an ``end`` that a blank or the line's end follows; ``\`` before it keeps it in."""
    at = position
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == end and (at + 1 == len(text) or text[at + 1].isspace()):
            return text[position:at], at + 1
        at += 1
    return text[position:], len(text)


def _word(text: str, position: int) -> tuple[str, int]:
    """Up to a blank; a part in quotes (``label:"two words"``) may hold blanks."""
    word = []
    quoted = False
    while position < len(text) and (quoted or not text[position].isspace()):
        if text[position] == '"':
            quoted = not quoted
        else:
            word.append(text[position])
        position += 1
    return "".join(word), position


def _regex(source: str, negated: bool) -> Term:
    try:
        pattern = _compile(source)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(
            f"/{source}/ is no regular expression: {error}", hint="correct it, or drop the slashes"
        ) from None
    return Term(kind="regex", value=source, negated=negated, pattern=pattern)


def _compile(source: str) -> re.Pattern[str]:
    """Compile it for rows in lower case: three times as quick as IGNORECASE where the pattern can be lowered too.

    MULTILINE: the fields of a row are joined by line feeds, so ^ and $ mean the ends of a field.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "[[" may mean something else one day: no news for who types it
        pattern = re.compile(source, re.MULTILINE | re.IGNORECASE)
        return _quicker(source) or pattern


def _quicker(source: str) -> re.Pattern[str] | None:
    """The pattern in lower case, None where that would not be the same."""
    if not source.isascii() or _NUMBERED_ESCAPE.search(source):
        return None
    try:
        return re.compile(_CASED.sub(lambda match: match[1] or match[0].lower(), source), re.MULTILINE)
    except re.error:  # e.g. a range over both cases
        return None


_NUMBERED_ESCAPE = re.compile(r"\\[xuUN]")
_CASED = re.compile(r"(\\.|\(\?P)|[A-Z]", re.DOTALL)
"""What keeps its case in a pattern (classes such as ``\\S``, the P of named groups), and what does not."""


def text_test(term: Term) -> Callable[[str], object]:
    """A test of the lower-case text of a row for a plain, fuzzy or regex term; ``negated`` is left to the caller.

    What it returns is true or not, no more is promised.
    """
    if term.pattern is not None:
        return term.pattern.search
    if term.kind == "fuzzy":
        # Each gap stops at what follows it: nothing to backtrack over.
        first, rest = term.value[0], term.value[1:]
        gaps = "".join(f"[^{re.escape(c)}\n]*{re.escape(c)}" for c in rest)
        return re.compile(re.escape(first) + gaps).search
    needle = term.value
    return lambda text: needle in text


def value_test(value: str, *, prefix: bool = False) -> Callable[[str], bool]:
    """A test of one field for one value: a glob where it holds ``*`` or ``?``, else contained (or ``prefix``)."""
    if "*" in value or "?" in value:
        pattern = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in re.sub(r"\*+", "*", value))
        match = re.compile(pattern, re.DOTALL).fullmatch
        return lambda text: match(text) is not None
    if prefix:
        return lambda text: text.startswith(value)
    return lambda text: value in text
