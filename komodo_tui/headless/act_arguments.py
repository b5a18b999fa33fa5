"""Arguments of the verbs that act, and of ``server``."""

from __future__ import annotations

from komodo_tui.headless.parsing import CONTAINERS, Parser, Verbs, count, server_option


def confirming(parser: Parser) -> None:
    group = parser.add_argument_group("confirmation")
    group.add_argument("-y", "--yes", action="store_true", help="do not ask (needed where nobody can be asked)")
    group.add_argument("--confirm", default="", metavar="PHRASE", help="the phrase that the policy wants typed")
    group.add_argument("--dry-run", action="store_true", help="print the plan and change nothing")


ACTS = frozenset({"start", "stop", "restart", "pause", "unpause", "kill", "rm", "rename"})


def define_acts(verbs: Verbs) -> None:
    _act(verbs, "start", "start containers")
    _timed(_act(verbs, "stop", "stop containers"))
    _timed(_act(verbs, "restart", "restart containers", examples="  komodo-tui restart 'api-*@web-1'\n"))
    _act(verbs, "pause", "pause containers: their processes stand still")
    _act(verbs, "unpause", "let paused containers go on")
    kill = _act(verbs, "kill", "send a signal to containers")
    kill.add_argument("--signal", default="", metavar="NAME", help="default KILL")
    remove = _act(verbs, "rm", "remove containers", examples="  komodo-tui rm --volumes old-1 old-2\n")
    remove.add_argument("-f", "--force", action="store_true", help="also those that run")
    remove.add_argument("-v", "--volumes", action="store_true", help="their anonymous volumes as well")
    rename = verbs.add("rename", "give a container another name", about=CONTAINERS)
    rename.add_argument("containers", nargs=1, metavar="CONTAINER")
    rename.add_argument("new_name", metavar="NEW_NAME")
    server_option(rename)
    confirming(rename)


def _act(verbs: Verbs, name: str, help: str, *, examples: str = "") -> Parser:
    parser = verbs.add(
        name,
        help,
        about=CONTAINERS,
        examples=f"{examples}  komodo-tui {name} api-1\n  komodo-tui {name} --yes 'api-*' --server web-1",
    )
    parser.add_argument("containers", nargs="+", metavar="CONTAINER")
    server_option(parser)
    confirming(parser)
    return parser


def _timed(parser: Parser) -> None:
    parser.add_argument("--time", type=count, default=None, metavar="S", help="seconds before it is killed")


def define_server(verbs: Verbs) -> None:
    parser = verbs.add(
        "server",
        "add, edit, remove, list and check servers, install agents",
        examples="  komodo-tui server add web-1 deploy@web-1.example --tag prod\n  komodo-tui server check\n"
        "  komodo-tui server install-agent web-1",
    )
    inner = Verbs(
        parser.add_subparsers(dest="server_verb", metavar="VERB", title="verbs", required=True, parser_class=Parser),
        verbs.common,
    )
    for define in (_server_add, _server_edit, _server_rest):
        define(inner)


def _server_add(verbs: Verbs) -> None:
    add = verbs.add(
        "add",
        "add a server, and install the agent there when it has none",
        about="ADDRESS is 'local', [user@]host[:port] or an alias of ~/.ssh/config.",
        examples="  komodo-tui server add web-1 deploy@web-1.example --tag prod --tag web\n"
        "  komodo-tui server add web-1 web-1 --accept-key SHA256:… --yes",
    )
    add.add_argument("name", metavar="NAME")
    add.add_argument("address", metavar="ADDRESS")
    _server_fields(add)
    add.add_argument("--no-install", action="store_true", help="only define it; do not connect")
    add.add_argument("--accept-key", default="", metavar="FINGERPRINT", help="the host key to accept when it is new")
    confirming(add)


def _server_edit(verbs: Verbs) -> None:
    edit = verbs.add(
        "edit",
        "change a server's definition; what is not named stays",
        examples="  komodo-tui server edit web-1 --address deploy@10.0.0.7\n  komodo-tui server edit web-1 --tag prod",
    )
    edit.add_argument("name", metavar="NAME")
    edit.add_argument("--address", default=None, metavar="ADDRESS")
    _server_fields(edit)
    edit.add_argument("--no-tags", action="store_true", help="take all tags away")
    confirming(edit)


def _server_fields(parser: Parser) -> None:
    parser.add_argument("--tag", action="append", default=None, metavar="TAG", help="(repeat)")
    parser.add_argument("--description", default=None, metavar="TEXT")
    parser.add_argument("--agent-socket", default=None, metavar="PATH", help="of the agent, where it is not the usual")


def _server_rest(verbs: Verbs) -> None:
    verbs.add("list", "list the servers as defined, without connecting")
    check = verbs.add(
        "check",
        "connect and say how each server is reached, step by step",
        about="Exit code 3 when one of them cannot be reached.",
    )
    check.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    remove = verbs.add("remove", "forget a server; nothing on it is touched", aliases=("rm",))
    remove.add_argument("name", metavar="NAME")
    confirming(remove)
    install = verbs.add("install-agent", "install or upgrade the agent on a server, over SSH")
    install.add_argument("name", metavar="NAME")
    confirming(install)
    accept = verbs.add(
        "accept-key",
        "remember a server's host key that was never seen before",
        about="Compare the fingerprint with the server's own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
    )
    accept.add_argument("name", metavar="NAME")
    accept.add_argument("fingerprint", nargs="?", default="", metavar="FINGERPRINT", help="SHA256:… as compared")
    confirming(accept)
