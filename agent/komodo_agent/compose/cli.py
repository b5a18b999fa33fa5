"""The compose command line: which one there is, and running it with its output line by line."""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import shlex
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_CANDIDATES = (
    (("docker", "compose"), ("version", "--short")),
    (("docker-compose",), ("version", "--short")),
)
_KNOWN = 30.0
"""Seconds for which an answer is taken for still true."""
_ASK = 10.0
"""Seconds a command that only tells something may take."""
_LINE_LIMIT = 1 << 16
_OUTPUT_LIMIT = 8 << 20
_GRACE = 10.0
"""Seconds compose gets to end by itself after it was asked to."""
_KEPT = ("PATH", "HOME", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "TMPDIR", "SSH_AUTH_SOCK")
"""Of the agent's own environment."""
_MASK = "•••"
_SHORTEST_SECRET = 4


class Cli(NamedTuple):
    """A compose that was found."""

    words: tuple[str, ...]
    version: tuple[int, int, int]

    @property
    def old(self) -> bool:
        """Compose v1: no JSON, no deploys without files."""
        return self.version[0] < 2

    def __str__(self) -> str:
        return f"{' '.join(self.words)} {'.'.join(map(str, self.version))}"


_found: list[tuple[float, Cli]] = []


async def find_cli() -> Cli:
    """The newest kind of compose that works: the plugin, the standalone program, v1.

    Raises:
        AgentError: there is none.
    """
    if _found and time.monotonic() - _found[-1][0] < _KNOWN:
        return _found[-1][1]
    for words, ask in _CANDIDATES:
        try:
            code, out, _ = await capture([*words, *ask], environment=_own_environment(), timeout=_ASK)
        except AgentError:
            continue
        found = _VERSION.search(out)
        if code == 0 and found:
            cli = Cli(words, (int(found[1]), int(found[2]), int(found[3] or 0)))
            _found[:] = [(time.monotonic(), cli)]
            return cli
    raise AgentError(
        "failed",
        "there is no compose on this server",
        hint="install the docker compose plugin (package docker-compose-plugin or docker-compose)",
    )


def child_environment(docker_socket: str, values: Mapping[str, str]) -> dict[str, str]:
    """What compose runs with: little of ours, the engine that the agent uses, and the stack's values."""
    own = _own_environment()
    if docker_socket:
        own["DOCKER_HOST"] = f"unix://{docker_socket}"
    return {**values, **own, "LC_ALL": "C.UTF-8", "COMPOSE_ANSI": "never", "PYTHONWARNINGS": "ignore"}


class Masker:
    """Takes secret values out of text."""

    def __init__(self, values: Mapping[str, str], keys: Sequence[str]) -> None:
        secrets = {line for key in keys for line in (values.get(key, ""), *values.get(key, "").splitlines())}
        self._secrets = sorted((s for s in secrets if len(s) >= _SHORTEST_SECRET), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with each value replaced."""
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return text


async def capture(
    words: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path | None = None,
    timeout: float,
    pass_fds: Sequence[int] = (),
) -> tuple[int, str, str]:
    """Run a command to its end; returns its exit code, output and error output.

    Raises:
        AgentError: it cannot be started, takes too long, or prints too much.
    """
    process = await _start(words, environment, folder, pass_fds, merge=False)
    try:
        out, err = await asyncio.wait_for(_both(process), timeout)
    except asyncio.TimeoutError as error:
        raise AgentError("failed", f"{shlex.join(words[:3])} took longer than {timeout:g} s") from error
    finally:
        await _stop(process)
    return process.returncode or 0, out, err


async def stream(
    words: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    line: Callable[[str], None],
    pass_fds: Sequence[int] = (),
) -> int:
    """Run a command, handing over what it prints line by line; returns its exit code.

    Cancelling asks it to stop, as ^C would, and waits for that.

    Raises:
        AgentError: it cannot be started.
    """
    process = await _start(words, environment, folder, pass_fds, merge=True)
    try:
        assert process.stdout is not None
        await _lines(process.stdout, line)
        return await process.wait()
    finally:
        await _stop(process)


async def _start(
    words: Sequence[str], environment: Mapping[str, str], folder: Path | None, pass_fds: Sequence[int], *, merge: bool
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if merge else asyncio.subprocess.PIPE,
            cwd=folder or "/",
            env=dict(environment),
            start_new_session=True,
            pass_fds=tuple(pass_fds),
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise AgentError("failed", f"{words[0]} cannot be started: {reason}") from error


async def _both(process: asyncio.subprocess.Process) -> tuple[str, str]:
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = await asyncio.gather(_whole(process.stdout), _whole(process.stderr))
    await process.wait()
    return out, err


async def _whole(reader: asyncio.StreamReader) -> str:
    parts, size = [], 0
    while data := await reader.read(_LINE_LIMIT):
        size += len(data)
        if size > _OUTPUT_LIMIT:
            raise AgentError("failed", f"a command printed more than {_OUTPUT_LIMIT >> 20} MiB")
        parts.append(data)
    return b"".join(parts).decode("utf-8", "replace")


async def _lines(reader: asyncio.StreamReader, line: Callable[[str], None]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    partial = ""
    while data := await reader.read(_LINE_LIMIT):
        *whole, partial = (partial + decoder.decode(data)).split("\n")
        for text in whole:
            line(text.rstrip("\r"))
        if len(partial) > _LINE_LIMIT:
            line(partial)
            partial = ""
    if partial:
        line(partial)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End it and what it started; called also when it has ended."""
    if process.returncode is not None:
        return
    for number, grace in ((signal.SIGINT, _GRACE), (signal.SIGKILL, _GRACE)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        waiter = asyncio.ensure_future(process.wait())
        done, _ = await asyncio.wait({waiter}, timeout=grace)
        if done:
            return


def _own_environment() -> dict[str, str]:
    own = {name: os.environ[name] for name in _KEPT if name in os.environ}
    own.setdefault("PATH", os.defpath)
    return own
