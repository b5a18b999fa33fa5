"""Arguments of ``secret``, ``var`` and ``registry``."""

from __future__ import annotations

from komodo_tui.headless.act_arguments import confirming
from komodo_tui.headless.parsing import Parser, Verbs

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
        "keep the logins of registries, for pulls on every server",
        about="The password is read from standard input, or asked for without showing it.",
        examples="  komodo-tui registry login ghcr.io --username ana < token.txt\n  komodo-tui registry list\n"
        "  komodo-tui registry logout ghcr.io",
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
    logout = inner.add("logout", "forget a login")
    logout.add_argument("name", metavar="HOST")
    confirming(logout)


def _named(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--scope", default="", metavar="SCOPE", help="global (default), server:NAME or stack:NAME")
