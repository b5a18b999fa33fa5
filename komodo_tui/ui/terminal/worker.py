"""The worker process: runs the cores of all panes and answers one request after the other.

Started by :mod:`.host` as ``python -m komodo_tui.ui.terminal.worker FD``. It may die at any request; the other side
then starts over with another one. It ends when the socket closes.
"""

from __future__ import annotations

import contextlib
import gc
import resource
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

from komodo_tui.ui.terminal import protocol
from komodo_tui.ui.terminal.core import Options
from komodo_tui.ui.terminal.cores import best_core, make_core

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.ui.terminal.core import Core

MEMORY_LIMIT = 2 << 30
"""Address space in bytes. A terminal of 10,000 lines takes under 20 MB; a worker that wants more has gone wrong."""


class Worker:
    """The cores by pane, and what each request does with them."""

    def __init__(self) -> None:
        self._cores: dict[int, Core] = {}

    def answer(self, request: protocol.Request) -> Any:
        """Do it and return the reply."""
        if isinstance(request, protocol.Open):
            name = request.core or best_core()
            core = make_core(name, request.cols, request.rows, request.options, guarded=request.guarded)
            self._cores[request.pane] = core
            return protocol.Opened(name, core.feed_slice)
        if isinstance(request, protocol.Close):
            if (gone := self._cores.pop(request.pane, None)) is not None:
                gone.close()
            return None
        return _ACTS[type(request)](self._cores[request.pane], request)


_ACTS: dict[type, Callable[[Core, Any], Any]] = {
    protocol.Feed: lambda core, ask: core.feed(ask.data),
    protocol.Resize: lambda core, ask: core.resize(ask.cols, ask.rows),
    protocol.TakeFrame: lambda core, ask: core.take_frame(ask.force),
    protocol.EncodeKey: lambda core, ask: core.encode_key(ask.key),
    protocol.EncodeMouse: lambda core, ask: core.encode_mouse(ask.mouse),
    protocol.EncodePaste: lambda core, ask: core.encode_paste(ask.text),
    protocol.EncodeFocus: lambda core, ask: core.encode_focus(ask.focused),
    protocol.Scroll: lambda core, ask: core.scroll(ask.delta),
    protocol.ScrollTo: lambda core, ask: core.scroll_to(ask.row),
    protocol.ScrollBottom: lambda core, ask: core.scroll_bottom(),
    protocol.GetScrollbar: lambda core, ask: core.scrollbar(),
    protocol.Search: lambda core, ask: core.search(ask.text, ask.limit),
    protocol.GetText: lambda core, ask: core.text(ask.start_row, ask.start_col, ask.end_row, ask.end_col),
}


def receive(connection: socket.socket, size: int) -> bytes:
    """Exactly this many bytes, or fewer at the end."""
    parts = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def serve(connection: socket.socket) -> None:
    """Answer until the other side closes."""
    worker = Worker()
    while len(head := receive(connection, protocol.LENGTH.size)) == protocol.LENGTH.size:
        body = receive(connection, protocol.LENGTH.unpack(head)[0])
        connection.sendall(protocol.pack(worker.answer(protocol.request_decoder.decode(body))))


def _warm_up() -> None:
    """Use a core once, so that all it needs is loaded: a pane that waits for one after a crash is back at once."""
    core = make_core(best_core(), 80, 24, Options())
    core.feed(b"x")
    core.take_frame(force=True)
    core.close()


def main(argv: list[str]) -> None:
    """``argv[1]`` is the number of the inherited socket."""
    connection = socket.socket(fileno=int(argv[1]))
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # these are for the program in front
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold what was on the screens
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    _warm_up()
    gc.collect()
    gc.freeze()
    connection.sendall(protocol.pack(None))
    with contextlib.suppress(ConnectionError):
        serve(connection)


if __name__ == "__main__":
    main(sys.argv)
