"""Arguments of ``secret``, ``var`` and ``registry``."""

from __future__ import annotations

from komodo_tui.headless.act_arguments import confirming
from komodo_tui.headless.parsing import Parser, Verbs, count, server_option

VALUE_VERBS = frozenset({"secret", "var", "registry"})


def define_values(verbs: Verbs) -> None:
    """Each of :data:`VALUE_VERBS`."""
    _registry(verbs)
    _define(
        verbs,
        "secret",
        "secret",
        "The value is read from standard input, or asked for without showing it: never given as an argument.",
        "  komodo-tui secret set DB_PASSWORD\n  komodo-tui secret set TOKEN --scope stack:shop < token.txt\n"
        "  komodo-tui secret list\n  komodo-tui secret rm TOKEN --scope stack:shop",
    )
    _define(
        verbs,
        "var",
        "variable",
        "The value is an argument, or read from standard input.",
        "  komodo-tui var set TAG 1.9\n  komodo-tui var set TAG 2.0 --scope server:edge-3\n"
        "  komodo-tui var list --json",
    )


def _define(verbs: Verbs, verb: str, noun: str, about: str, examples: str) -> None:
    scopes = "[[NAME]] is looked up on the server, then on the stack, then everywhere."
    parser = verbs.add(verb, f"set, list and remove {noun}s", about=f"{about}\n{scopes}", examples=examples)
    inner = Verbs(
        parser.add_subparsers(dest="value_verb", metavar="VERB", title="verbs", required=True, parser_class=Parser),
        verbs.common,
    )
    set_one = inner.add("set", f"set a {noun}")
    _named(set_one)
    if verb == "var":
        set_one.add_argument("value", nargs="?", default=None, metavar="VALUE", help="default: from standard input")
    confirming(set_one)
    inner.add("list", f"list the {noun}s" + ("; never their values" if verb == "secret" else ""))
    remove = inner.add("rm", f"remove a {noun}", aliases=("remove",))
    _named(remove)
    confirming(remove)


def _registry(verbs: Verbs) -> None:
    parser = verbs.add(
        "registry",
        "keep the logins of registries; start, look into and tidy a registry of your own",
        about="The password is read from standard input, or asked for without showing it.",
        examples="  komodo-tui registry login ghcr.io --username ana < token.txt\n  komodo-tui registry list\n"
        "  komodo-tui registry start --server web-1\n  komodo-tui registry show\n"
        "  komodo-tui registry delete shop/api:1.2 --server web-1",
    )
    inner = Verbs(
        parser.add_subparsers(dest="value_verb", metavar="VERB", title="verbs", required=True, parser_class=Parser),
        verbs.common,
    )
    login = inner.add("login", "keep a login")
    login.add_argument("name", metavar="HOST", help="docker.io for Docker Hub")
    login.add_argument("-u", "--username", required=True, metavar="NAME")
    confirming(login)
    inner.add("list", "list the logins; never their passwords")
    check = inner.add("check", "whether the registry takes the login that is kept, from each server")
    check.add_argument("name", metavar="HOST")
    server_option(check)
    logout = inner.add("logout", "forget a login")
    logout.add_argument("name", metavar="HOST")
    confirming(logout)
    _own_registry(inner)


def _own_registry(inner: Verbs) -> None:
    start = inner.add(
        "start",
        "start a registry on a server",
        about="It asks for the login kept under its address; without one it is open, and listens on loopback alone.",
        examples="  komodo-tui registry start --server web-1\n"
        "  komodo-tui registry login registry.example:5000 -u ana && "
        "komodo-tui registry start --server web-1 --listen 0.0.0.0 --address registry.example:5000",
    )
    server_option(start)
    start.add_argument("--name", default="komodo-registry", metavar="NAME", help="of its container (komodo-registry)")
    start.add_argument("--image", default="registry:2", metavar="IMAGE", help="default registry:2")
    start.add_argument("--listen", default="127.0.0.1", metavar="IP", help="default 127.0.0.1")
    start.add_argument("--port", type=count, default=5000, metavar="PORT", help="default 5000")
    start.add_argument("--address", default="", metavar="HOST[:PORT]", help="what images are named with")
    start.add_argument("--open", action="store_true", help="without a password, also where a login is kept")
    confirming(start)
    show = inner.add("show", "show the repositories, tags and sizes of the registries started from here")
    server_option(show)
    delete = inner.add("delete", "delete images from a registry; `registry collect` then frees their space")
    delete.add_argument("images", nargs="+", metavar="REPOSITORY[:TAG]")
    collect = inner.add("collect", "free the space of what no tag needs any more")
    for parser in (delete, collect):
        parser.add_argument("--name", default="", metavar="NAME", help="of its container, where there are several")
        server_option(parser)
        confirming(parser)


def _named(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--scope", default="", metavar="SCOPE", help="global (default), server:NAME or stack:NAME")
