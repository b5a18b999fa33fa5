"""The small commands that talk to a running agent: ``dial-stdio`` and ``hello``. Standard library only.

``dial-stdio`` carries the agent's HTTP over the exec channel of an sshd that forbids forwarding.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 16
_HELLO_TIMEOUT = 5.0
_HELLO_LIMIT = 1 << 20

EXIT_UNREACHABLE = 3
"""No agent answers on the socket."""


def dial(path: Path) -> int:
    """Copy standard input to the socket and the socket to standard output, until both have ended."""
    try:
        sock = _connect(path, None)
    except OSError as error:
        return _unreachable(path, error)
    upward = threading.Thread(target=_send_all, args=(sock,), daemon=True)
    upward.start()
    try:
        while True:
            data = sock.recv(_CHUNK)
            if not data:
                return 0
            _write_all(sys.stdout.fileno(), data)
    except OSError:
        return 0  # either side went away: nothing is left to carry
    finally:
        sock.close()


def hello(path: Path) -> int:
    """Print the agent's answer to ``/hello``, one JSON document."""
    try:
        with _connect(path, _HELLO_TIMEOUT) as sock:
            sock.sendall(b"GET /hello HTTP/1.0\r\nHost: agent\r\n\r\n")
            answer = _read_to_end(sock)
    except OSError as error:
        return _unreachable(path, error)
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0].split()
    sys.stdout.write(body.decode("utf-8", "replace") + "\n")
    return 0 if len(status) > 1 and status[1] == b"200" else 1


def _connect(path: Path, timeout: float | None) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(timeout)
    try:
        sock.connect(str(path))
    except OSError:
        sock.close()
        raise
    return sock


def _unreachable(path: Path, error: OSError) -> int:
    sys.stderr.write(
        f"komodo-agent: nobody answers on {path}: {error.strerror or error}; start it with: komodo-agent serve\n"
    )
    return EXIT_UNREACHABLE


def _read_to_end(sock: socket.socket) -> bytes:
    parts, size = [], 0
    while size < _HELLO_LIMIT:
        data = sock.recv(_CHUNK)
        if not data:
            break
        parts.append(data)
        size += len(data)
    return b"".join(parts)


def _send_all(sock: socket.socket) -> None:
    try:
        while True:
            data = os.read(sys.stdin.fileno(), _CHUNK)
            if not data:
                sock.shutdown(socket.SHUT_WR)
                return
            sock.sendall(data)
    except OSError:
        return  # the reading side of dial() sees the same end


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
