"""Rules for what in a log is trouble. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.regex_cost import repeats, runaway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LONGEST = (16_384, 4_096, 400, 200)
"""Characters of a line that are looked at, by the number of unbounded repeats: ``re`` cannot be interrupted."""
MOST_LINES = 1000
"""That ``at_least`` can ask for."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_CHOICE_REPEATED = re.compile(r"\|[^()]*\)(?:[*+]|\{\d*,\d*\})")


class LogRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert opens when enough lines of one container fit within a time."""

    name: str
    match: str = ""
    """Words a container has to fit: name, server, stack, image, ``!not``. Empty = all."""
    pattern: str
    """A regular expression, looked for anywhere in a line; small letters alone fit capitals too."""
    level: Literal["warning", "critical"] = "warning"
    at_least: int = 1
    """Lines…"""
    within: str = "5m"
    """…in this time; as long after the last of them the alert is over."""

    @property
    def seconds(self) -> float:
        """``within``."""
        return parse_duration(self.within)

    @property
    def longest(self) -> int:
        """Characters of a line that are looked at."""
        return LONGEST[repeats(self.pattern)]

    def regex(self) -> re.Pattern[str]:
        """Compiled."""
        plain = re.sub(r"\\.", "", self.pattern)
        return re.compile(self.pattern, 0 if any(map(str.isupper, plain)) else re.IGNORECASE)

    def containers(self) -> Callable[[str], bool]:
        """Whether a container is meant, by its :func:`~komodo_tui.domain.filters.container_text`."""
        return parse_text(self.match)


def check_log_rules(rules: Iterable[LogRule]) -> None:
    """Raise UsageError where one cannot be used, could take for ever, or has the name of another."""
    names = set[str]()
    for rule in rules:
        if rule.name in names:
            raise UsageError(f"log rule {rule.name!r} needs a name of its own", hint="another one has it")
        names.add(rule.name)
        check_log_rule(rule)


def check_log_rule(rule: LogRule) -> LogRule:
    """Return it, or raise UsageError where it cannot be used, or could take for ever."""
    what = f"log rule {rule.name!r}"
    if not _NAME.fullmatch(rule.name):
        raise UsageError(f"{what} needs a name of its own", hint="letters, digits, dot, dash and underscore")
    rule.containers()
    if not 1 <= rule.at_least <= MOST_LINES or not 1 <= rule.seconds <= 86400:
        raise UsageError(f"{what}: {rule.at_least} lines within {rule.within}", hint="1 to 1000 lines, 1s to 1d")
    try:
        regex = rule.regex()
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(f"{what}: {rule.pattern!r} is no regular expression: {error}") from error
    if regex.match(""):
        raise UsageError(f"{what}: {rule.pattern!r} fits every line", hint="leave out what may be missing")
    if runaway(rule.pattern) or _CHOICE_REPEATED.search(rule.pattern) or repeats(rule.pattern) >= len(LONGEST):
        raise UsageError(
            f"{what}: {rule.pattern!r} could take for ever on some lines",
            hint=f"at most {len(LONGEST) - 1} of * + {{n,}}, and none of a group that repeats or chooses itself",
        )
    return rule
