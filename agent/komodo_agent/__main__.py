"""The ``komodo-agent`` command. Everything but ``serve`` runs on the standard library alone, to answer at once."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from . import __version__
from .locations import default_socket, default_state

EXIT_FAILED = 1
EXIT_ALREADY_RUNNING = 4


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code (1 failed, 2 usage, 3 no agent answers, 4 one already listens)."""
    options = _parser().parse_args(argv)
    if options.command == "serve":
        return _serve(options)
    from . import stdio

    command = stdio.hello if options.command == "hello" else stdio.dial
    return command(options.socket)


def _serve(options: argparse.Namespace) -> int:
    from .listening import AlreadyRunningError, ListenError, listen

    group = None
    if options.group:
        from .peer import group_id

        try:
            group = group_id(options.group)
        except KeyError:
            return _complain(f"there is no group {options.group!r}", EXIT_FAILED)
    try:
        # Clients may connect from here on: they wait in the backlog while the rest is imported.
        listener = listen(options.socket, group=group)
    except AlreadyRunningError as error:
        return _complain(str(error), EXIT_ALREADY_RUNNING)
    except ListenError as error:
        return _complain(str(error), EXIT_FAILED)
    try:
        from .lean import lean_imports

        gc.disable()  # serve() turns it on again: what the imports make is no garbage
        with lean_imports():
            from .server import ServeOptions, serve

        return serve(
            listener.socket,
            ServeOptions(
                state=options.state,
                docker_host=options.docker_host,
                allow_uids=frozenset(options.allow_uid),
                group=group,
                idle_exit=options.idle_exit,
            ),
        )
    finally:
        listener.close()


def _complain(message: str, code: int) -> int:
    sys.stderr.write(f"komodo-agent: {message}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="komodo-agent", description="The server side of komodo-tui.")
    parser.add_argument("--version", action="version", version=f"komodo-agent {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="listen on a Unix socket")
    dial = commands.add_parser("dial-stdio", help="copy standard input and output to a running agent")
    hello = commands.add_parser("hello", help="print what a running agent says of itself")
    for command in (serve, dial, hello):
        command.add_argument("--socket", type=Path, default=default_socket(), help="default: %(default)s")
    serve.add_argument("--state", type=Path, default=default_state(), help="job logs; default: %(default)s")
    serve.add_argument("--docker-host", default="", metavar="URL", help="unix:///path of the engine's socket")
    serve.add_argument(
        "--allow-uid", type=int, action="append", default=[], metavar="N", help="a user who may connect besides root"
    )
    serve.add_argument("--group", default="", metavar="NAME", help="members of this group may connect as well")
    serve.add_argument(
        "--idle-exit", type=float, default=0.0, metavar="SECONDS", help="end when nobody was connected for so long"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
