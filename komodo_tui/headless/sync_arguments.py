"""Arguments of ``sync`` and ``import``."""

from __future__ import annotations

from komodo_tui.headless.act_arguments import confirming
from komodo_tui.headless.parsing import Parser, Verbs


def define_syncs(verbs: Verbs) -> None:
    """``sync list|plan|apply|commit`` and ``import komodo|dockge``."""
    _import(verbs)
    parser = verbs.add(
        "sync",
        "definitions kept equal to files of a repository: list, plan, apply, commit back",
        about="Syncs are defined in YAML files (plan, apply) or on the Syncs tab.",
        examples="  komodo-tui sync list\n  komodo-tui sync plan fleet\n"
        "  komodo-tui sync apply fleet --only 'stack shop' --yes\n"
        "  komodo-tui sync commit fleet -m 'Raise the limit' --yes",
    )
    inner = Verbs(
        parser.add_subparsers(dest="sync_verb", metavar="VERB", title="verbs", required=True, parser_class=Parser),
        verbs.common,
    )
    inner.add("list", "the syncs, and what the last look found; exit code 1 when one could not be read")
    plan = inner.add("plan", "read the files now, and print what differs; changes nothing")
    plan.add_argument("name", metavar="NAME")
    plan.add_argument("--no-pull", action="store_true", help="read the clone as it is")
    apply = inner.add("apply", "make the definitions as the files say, and deploy where the sync does")
    commit = inner.add("commit", "write what was changed here into the files, as one commit, and push it")
    for verb in (apply, commit):
        verb.add_argument("name", metavar="NAME")
        verb.add_argument(
            "--only", action="append", default=[], metavar="WHAT",
            help="'stack shop' or shop (repeat); conflicts and what was changed here are taken only when named",
        )  # fmt: skip
        confirming(verb)
    commit.add_argument("-m", "--message", default="", metavar="TEXT", help="of the commit")
    commit.add_argument("--author", default="", metavar="WHO", help="Ana Lee <ana@example.com>; else login and host")


def _import(verbs: Verbs) -> None:
    parser = verbs.add(
        "import",
        "make definitions of what Komodo or Dockge keeps",
        about="Writes YAML for `apply` and says what has no match; changes nothing by itself.",
        examples="  komodo-tui import komodo resources/ -o fleet.yaml\n"
        "  komodo-tui import dockge /opt/stacks --on web-1 -o stacks.yaml",
    )
    inner = Verbs(
        parser.add_subparsers(dest="import_verb", metavar="FROM", title="from", required=True, parser_class=Parser),
        verbs.common,
    )
    komodo = inner.add("komodo", "Komodo's resource files: its TOML export, or the files of its syncs")
    komodo.add_argument("file", nargs="+", metavar="FILE", help="TOML files, or folders of them")
    dockge = inner.add("dockge", "Dockge's stacks: a folder of folders with compose files")
    dockge.add_argument("folder", metavar="FOLDER")
    dockge.add_argument("--on", default="local", metavar="SERVER", help="the server the stacks run on (default local)")
    for verb in (komodo, dockge):
        verb.add_argument("-o", "--output", default="", metavar="FILE", help="write there instead of printing")
