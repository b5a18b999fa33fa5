"""What the verbs' argument parsers share."""

from __future__ import annotations

import argparse
import sys
from typing import Any, NoReturn

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import ExitCode, UsageError

examples_formatter = argparse.RawDescriptionHelpFormatter
CONTAINERS = """\
A CONTAINER is a name, the start of an id, a pattern of names ('api-*'), re:REGEX, label:KEY[=VALUE] or stack:NAME,
on one server (web-1/api-1 or api-1@web-1) or on all. A name that several servers have must say which one is meant.
"""


class Parser(argparse.ArgumentParser):
    """Argparse with our exit code and a pointer to the help."""

    otherwise: tuple[str, frozenset[str]] | None = None
    """The verb that is meant where none of these is said; argparse has no such thing."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Fill in the verb that is meant. What a verb does not know is told with its own usage and help."""
        if self.otherwise is not None and args is not None and not self.otherwise[1].intersection(args[:1]):
            args = [self.otherwise[0], *args]
        found, strange = super().parse_known_args(args, namespace)
        if strange:  # nobody further out would take it
            self.error(f"unrecognized arguments: {' '.join(strange)}")
        return found, strange

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Of many choices name those that are near."""
        choices = [str(choice) for choice in action.choices or ()]
        if action.choices is None or value in action.choices:
            return
        from difflib import get_close_matches  # late: only a mistake needs it

        near = get_close_matches(str(value), choices, 3, cutoff=0.7)
        there = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(choices)}"
        raise argparse.ArgumentError(action, f"there is no {value!r}; {there}")

    def error(self, message: str) -> NoReturn:
        """Bad usage: exit 2."""
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\n  try: {self.prog} --help\n")


class Verbs:
    """Adds verbs that share the common options."""

    def __init__(self, verbs: argparse._SubParsersAction[Parser], common: Parser) -> None:
        self._verbs = verbs
        self.common = common

    def add(
        self, name: str, help: str, *, examples: str = "", about: str = "", aliases: tuple[str, ...] = ()
    ) -> Parser:
        """A verb with examples in its help."""
        epilog = "\n".join(filter(None, [about, f"examples:\n{examples}" if examples else ""]))
        return self._verbs.add_parser(
            name,
            help=help,
            description=help[0].upper() + help[1:] + ".",
            parents=[self.common],
            aliases=aliases,
            formatter_class=examples_formatter,
            epilog=epilog,
        )


def common_options() -> Parser:
    """Options that may stand before or after the verb. Their defaults are set once, by the main parser."""
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("common options")
    group.add_argument("--home", metavar="DIR", help="keep state and settings there (else $KOMODO_TUI_HOME, else XDG)")
    group.add_argument("--read-only", action="store_true", help="refuse every act")
    group.add_argument("--json", action="store_true", help="print JSON: one document, or a line each for streams")
    group.add_argument("--color", choices=("auto", "never"), help="never: no colours (NO_COLOR does the same)")
    group.add_argument("--ascii", action="store_true", help="draw with ASCII alone")
    group.add_argument("--plain", action="store_true", help="plain lines for screen readers: no table, no screens")
    group.add_argument("--ssh-config", metavar="FILE", help="read this instead of ~/.ssh/config (as ssh -F)")
    group.add_argument(
        "--timeout",
        type=seconds,
        metavar="S",
        help="seconds to wait for servers (default 10); how long a run of a procedure may take",
    )
    return common


def span(text: str) -> float:
    """A duration that is longer than nothing, in seconds."""
    try:
        value = parse_duration(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if value <= 0:
        raise argparse.ArgumentTypeError("a span is longer than nothing: 30m, 2h, 1d")
    return value


def seconds(text: str) -> float:
    try:
        value = parse_duration(text)
    except UsageError as error:
        raise ValueError(text) from error
    if not 0 < value <= 7 * 86400:
        raise ValueError(text)
    return value


seconds.__name__ = "number of seconds"


def count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


count.__name__ = "count"


def server_option(parser: Parser) -> None:
    parser.add_argument("-s", "--server", action="append", default=[], metavar="SERVER", help="only this one (repeat)")
