"""Arguments of the verbs on images, volumes and networks."""

from __future__ import annotations

import argparse

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import UsageError
from komodo_tui.headless.act_arguments import confirming
from komodo_tui.headless.parsing import Parser, Verbs, server_option

RESOURCE_VERBS = frozenset({"images", "volumes", "networks", "prune", "volume", "network"})


def define_resources(verbs: Verbs) -> None:
    """Each of :data:`RESOURCE_VERBS`."""
    _images(verbs)
    for kind in ("volume", "network"):
        _list(verbs, f"{kind}s", kind)
    _prune(verbs)
    _volume(verbs)
    _network(verbs)


def _images(verbs: Verbs) -> None:
    parser = verbs.add(
        "images",
        "list the images of all servers, bring one to other servers, push one to registries",
        about="Without a verb it lists.",
        examples="  komodo-tui images used:no\n  komodo-tui images ship shop/api:1.4 web-1 web-2",
    )
    inner = Verbs(
        parser.add_subparsers(dest="image_verb", metavar="VERB", title="verbs", required=True, parser_class=Parser),
        verbs.common,
    )
    _list(inner, "list", "image")
    parser.otherwise = "list", frozenset({"list", "pull", "tag", "rm", "ship", "push", "-h", "--help"})
    _image_changes(inner)
    ship = inner.add(
        "ship",
        "bring an image straight to other servers, without a registry",
        about="Only the layers that a server lacks are sent, through the tunnels. Broken off, it goes on from there.\n"
        "IMAGE is a tag, an id or the first twelve digits of one. --dry-run says how much would be sent.",
        examples="  komodo-tui images ship shop/api:1.4 web-1 web-2\n"
        "  komodo-tui images ship shop/api:1.4 web-1 --from build-1 --yes --json",
    )
    ship.add_argument("image", metavar="IMAGE")
    ship.add_argument("servers", nargs="+", metavar="SERVER", help="the servers to bring it to")
    ship.add_argument("--any-platform", action="store_true", help="also to servers whose processor cannot run it")
    _from(ship)
    confirming(ship)

    push = inner.add(
        "push",
        "push an image to registries, with the logins kept here",
        about="Without --to the registry is the one in IMAGE's name. With it the image gets that name in front.\n"
        "Logins: komodo-tui registry login HOST --username NAME. Nothing of one stays on the server.",
        examples="  komodo-tui images push registry.example/shop/api:1.4\n"
        "  komodo-tui images push shop/api:1.4 --to registry.example:5000 --to ghcr.io/shop --from build-1 --yes",
    )
    push.add_argument("image", metavar="IMAGE")
    push.add_argument("others", nargs="*", help=argparse.SUPPRESS)
    push.add_argument("--to", action="append", default=[], metavar="REGISTRY", help="host[:port][/path] (repeat)")
    _from(push)
    confirming(push)


def _image_changes(inner: Verbs) -> None:
    pull = inner.add("pull", "pull an image", examples="  komodo-tui images pull nginx:1.27 --server web-1")
    pull.add_argument("image", metavar="IMAGE")
    tag = inner.add("tag", "give an image one more tag")
    tag.add_argument("image", metavar="IMAGE")
    tag.add_argument("tag", metavar="TAG", help="like shop/api:1.9")
    remove = inner.add("rm", "remove images, with all their tags, wherever they are")
    remove.add_argument("image", nargs="+", metavar="IMAGE")
    remove.add_argument("--force", action="store_true", help="also images of stopped containers")
    for parser in (pull, tag, remove):
        server_option(parser)
        confirming(parser)


def _from(parser: Parser) -> None:
    parser.add_argument("--from", dest="source", default="", metavar="SERVER", help="that has it (default: found)")


def _list(verbs: Verbs, name: str, kind: str) -> None:
    parser = verbs.add(
        name,
        f"list the {kind}s of all servers",
        about="FILTER is what / takes in the screens: words, !word, /regex/, server: tag: used:no label: dangling:yes",
        examples=f"  komodo-tui {kind}s used:no\n  komodo-tui {kind}s --server web-1 --json",
    )
    server_option(parser)
    parser.add_argument("filter", nargs="*", metavar="FILTER", help="only those that all terms fit")


