"""``komodo-tui``: picks the front end and loads nothing else."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from pathlib import Path
    from typing import Any

    from komodo_tui.domain.errors import KomodoError
    from komodo_tui.fleet.local import EmbeddedAgent

_SSH_CONFIG = "KOMODO_TUI_SSH_CONFIG"
"""Stands for ``--ssh-config`` where that is not given."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (``komodo_tui.domain.errors.ExitCode``)."""
    argv = sys.argv[1:] if argv is None else argv
    if argv == ["--version"]:  # answered before anything is loaded
        from komodo_tui import __version__

        sys.stdout.write(f"komodo-tui {__version__}\n")
        return 0
    if not argv and sys.stdin.isatty() and sys.stdout.isatty():  # the screens as they are: no parser is needed
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # as below
        return _screens(_Said())
    from komodo_tui.headless.arguments import parse

    arguments = parse(argv)
    if arguments.ssh_config:  # runs that are started from here, as processes of their own, need it too
        arguments.ssh_config = os.environ[_SSH_CONFIG] = os.path.abspath(arguments.ssh_config)
    else:
        arguments.ssh_config = os.environ.get(_SSH_CONFIG)
    if arguments.run_procedure is not None or (arguments.verb is None and (arguments.resume or arguments.again)):
        arguments.verb, arguments.procedure_verb, arguments.name = "procedure", "run", arguments.run_procedure or ""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # names a terminal cannot show
    if arguments.verb is None:
        if sys.stdin.isatty() and sys.stdout.isatty() and not arguments.plain and not arguments.json:
            return _screens(arguments)
        arguments.verb, arguments.server = "status", []
    return _headless(arguments)


_GARBAGE = 100_000
"""New objects between two looks for garbage: loading makes many, and nearly all of them stay."""


def _headless(arguments: argparse.Namespace) -> int:
    import gc

    gc.set_threshold(_GARBAGE)
    from komodo_tui.domain.errors import KomodoError
    from komodo_tui.headless.verbs import wants_local

    try:
        agent = _begin_agent(arguments) if wants_local(arguments) else None
    except KomodoError as error:
        return _fail(error)
    # Only now what takes long to load: the agent starts meanwhile.
    from komodo_tui import wiring
    from komodo_tui.headless.run import run

    return run(
        arguments, lambda prompter: wiring.build_runtime(prompter=prompter, via="cli", **_parts(arguments, agent))
    )


class _Said:
    """What a command line without a word says."""

    home: str | None = None
    read_only = False
    ascii = False

    def __init__(self) -> None:
        self.ssh_config = os.environ.get(_SSH_CONFIG)


def _screens(arguments: argparse.Namespace | _Said) -> int:
    import gc

    gc.disable()  # until the first paint
    from komodo_tui.domain.errors import KomodoError

    try:
        agent = _begin_agent(arguments)
        from komodo_tui import wiring
        from komodo_tui.ui.app import run

        runtime = wiring.build_runtime(via="tui", **_parts(arguments, agent))
    except KomodoError as error:
        return _fail(error)
    return run(runtime)


def _parts(arguments: argparse.Namespace | _Said, agent: EmbeddedAgent | None) -> dict[str, Any]:
    """What the command line says to :func:`komodo_tui.wiring.build_runtime`."""
    from pathlib import Path

    return {
        "home": _home(arguments),
        "read_only": arguments.read_only,
        "ascii_only": arguments.ascii,
        "ssh_config": Path(arguments.ssh_config) if arguments.ssh_config else None,
        "embedded": agent,
    }


def _begin_agent(arguments: argparse.Namespace | _Said) -> EmbeddedAgent | None:
    from komodo_tui.operations.local_agent import begin_local_agent

    return begin_local_agent(_home(arguments))


def _home(arguments: argparse.Namespace | _Said) -> Path | None:
    from pathlib import Path

    return Path(arguments.home) if arguments.home else None


def _fail(error: KomodoError) -> int:
    from komodo_tui.headless.output import Output

    Output().error(error)
    return int(error.exit_code)


if __name__ == "__main__":
    sys.exit(main())
