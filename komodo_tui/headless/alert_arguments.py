"""Arguments of ``alerts``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.headless.act_arguments import confirming
from komodo_tui.headless.parsing import count, server_option, span

if TYPE_CHECKING:
    from komodo_tui.headless.parsing import Verbs


def define_alerts(verbs: Verbs) -> None:
    """``alerts``."""
    parser = verbs.add(
        "alerts",
        "what is wrong: list alerts, acknowledge or mute them",
        about="""\
Alerts are found by komodo-tui watch, or by the screens while nobody watches. Acknowledging says that somebody takes
care: the alert stays open and presses nobody until it gets worse.
PATTERN is [KIND:][NAME@]SERVER with * and ?, a mount point or a container in the place of NAME.""",
        examples="  komodo-tui alerts\n  komodo-tui alerts --ack 17 --note 'disk ordered'\n"
        "  komodo-tui alerts --mute 'db-*' --for 2h --note 'kernel update'\n"
        "  komodo-tui alerts --mute 'disk:/var@db-01' --for 1d --in 6h\n"
        "  komodo-tui alerts --mute 'cpu:*' --tag prod --every 'sunday 02:00' --for 2h --as backups\n"
        "  komodo-tui alerts --json",
    )
    server_option(parser)
    parser.add_argument("-a", "--all", action="store_true", help="also those that are over")
    parser.add_argument("-n", "--limit", type=count, default=50, metavar="N", help="how many that are over")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--show", type=int, metavar="ID", help="one alert, with all that became of it")
    what.add_argument("--ack", type=int, action="append", default=[], metavar="ID", help="acknowledge it (repeat)")
    what.add_argument("--mute", metavar="PATTERN", default="", help="hear nothing of these for a span")
    what.add_argument("--unmute", type=int, metavar="ID", help="end a mute")
    what.add_argument("--forget", metavar="NAME", default="", help="end maintenance that comes again")
    what.add_argument("--mutes", action="store_true", help="list mutes and maintenance, with the next of each")
    what.add_argument("--alerters", action="store_true", help="list where alerts go, and how that does")
    what.add_argument("--test", metavar="NAME", default="", help="send a test message to an alerter now")
    parser.add_argument("--for", dest="span", type=span, default=3600.0, metavar="SPAN", help="of a mute (default 1h)")
    parser.add_argument("--in", dest="delay", type=span, default=0.0, metavar="SPAN", help="when a mute begins")
    again = parser.add_argument_group("maintenance: a mute that comes again")
    again.add_argument("--every", metavar="WHEN", default="", help="when it begins: 'sunday 02:00', a cron line")
    again.add_argument("--as", dest="name", metavar="NAME", default="", help="its name; one that is there is changed")
    again.add_argument("--zone", default="", help="time zone, like Europe/Berlin (default: this machine's)")
    again.add_argument("--tag", action="append", default=[], help="only servers with this tag (repeat)")
    parser.add_argument("--note", default="", metavar="TEXT", help="why; others see it")
    confirming(parser)
