"""The command line: what verbs there are and what each takes. Light: argparse is all it needs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from komodo_tui import __version__
from komodo_tui.headless.act_arguments import ACTS, define_acts, define_server
from komodo_tui.headless.alert_arguments import define_alerts
from komodo_tui.headless.build_arguments import BUILD_VERBS, define_builds
from komodo_tui.headless.look_arguments import LOOKS, define_looks
from komodo_tui.headless.parsing import Parser, Verbs, common_options, examples_formatter
from komodo_tui.headless.procedure_arguments import define_procedures, run_options
from komodo_tui.headless.repo_arguments import define_repos
from komodo_tui.headless.resource_arguments import RESOURCE_VERBS, define_resources
from komodo_tui.headless.stack_arguments import STACK_VERBS, define_stacks
from komodo_tui.headless.sync_arguments import define_syncs
from komodo_tui.headless.value_arguments import VALUE_VERBS, define_values

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_CODES = """\
exit codes:
  0 done · 1 the act failed · 2 bad usage or bad definitions · 3 server unreachable
  4 refused (read-only, locked, not confirmed) · 5 partly failed · 130 interrupted
"""


_DEFAULTS: dict[str, object] = {
    "home": None, "read_only": False, "json": False, "color": "auto", "ascii": False, "plain": False,
    "ssh_config": None, "timeout": None,
}  # fmt: skip
"""Of the common options, which verbs share: argparse would reset what stood before the verb."""


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line; ``verb`` is None for the TUI. Exits with 2 on bad usage, 0 after help."""
    return _parser(_groups(argv)).parse_args(argv, argparse.Namespace(**_DEFAULTS))


def _groups(argv: list[str]) -> list[Callable[[Verbs], None]]:
    """Who defines the verb asked for; all of them where none is, or help is: defining them takes time."""
    known = {
        **dict.fromkeys(LOOKS, define_looks),
        **dict.fromkeys(ACTS, define_acts),
        "server": define_server,
        "repo": define_repos,
        **dict.fromkeys(("sync", "import"), define_syncs),
        **dict.fromkeys(BUILD_VERBS, define_builds),
        **dict.fromkeys(STACK_VERBS, define_stacks),
        **dict.fromkeys(("procedure", "watch", "schedules"), define_procedures),
        "alerts": define_alerts,
        **dict.fromkeys(RESOURCE_VERBS, define_resources),
        **dict.fromkeys(VALUE_VERBS, define_values),
    }
    named = {known[word] for word in argv if word in known}
    if len(named) == 1 and {"-h", "--help"}.isdisjoint(argv):
        return list(named)
    return [
        define_looks, define_acts, define_stacks, define_resources, define_values, define_procedures, define_repos,
        define_syncs, define_builds, define_alerts, define_server,
    ]  # fmt: skip


def _parser(groups: list[Callable[[Verbs], None]]) -> Parser:
    common = common_options()
    parser = Parser(
        prog="komodo-tui",
        parents=[common],
        description="Run a fleet of Docker servers from the keyboard, over SSH, with nothing to host.",
        formatter_class=examples_formatter,
        epilog="""\
Without a verb the program opens its screens; where there is no terminal it prints the status overview.

examples:
  komodo-tui                                 look at the fleet
  komodo-tui server add web-1 deploy@web-1   manage one more server, over SSH
  komodo-tui status                          how are all servers?
  komodo-tui logs -f 'api-*'                 follow the logs of many containers as one
  komodo-tui restart api-1@web-1             see the plan, say yes
  komodo-tui restart 'api-*' --yes --json    from cron or CI

"""
        + EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"komodo-tui {__version__}")
    parser.add_argument("--run-procedure", metavar="NAME", help="run the procedure of that name (for cron)")
    run_options(parser)
    parser.set_defaults(verb=None)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs", parser_class=Parser)
    for define in groups:
        define(Verbs(verbs, common))
    return parser
