"""Runs one verb: signals, errors and a reader that went away become exit codes."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode, KomodoError, told_by
from komodo_tui.headless.asking import Asking
from komodo_tui.headless.output import Output
from komodo_tui.headless.session import Runtime, Session
from komodo_tui.headless.verbs import function_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from komodo_tui.fleet.prompts import Prompter


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What a file or a disk that takes no more says."""


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
    except BaseExceptionGroup as errors:  # of a verb that does several things beside each other, like ``watch``
        told = told_by(errors)
        if told is None:
            raise
        output.error(told)
        return int(told.exit_code)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _drop_output()  # whoever read it has had enough
        return ExitCode.DONE
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _drop_output()
        output.say(f"komodo-tui: the output cannot be written: {error.strerror}")
        output.say("  free space where it goes; what has been done is in the history: komodo-tui actions")
        return ExitCode.FAILED


def _drop_output() -> None:
    """What is still buffered would raise again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _verb(session: Session) -> int:
    return await function_of(session.arguments.verb)(session)
