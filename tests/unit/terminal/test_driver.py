"""Where the program draws."""

from __future__ import annotations

import os
import pty
import signal
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, TextIO

import pytest
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

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


async def test_a_terminal_that_is_lent_is_left_alone(terminal: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an editor has it, the program goes on and draws nothing."""
    written: list[str] = []
    monkeypatch.setattr(sys, "__stderr__", terminal)
    monkeypatch.setattr(LinuxDriver, "suspend_application_mode", lambda self: self.write("left"))
    monkeypatch.setattr(LinuxDriver, "resume_application_mode", lambda self: self.write("back"))
    driver = PaneDriver(App())
    driver._writer_thread = SimpleNamespace(write=written.append)  # type: ignore[assignment]
    driver.suspend_application_mode()
    driver.write("a picture")
    driver.resume_application_mode()
    driver.write("the next")
    assert written == ["left", "back", "the next"]
