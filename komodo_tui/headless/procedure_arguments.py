"""Arguments of ``procedure``, and of ``--run-procedure``."""

from __future__ import annotations

import argparse

from komodo_tui.headless.parsing import Parser, Verbs, count


def pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(text)
    return name, value


pair.__name__ = "NAME=VALUE"


def run_options(parser: argparse.ArgumentParser) -> None:
    """What a run takes."""
    group = parser.add_argument_group("runs of procedures")
    group.add_argument("--param", type=pair, action="append", default=[], metavar="NAME=VALUE",
                       help="a parameter of the procedure (repeat)")  # fmt: skip
    group.add_argument("--dry-run", action="store_true", help="say what each step would touch, and change nothing")
    group.add_argument(
        "--quiet", action="store_true", help="print nothing when all went well, so that cron mails failures"
    )
    group.add_argument("-s", "--server", dest="only", action="append", default=[], metavar="SERVER",
                       help="touch only this one (repeat)")  # fmt: skip
    group.add_argument("--lock", choices=("wait", "fail"), help="what to do while another run of it is under way")
    group.add_argument("--run-id", default="", help=argparse.SUPPRESS)
    group.add_argument("--resume", metavar="RUN", default="", help="go on with a run whose process is gone")
    group.add_argument("--again", metavar="RUN", default="", help="do again what failed in a run, and only that")


def define_procedures(verbs: Verbs) -> None:
    """``procedure run|list|show|runs|log``."""
    parser = verbs.add(
        "procedure",
        "run procedures, list them, look at their runs",
        examples="  komodo-tui procedure run nightly --param pattern='apache*'\n  komodo-tui procedure log 20261126 -f",
    )
    inner = Verbs(
        parser.add_subparsers(dest="procedure_verb", metavar="VERB", title="verbs", required=True, parser_class=Parser),
        verbs.common,
    )
    run = inner.add("run", "run a procedure; the same as --run-procedure")
    run.add_argument("name", metavar="NAME", nargs="?", default="")
    run_options(run)
    inner.add("list", "all procedures, with their last run")
    show = inner.add("show", "one procedure as YAML")
    show.add_argument("name", metavar="NAME")
    _answers(inner)
    runs = inner.add("runs", "runs, newest first")
    runs.add_argument("name", metavar="NAME", nargs="?", default="", help="of this procedure only")
    runs.add_argument("--limit", type=count, default=20, metavar="N")
    log = inner.add("log", "what a run did, step by step")
    log.add_argument("run", metavar="RUN", help="the beginning of its id will do")
    log.add_argument("--compare", action="store_true", help="with the last run before it that was well")
    log.add_argument("-f", "--follow", action="store_true", help="until it ends")
    _watching(verbs)


def _answers(inner: Verbs) -> None:
    approve = inner.add(
        "approve", "say yes to a run that asks", examples="  komodo-tui procedure approve 20261126-1745"
    )
    refuse = inner.add("refuse", "say no to a run that asks")
    for verb in (approve, refuse):
        verb.add_argument("run", metavar="RUN", help="the beginning of its id will do")
        verb.add_argument("--note", default="", metavar="TEXT", help="kept with the answer")
    stop = inner.add("stop", "stop a run that is under way; what it does is ended, its records are closed")
    stop.add_argument("run", metavar="RUN", help="the beginning of its id will do")


def _watching(verbs: Verbs) -> None:
    watch = verbs.add(
        "watch",
        "run what is due by schedules, pushes and syncs, and look for alerts, until it is stopped",
        about="One process watches a state directory. A program on the screen that does it gives way; a second\n"
        "watch is refused (4). Each due time starts exactly one run. Changes of definitions and settings are taken up.",
        examples="  komodo-tui watch\n  komodo-tui watch --install     # a systemd unit of yours\n"
        "  komodo-tui watch --status      # 0: somebody watches and all of it gets on; 1: not so\n"
        "  * * * * *  komodo-tui watch --once     # in a crontab, instead",
    )
    only = watch.add_mutually_exclusive_group()
    only.add_argument(
        "--once",
        action="store_true",
        help="begin what is due, look at repos, syncs and for alerts, and leave; 1 if any of it failed",
    )
    only.add_argument("--status", action="store_true", help="who watches, how that goes and what comes next")
    only.add_argument("--install", action="store_true", help="write a systemd user unit and say how to start it")
    verbs.add("schedules", "what runs by itself: last time, next time")
