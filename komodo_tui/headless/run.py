"""Runs one verb: signals, errors and a reader that went away become exit codes."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode, KomodoError
from komodo_tui.headless.asking import Asking
from komodo_tui.headless.output import Output
from komodo_tui.headless.session import Runtime, Session
from komodo_tui.headless.verbs import function_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from komodo_tui.fleet.prompts import Prompter


def run(arguments: argparse.Namespace, build: Callable[[Callable[[], Prompter]], Runtime]) -> int:
    """Do what ``arguments.verb`` says; returns the exit code."""
    output = Output(
        json=arguments.json, colour=False if arguments.color == "never" else None, ascii_only=arguments.ascii
    )
    try:
        session = Session(arguments, output, build, Asking())
        code = asyncio.run(_verb(session))
        output.flush()
        return code
    except KomodoError as error:
        output.error(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough. What is still buffered would raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE


async def _verb(session: Session) -> int:
    return await function_of(session.arguments.verb)(session)
