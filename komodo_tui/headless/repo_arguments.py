"""Arguments of ``repo``."""

from __future__ import annotations

from komodo_tui.headless.act_arguments import confirming
from komodo_tui.headless.parsing import Parser, Verbs, count, server_option


def define_repos(verbs: Verbs) -> None:
    """``repo list|status|pushes|clone|pull|fetch|remove``."""
    parser = verbs.add(
        "repo",
        "clones of git repositories on the servers: list, clone, pull, how they stand",
        about="Repos are defined in YAML files (plan, apply) or on the Repos tab.",
        examples="  komodo-tui repo list\n  komodo-tui repo status shop --json\n  komodo-tui repo pull shop --yes",
    )
    inner = Verbs(
        parser.add_subparsers(dest="repo_verb", metavar="VERB", title="verbs", required=True, parser_class=Parser),
        verbs.common,
    )
    listing = inner.add("list", "the repos, and how their clones stand on each server")
    server_option(listing)
    status = inner.add("status", "one repo: commits, changed files; exit code 1 when a clone is not as it should be")
    status.add_argument("name", metavar="NAME")
    server_option(status)
    pushes = inner.add("pushes", "what was pushed, and what became of it; which branches are looked at")
    pushes.add_argument("name", nargs="?", default="", metavar="NAME")
    pushes.add_argument("-n", "--limit", type=count, default=20, metavar="N", help="newest N (default 20)")
    push = inner.add("push", "set off what a push would, by hand: the watch does it, whatever files changed")
    push.add_argument("name", metavar="NAME")
    for verb, help in (
        ("clone", "clone it, or clone it anew; files that git does not know stay"),
        ("pull", "bring the clones to the branch's last commit, or to the pinned one"),
        ("fetch", "look for new commits; files stay as they are"),
        ("remove", "remove the clones from the servers, with their files"),
    ):
        act = inner.add(verb, help)
        act.add_argument("name", metavar="NAME")
        server_option(act)
        if verb != "fetch":
            act.add_argument("--discard", action="store_true", help="throw away what was changed in the clones")
        confirming(act)
    commit = inner.add("commit", "commit what was changed in the clone of one server, and push it")
    commit.add_argument("name", metavar="NAME")
    server_option(commit)
    commit.add_argument("-m", "--message", required=True, metavar="TEXT")
    commit.add_argument("--author", default="", metavar="WHO", help="Ana Lee <ana@example.com>; else login and host")
    confirming(commit)
