"""Arguments of ``build`` and ``builds``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.headless.act_arguments import confirming
from komodo_tui.headless.parsing import server_option

if TYPE_CHECKING:
    from komodo_tui.headless.parsing import Verbs

BUILD_VERBS = frozenset({"build", "builds", "delivery"})


def define_builds(verbs: Verbs) -> None:
    """``build NAME``, ``builds [NAME]``, ``delivery``."""
    delivery = verbs.add(
        "delivery",
        "which commit runs where: builds, their images and the containers of them",
        about="FILTER is words of names, versions, commits, states (live, older, nowhere, failed), stacks, servers.",
        examples="  komodo-tui delivery\n  komodo-tui delivery api --json",
    )
    server_option(delivery)
    delivery.add_argument("filter", nargs="*", metavar="FILTER", help="only those that all terms fit")
    build = verbs.add(
        "build",
        "build an image, give it its tags, bring it where it goes",
        about="Builds are defined in YAML files (plan, apply) or on the Builds tab. Only a build that succeeds uses up "
        "its version.",
        examples="  komodo-tui build api --follow\n  komodo-tui build api --version 2.0.0 --yes --json\n"
        "  komodo-tui build api --resume",
    )
    build.add_argument("name", metavar="NAME")
    build.add_argument("--version", dest="build_version", default="", metavar="V", help="instead of the next one")
    build.add_argument(
        "--server", dest="on", default="", metavar="S", help="build there, of the servers that its definition allows"
    )
    build.add_argument("-f", "--follow", action="store_true", help="print what the build prints, as it comes")
    build.add_argument("--no-follow-up", action="store_true", help="only build: ship, push and redeploy nothing")
    build.add_argument(
        "--resume",
        action="store_true",
        help="build nothing: do what was to follow the last build, and was not done or did not go well",
    )
    build.add_argument("--stop", action="store_true", help="build nothing: stop the build of it that is under way")
    confirming(build)
    listing = verbs.add(
        "builds",
        "the builds and how their last one went; with a name, all there have been of it",
        examples="  komodo-tui builds\n  komodo-tui builds api\n  komodo-tui builds api --log 1.4.2",
    )
    listing.add_argument("name", nargs="?", default="", metavar="NAME")
    listing.add_argument(
        "--log",
        nargs="?",
        const="last",
        default=None,
        metavar="V",
        help="the whole output of a version, or the last one",
    )
