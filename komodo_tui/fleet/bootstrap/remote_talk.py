"""Runs on the server: asking an agent who it is, and ending one. Standard library only, Python 3.10."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import time
from contextlib import suppress
from typing import Any

STOP_TIMEOUT = 15.0
"""Seconds an agent may take to end before it is killed."""
_ANSWER_TIMEOUT = 2.0
_ANSWER_LIMIT = 1 << 20
_PAUSE = 0.05


class InstallError(Exception):
    """It cannot be done; the message says why."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def greeting(path: str) -> dict[str, Any] | None:
    """What the agent on a socket says of itself; None when none answers."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_ANSWER_TIMEOUT)
            client.connect(path)
            client.sendall(b"GET /hello HTTP/1.0\r\nHost: agent\r\n\r\n")
            answer = b""
            while len(answer) < _ANSWER_LIMIT and (data := client.recv(1 << 16)):
                answer += data
        said = json.loads(answer.partition(b"\r\n\r\n")[2])
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) and said.get("product") == "komodo-agent" else None


def end_listener(path: str) -> None:
    """End the agent that listens on a socket, if one does.

    Raises:
        InstallError: it is no agent of ours, or belongs to somebody else, or does not end.
    """
    pid = _holder(path)
    if not pid:
        return
    if "komodo" not in _command_line(pid):
        raise InstallError(f"{path} is held by another program (pid {pid})", "end it, or choose another agent socket")
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        except PermissionError:
            raise InstallError(f"the agent on {path} belongs to another user (pid {pid})") from None
        if _gone(pid):
            return
    raise InstallError(f"the agent on {path} does not end (pid {pid})")


def _holder(path: str) -> int:
    """The process that listens on a socket; 0 = none."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_ANSWER_TIMEOUT)
        try:
            client.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return 0
        except OSError as error:
            raise InstallError(f"cannot tell who listens on {path}: {error.strerror or error}") from error
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[0])


def _command_line(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def _gone(pid: int) -> bool:
    """Wait for a process's end."""
    end = time.monotonic() + STOP_TIMEOUT
    while time.monotonic() < end:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if _is_zombie(pid):
            return True
        time.sleep(_PAUSE)
    return False


def _is_zombie(pid: int) -> bool:
    """Whether it has ended and only waits for its parent, which in a container may never look."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[:1] == ["Z"]
    except OSError:
        return True
