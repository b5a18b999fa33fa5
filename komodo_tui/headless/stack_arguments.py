"""Arguments of the verbs on stacks and deployments, and of ``plan``, ``apply`` and ``export``."""

from __future__ import annotations

from komodo_tui.headless.act_arguments import confirming
from komodo_tui.headless.parsing import Parser, Verbs, count, server_option

STACK_VERBS = frozenset(
    {"deploy", "diff", "rollback", "destroy", "adopt", "stack", "deployment", "plan", "apply",
     "export", "updates"}
)  # fmt: skip
STACK_ACTS = {
    "start": "start what is stopped of a stack",
    "stop": "stop a stack and keep its containers",
    "restart": "restart a stack",
    "pause": "freeze the processes of a stack",
    "unpause": "let a paused stack go on",
    "pull": "pull the images of a stack and leave what runs as it is",
}


def define_stacks(verbs: Verbs) -> None:
    deploy = _verb(verbs, "deploy", "bring a stack to its servers, and back when it is not well there",
                   "  komodo-tui deploy shop --dry-run\n  komodo-tui deploy shop --server web-1 --yes")  # fmt: skip
    deploy.add_argument(
        "--pull", choices=("missing", "always", "never"), default=None, help="instead of the stack's own"
    )
    deploy.add_argument(
        "--update", action="append", default=[], metavar="SERVICE",
        help="take the newest image of the same tag for this service (repeat)",
    )  # fmt: skip
    rollback = _verb(verbs, "rollback", "return to a revision that was well",
                     "  komodo-tui rollback shop\n  komodo-tui rollback shop --to 7 --server web-1")  # fmt: skip
    rollback.add_argument("--to", type=count, default=0, metavar="N", help="the revision (default: the one before)")
    destroy = _verb(verbs, "destroy", "remove the containers and networks of a stack; volumes and files are kept",
                    "  komodo-tui destroy shop --server web-1")  # fmt: skip
    destroy.add_argument("--volumes", action="store_true", help="its named volumes as well: their data is lost")
    diff = verbs.add(
        "diff",
        "how a stack differs from what is deployed: files, environment, services, drift",
        about="Exit code 1 when it differs, 0 when it does not.",
        examples="  komodo-tui diff shop --server web-1",
    )
    diff.add_argument("stack", metavar="STACK")
    server_option(diff)
    adopt = verbs.add(
        "adopt",
        "make a stack of a compose project that runs already; no container is touched",
        examples="  komodo-tui adopt blog --server web-1 --name blog",
    )
    adopt.add_argument("project", metavar="PROJECT")
    adopt.add_argument("--name", default="", metavar="STACK", help="of the stack (default: the project's)")
    server_option(adopt)
    confirming(adopt)
    _stack(verbs)
    _deployment(verbs)
    _files(verbs)
    _updates(verbs)


def _verb(verbs: Verbs, name: str, help: str, examples: str) -> Parser:
    parser = verbs.add(name, help, examples=examples)
    parser.add_argument("stack", metavar="STACK")
    server_option(parser)
    confirming(parser)
    return parser


def _stack(verbs: Verbs) -> None:
    parser = verbs.add("stack", "list stacks and deployments, look at revisions, forget a stack")
    inner = Verbs(
        parser.add_subparsers(dest="stack_verb", metavar="VERB", title="verbs", required=True, parser_class=Parser),
        verbs.common,
    )
    listing = inner.add("list", "the stacks, and every compose project on the servers")
    server_option(listing)
    revisions = inner.add("revisions", "what was deployed, newest first")
    revisions.add_argument("stack", metavar="STACK")
    server_option(revisions)
    for verb, help in STACK_ACTS.items():
        act = inner.add(verb, f"{help}, or of these services alone")
        act.add_argument("stack", metavar="STACK")
        act.add_argument("service", nargs="*", metavar="SERVICE")
        server_option(act)
        confirming(act)
    remove = inner.add("remove", "forget a stack's definition; what it deployed keeps running")
    remove.add_argument("name", metavar="NAME")
    confirming(remove)


def _deployment(verbs: Verbs) -> None:
    parser = verbs.add("deployment", "list the definitions of single containers, forget one")
    inner = Verbs(
        parser.add_subparsers(
            dest="deployment_verb", metavar="VERB", title="verbs", required=True, parser_class=Parser
        ),
        verbs.common,
    )
    inner.add("list", "the deployments defined; 'stack list' shows what runs")
    made = inner.add(
        "from",
        "print the definition that a container could be deployed from; nothing is changed",
        about="What looks like a secret becomes [[NAME]].\n"
        "To take a container over, remove it, then deploy: volumes stay.",
        examples="  komodo-tui deployment from blog@web-1 > blog.yaml",
    )
    made.add_argument("container", metavar="CONTAINER")
    made.add_argument("--name", default="", metavar="NAME", help="of the deployment (default: the container's)")
    server_option(made)
    remove = inner.add("remove", "forget a deployment's definition; what it deployed keeps running")
    remove.add_argument("name", metavar="NAME")
    confirming(remove)


def _updates(verbs: Verbs) -> None:
    updates = verbs.add(
        "updates",
        "which containers run an image that its registry has replaced",
        about="Agents ask the registries, with the logins that are kept, and remember the answers.",
        examples="  komodo-tui updates\n  komodo-tui updates --now --json\n  komodo-tui deploy shop --update web",
    )
    server_option(updates)
    updates.add_argument(
        "--now", action="store_true", help="ask the registries anew (default: as 'updates.every' says)"
    )
    updates.add_argument("--all", action="store_true", help="also those that are up to date")


def _files(verbs: Verbs) -> None:
    for name, help in (
        ("plan", "say what 'apply' would change in the definitions"),
        ("apply", "bring the definitions to what YAML files say"),
    ):
        parser = verbs.add(name, help, examples=f"  komodo-tui {name} -f fleet.yaml")
        parser.add_argument("-f", "--file", action="append", required=True, metavar="FILE", help="(repeat)")
        parser.add_argument("--delete", action="store_true", help="also forget what the files do not name")
        if name == "apply":
            confirming(parser)
    export = verbs.add(
        "export",
        "write the definitions as YAML that 'apply' takes; secrets are never in it",
        examples="  komodo-tui export > fleet.yaml\n  komodo-tui export --kind stack shop",
    )
    export.add_argument("name", nargs="*", metavar="NAME", help="these alone (default: all)")
    export.add_argument("--kind", action="append", default=[], metavar="KIND", help="server, stack, … (repeat)")
    export.add_argument("-o", "--output", default="", metavar="FILE", help="(default: standard output)")
