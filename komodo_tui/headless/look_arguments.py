"""Arguments of the verbs that only look."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from komodo_tui.headless.parsing import CONTAINERS, count, seconds, server_option, span

if TYPE_CHECKING:
    from komodo_tui.headless.parsing import Verbs


LOOKS = frozenset({"status", "ps", "top", "logs", "exec", "attach", "actions", "timeline", "doctor", "info"})


def define_looks(verbs: Verbs) -> None:
    """Each of :data:`LOOKS`."""
    for define in (_status, _ps, _top, _logs, _exec, _attach, _actions, _timeline, _doctor, _info):
        define(verbs)


def _status(verbs: Verbs) -> None:
    parser = verbs.add(
        "status",
        "print how all servers are",
        about="Problems are listed with what to do. A report: exit code 0 even when servers are unreachable.",
        examples="  komodo-tui status\n  komodo-tui status --server web-1 --json",
    )
    server_option(parser)


def _ps(verbs: Verbs) -> None:
    parser = verbs.add(
        "ps",
        "list containers of all servers",
        about="""\
FILTER is what / takes in the screens: words of a name, !word, ~fuzzy, /regex/,
server: state: label: stack: image: health:""",
        examples="  komodo-tui ps -a\n  komodo-tui ps state:exited '!server:edge-1'\n  komodo-tui ps -q 'api'",
    )
    server_option(parser)
    parser.add_argument("filter", nargs="*", metavar="FILTER", help="only those that all terms fit")
    parser.add_argument("-a", "--all", action="store_true", help="also those that do not run")
    parser.add_argument("-q", "--quiet", action="store_true", help="print ids only")


def _top(verbs: Verbs) -> None:
    parser = verbs.add(
        "top",
        "print the busiest containers, or the processes inside one",
        about=CONTAINERS,
        examples="  komodo-tui top\n  komodo-tui top --server web-1 --limit 5\n  komodo-tui top api-1@web-1\n"
        "  komodo-tui top --follow --interval 5 --json",
    )
    server_option(parser)
    parser.add_argument("container", nargs="?", metavar="CONTAINER", help="print the processes inside this one")
    parser.add_argument("-n", "--limit", type=int, default=20, metavar="N", help="how many containers (default 20)")
    parser.add_argument("-f", "--follow", action="store_true", help="again and again, until ^C")
    parser.add_argument("--interval", type=seconds, default=2.0, metavar="S", help="seconds between looks (default 2)")


def _logs(verbs: Verbs) -> None:
    parser = verbs.add(
        "logs",
        "print the logs of one or several containers, merged by time",
        about=CONTAINERS,
        examples="  komodo-tui logs -f api-1\n  komodo-tui logs --since 15m 'api-*' worker@web-2\n"
        "  komodo-tui logs --tail 100 -t db --json",
    )
    server_option(parser)
    parser.add_argument("containers", nargs="+", metavar="CONTAINER")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is written from now on, until ^C")
    parser.add_argument("--since", default="", metavar="WHEN", help="not older: 15m, 2h, 2026-11-24T19:00:00Z")
    parser.add_argument("--until", default="", metavar="WHEN", help="not newer")
    parser.add_argument("--tail", type=count, default=None, metavar="N", help="only the last N lines of each")
    parser.add_argument("-t", "--timestamps", action="store_true", help="print the time of each line")


def _exec(verbs: Verbs) -> None:
    parser = verbs.add(
        "exec",
        "run a command in a container; without one, the best shell it has",
        about="The exit status is the command's own. A terminal is given when standard input is one.\n" + CONTAINERS,
        examples="  komodo-tui exec api-1\n  komodo-tui exec -u root api-1@web-1 -- ls -l /\n"
        "  komodo-tui exec db -- pg_dump shop > shop.sql\n  komodo-tui exec --new api-1 -- bin/migrate",
    )
    server_option(parser)
    parser.add_argument("container", metavar="CONTAINER")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="and its arguments, after --")
    for flag, name in (("-i", "--interactive"), ("-t", "--tty")):
        parser.add_argument(flag, name, action="store_true", help="as docker exec has it; needless: it is so by itself")
    parser.add_argument("-T", "--no-tty", action="store_true", help="no terminal, even when standard input is one")
    parser.add_argument(
        "--new", action="store_true",
        help="in a new container like it (image, environment, mounts, networks; no ports), removed at its end",
    )  # fmt: skip
    parser.add_argument("-u", "--user", default="", metavar="USER")
    parser.add_argument("-w", "--workdir", default="", metavar="DIR")
    parser.add_argument(
        "-e", "--env", action="append", default=[], metavar="NAME=VALUE", help="set a variable (repeat)"
    )


def _attach(verbs: Verbs) -> None:
    parser = verbs.add(
        "attach",
        "go back to a terminal that lives in a server's agent",
        about="TERMINAL is its name, its target or the beginning of its id; needless where only one is open.\n"
        "^] d leaves it running, ^] ^] sends one ^]. The exit status is the program's own, 0 when it is left.",
        examples="  komodo-tui attach --list\n  komodo-tui attach api-1@web-1\n  komodo-tui attach --look 3f2a",
    )
    server_option(parser)
    parser.add_argument("terminal", nargs="?", default="", metavar="TERMINAL")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("-l", "--list", action="store_true", help="print the terminals there are")
    what.add_argument("--look", action="store_true", help="only look: keys and size are not passed on")
    what.add_argument("--end", action="store_true", help="end its program and forget it")


def _actions(verbs: Verbs) -> None:
    parser = verbs.add(
        "actions",
        "print who did what to what, when, and what came of it",
        about="FILTER terms: who:ana act:restart target:api-1 server:web-1 outcome:failed, or words of anything.",
        examples="  komodo-tui actions\n  komodo-tui actions --since 7d outcome:failed\n"
        "  komodo-tui actions --json > actions.jsonl\n  komodo-tui actions --verify",
    )
    parser.add_argument("filter", nargs="*", metavar="FILTER", help="only those that all terms fit")
    parser.add_argument("-n", "--limit", type=count, default=None, metavar="N", help="newest N (default 50; JSON: all)")
    parser.add_argument("--since", default="", metavar="WHEN", help="not older: 2d, 2026-11-24")
    parser.add_argument("--show", default="", metavar="ID", help="one action whole: commands, output, before and after")
    parser.add_argument("--verify", action="store_true", help="check the chain: has anything been altered or removed?")


def _timeline(verbs: Verbs) -> None:
    parser = verbs.add(
        "timeline",
        "print what happened around a time: events, acts, alerts, and how busy the servers were",
        about="Agents keep seconds for an hour, minutes for a week and quarters of an hour for a year, while they run.",
        examples="  komodo-tui timeline --at 02:00\n  komodo-tui timeline --at 3d --span 6h --server web-1\n"
        "  komodo-tui timeline --at 2026-11-24T02:00:00Z --json",
    )
    server_option(parser)
    parser.add_argument("--at", default="", metavar="WHEN", help="the middle of the span: 02:00, 3h ago, a date")
    parser.add_argument("--span", type=span, default=3600.0, metavar="D", help="how long: 30m, 6h (default 1h)")


def _doctor(verbs: Verbs) -> None:
    verbs.add(
        "doctor",
        "check this machine and the state directory, and say what to do",
        about="Exit code 1 when a check fails.",
    )


def _info(verbs: Verbs) -> None:
    verbs.add("info", "print versions, folders and settings, for a bug report")
