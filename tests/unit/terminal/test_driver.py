"""Where the program draws."""

from __future__ import annotations

import os
import pty
import signal
import sys
from typing import TYPE_CHECKING, TextIO

import pytest
from textual.app import App

from komodo_tui.ui.terminal.private import PaneDriver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    """The program's end of a terminal; what the driver sets for stopping and going on is taken back."""
    ours, theirs = pty.openpty()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}
    with os.fdopen(ours), os.fdopen(theirs, "w") as stream:
        yield stream
    for number, handler in handlers.items():
        signal.signal(number, handler)


async def test_it_draws_on_the_terminal_wherever_standard_error_leads(
    terminal: TextIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "errors").open("w") as errors:
        monkeypatch.setattr(sys, "__stdout__", terminal)
        monkeypatch.setattr(sys, "__stderr__", errors)
        assert PaneDriver(App())._file is terminal
        monkeypatch.setattr(sys, "__stderr__", None)
        assert PaneDriver(App())._file is terminal
