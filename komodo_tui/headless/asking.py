"""Questions on the terminal: whether to go ahead, passphrases, what a server asks at login.

Nothing is ever asked where standard input is no terminal.
"""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from contextlib import contextmanager
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import NotConfirmedError
from komodo_tui.domain.text import clean

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from komodo_tui.domain.operations import Plan

_LINE = 4096


class Asking:
    """One person at one terminal, asked one question at a time. A :class:`~komodo_tui.fleet.prompts.Prompter`."""

    def __init__(self) -> None:
        self.possible = sys.stdin is not None and sys.stdin.isatty()
        """Whether there is a terminal."""
        self.busy = 0
        """Questions that wait for an answer."""
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    async def passphrase(self, server: str, key_path: str) -> str | None:
        """Ask for the passphrase of a key."""
        return await self.ask(f"passphrase of {key_path} (for {server}): ", echo=False) if self.possible else None

    async def answers(
        self, server: str, title: str, instructions: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Ask what the server asks."""
        if not self.possible:
            return None
        for text in (title, instructions):
            if text:
                _tell(f"{server}: {text}\n")
        found = []
        for question, echo in prompts:
            answer = await self.ask(f"{server}: {question} ", echo=echo)
            if answer is None:
                return None
            found.append(answer)
        return found

    async def ask(self, question: str, *, echo: bool = True) -> str | None:
        """One line; None at the end of input."""
        self.busy += 1
        try:
            async with self._turn:
                _tell(question)
                with _echo(echo):
                    line = await _line(sys.stdin.fileno())
                if not echo or not line:
                    _tell("\n")
                return line.rstrip("\r\n") if line else None
        finally:
            self.busy -= 1
            self._changed.set()

    async def answered(self) -> None:
        """Wait until no question is open."""
        while self.busy:
            self._changed.clear()
            await self._changed.wait()


async def given(plan: Plan, arguments: argparse.Namespace, asking: Asking) -> str | bool:
    """What was given for this plan: by options, or by the person at the terminal.

    Raises:
        NotConfirmedError: it takes more than was given, and nobody can be asked; or the answer was no.
    """
    if plan.confirm == "none":
        return True
    if arguments.confirm:
        return str(arguments.confirm)
    if plan.confirm == "yes" and arguments.yes:
        return True
    if not asking.possible:
        wanted = "--yes" if plan.confirm == "yes" else f"--confirm '{plan.phrase}'"
        raise NotConfirmedError(f"{plan.title}: not confirmed", hint=f"nobody can be asked here: add {wanted}")
    if plan.confirm == "type":
        return await asking.ask(f"Type {plan.phrase!r} to go ahead: ") or False
    return (await asking.ask("Go ahead? [y/N] ") or "").strip().lower() in ("y", "yes")


async def _line(fd: int) -> str:
    """A line from a terminal in its line mode, without stopping the event loop or a thread that could not be ended."""
    ready = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(fd, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(fd)
    return os.read(fd, _LINE).decode("utf-8", "replace")


@contextmanager
def _echo(on: bool) -> Iterator[None]:
    """Keep what is typed from showing, and restore the terminal whatever happens."""
    fd = sys.stdin.fileno()
    if on:
        yield
        return
    before = termios.tcgetattr(fd)
    quiet = termios.tcgetattr(fd)
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(fd, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _tell(text: str) -> None:
    sys.stderr.write(clean(text, keep_newlines=True))
    sys.stderr.flush()
