"""``python -m tests.rig prepare|up|down|list NAME``: private servers by hand, for trying things out."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from tests.rig import packages, server


def main() -> int:
    """Run one command of the rig."""
    parser = argparse.ArgumentParser(prog="python -m tests.rig", description=__doc__)
    parser.add_argument("verb", choices=["prepare", "up", "down", "list"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--no-engine", action="store_true")
    parser.add_argument("--no-sshd", action="store_true")
    parser.add_argument("--release", default="", help="the Debian whose engine it has, images in containerd's store")
    arguments = parser.parse_args()
    if arguments.verb == "prepare":
        return prepare()
    if arguments.verb == "list":
        arguments.names = sorted(path.parent.name for path in server.RUN.glob("*/server.json"))
    if arguments.verb == "up":
        packages.install()
    for name in arguments.names:
        if arguments.verb == "down":
            server.down(name)
            continue
        started = (
            server.load(name)
            if arguments.verb == "list"
            else server.up(name, engine=not arguments.no_engine, sshd=not arguments.no_sshd, release=arguments.release)
        )
        print(json.dumps(asdict(started)))
    return 0


def prepare() -> int:
    """Install what the rig needs, or say why its tests will be skipped; stop the servers a killed run left."""
    try:
        packages.install()
    except RuntimeError as error:
        print(f"without the rig: {error}", file=sys.stderr)
        return 0
    for path in server.RUN.glob("t*/server.json"):
        if not server.owner_lives(path.parent.name):
            server.down(path.parent.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
