"""The lab as a program of its own, for a real terminal: ``python -m tests.ui.terminal.demo PROGRAM``.

The cores run in the worker process, the keys come through the pane's driver. ``^Q`` quits outside the pane.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from textual.drivers.linux_driver import LinuxDriver

from komodo_tui.fleet.pty_shell import PtyShell
from komodo_tui.ui.terminal.host import WorkerHost
from komodo_tui.ui.terminal.private import pane_driver_class
from komodo_tui.ui.terminal.terminal import Terminal
from tests.ui.terminal.lab import Lab

if TYPE_CHECKING:
    from komodo_tui.fleet.sessions import ByteSession


class Demo(Lab):
    """Ends its processes with itself."""

    def __init__(self, terminal: Terminal, host: WorkerHost) -> None:
        super().__init__(terminal)
        self.driver_class = pane_driver_class(LinuxDriver)
        self._host = host

    async def on_unmount(self) -> None:
        await self.terminal.close()
        await self._host.close()


def main(program: str) -> None:
    """Run it."""

    async def open_session(cols: int, rows: int) -> ByteSession:
        return await PtyShell.start("web-1", cols, rows, Path(program))

    host = WorkerHost()
    Demo(Terminal(open_session, "web-1", open_core=host.open), host).run()


if __name__ == "__main__":
    main(sys.argv[1])