def _prune(verbs: Verbs) -> None:
    parser = verbs.add(
        "prune",
        "remove what no container uses; --dry-run shows what would go and how much that frees",
        about="Without --images, --networks or --volumes: images that have lost their tags. Volumes never by default.",
        examples="  komodo-tui prune --dry-run\n"
        "  komodo-tui prune --images unused --older-than 30d --keep-label team=db --server web-1 --yes",
    )
    server_option(parser)
    parser.add_argument("--images", choices=("dangling", "unused"), default=None, help="without tags, or all unused")
    parser.add_argument("--networks", action="store_true", help="networks that no container is in")
    parser.add_argument("--volumes", action="store_true", help="volumes that no container uses: their data is lost")
    parser.add_argument("--build-cache", action="store_true", help="what builds left to be faster the next time")
    parser.add_argument(
        "--keep-label",
        action="append",
        default=[],
        metavar="LABEL",
        help="what has it stays: key or key=value (repeat)",
    )
    parser.add_argument("--older-than", type=_age, default=0.0, metavar="AGE", help="only older ones: 36h, 7d")
    confirming(parser)


def _volume(verbs: Verbs) -> None:
    parser = verbs.add(
        "volume",
        "look into a volume, back it up to a tar file here, restore it",
        examples="  komodo-tui volume ls data@web-1 /sub\n  komodo-tui volume backup data@web-1 data.tar\n"
        "  komodo-tui volume restore data@web-2 data.tar --yes",
    )
    inner = Verbs(
        parser.add_subparsers(dest="volume_verb", metavar="VERB", title="verbs", required=True, parser_class=Parser),
        verbs.common,
    )
    ls = inner.add("ls", "list a folder of a volume")
    _named(ls)
    ls.add_argument("path", nargs="?", default="/", metavar="PATH")
    get = inner.add("get", "write one file of a volume to a file here")
    _named(get)
    get.add_argument("path", metavar="PATH", help="in the volume")
    get.add_argument("file", metavar="FILE", help="here")
    confirming(get)
    backup = inner.add("backup", "write all of a volume to a tar file here")
    _named(backup)
    backup.add_argument("file", metavar="FILE")
    confirming(backup)
    restore = inner.add("restore", "put a tar file from here into a volume that no running container uses")
    _named(restore)
    restore.add_argument("file", metavar="FILE")
    restore.add_argument("--replace", action="store_true", help="also where it is not empty: what is in it is lost")
    confirming(restore)
    create = inner.add("create", "create a volume")
    _named(create)
    create.add_argument("--driver", default="", metavar="DRIVER", help="(default: local)")
    create.add_argument("--opt", action="append", default=[], metavar="NAME=VALUE", help="of the driver (repeat)")
    _labelled(create)
    remove = inner.add("rm", "remove a volume: its data is lost")
    _named(remove)
    confirming(remove)


def _network(verbs: Verbs) -> None:
    parser = verbs.add("network", "create a network, remove one", examples="  komodo-tui network create back@web-1")
    inner = Verbs(
        parser.add_subparsers(dest="network_verb", metavar="VERB", title="verbs", required=True, parser_class=Parser),
        verbs.common,
    )
    create = inner.add("create", "create a network")
    create.add_argument("network", metavar="NETWORK@SERVER")
    create.add_argument("--driver", default="", metavar="DRIVER", help="(default: bridge)")
    create.add_argument("--subnet", default="", metavar="CIDR", help="like 10.10.0.0/24 (default: the engine's choice)")
    create.add_argument("--internal", action="store_true", help="without a way out")
    _labelled(create)
    remove = inner.add("rm", "remove a network")
    remove.add_argument("network", metavar="NETWORK@SERVER")
    confirming(remove)


def _labelled(parser: Parser) -> None:
    parser.add_argument("--label", action="append", default=[], metavar="NAME=VALUE", help="(repeat)")
    confirming(parser)


def _named(parser: Parser) -> None:
    parser.add_argument("volume", metavar="VOLUME@SERVER")


def _age(text: str) -> float:
    try:
        return parse_duration(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
