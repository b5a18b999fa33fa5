"""The agent of this machine: started by the program, shared by all its processes, gone when nobody needs it.

Standard library only, without asyncio: the agent needs longest to start, so ``komodo-tui`` calls
:meth:`EmbeddedAgent.begin` before it imports anything else.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

import komodo_agent

IDLE_EXIT = 30
"""Seconds after the last client at which the agent ends."""
_PATH_LIMIT = 100
"""Bytes of a Unix socket's path (the kernel takes 107), less room for the files beside it."""
_TELLING = ("DOCKER_", "COMPOSE_", "BUILDX_", "BUILDKIT_", "KOMODO_AGENT_")
_TELLING_NAMES = ("home", "http_proxy", "https_proxy", "all_proxy", "no_proxy")
"""Variables (those in either case) that decide what the agent and the programs it runs talk to. Not ``PATH``:
it differs between a shell and cron, which have to find the same agent with its jobs and terminals."""
_LOG_TAIL = 600
_CONNECT_TIMEOUT = 1.0


class EmbeddedAgentError(Exception):
    """The agent cannot be started; the message says why."""


class EmbeddedAgent:
    """The agent of one user, code version and engine: what it talks to, as the environment says.

    Another process may have started it, or be starting it now; whoever holds the spawn lock starts it,
    all others find it on the same socket.
    """

    def __init__(self, runtime: Path, state: Path, docker_host: str | None = None) -> None:
        """``runtime`` takes the socket and the log, ``state`` the agent's job logs.

        ``docker_host`` is that of the environment (``DOCKER_HOST``) when None.
        """
        self._docker_host = os.environ.get("DOCKER_HOST", "") if docker_host is None else docker_host
        self._runtime = runtime
        self._state = state
        self.socket = _socket_path(runtime, self._docker_host)
        self.log = self.socket.with_suffix(".log")
        self._pid: int | None = None
        self._lock_fd: int | None = None

    def answers(self) -> bool:
        """Whether something listens on the socket now."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_CONNECT_TIMEOUT)
            try:
                client.connect(str(self.socket))
            except OSError:
                return False
            return True

    def begin(self) -> None:
        """Start the agent unless it runs or is being started. Returns at once.

        Raises:
            EmbeddedAgentError: the runtime directory cannot be used, or the process cannot be started.
        """
        if self.answers():
            self._release()
            return
        try:
            if not self._lock():
                return  # another process starts it at this moment
            if self._starting() or self.answers():
                return
            self._pid = self._spawn()
        except OSError as error:
            raise EmbeddedAgentError(f"the agent cannot be started: {error.strerror}: {error.filename}") from error

    def check(self) -> None:
        """Look whether the agent started here still runs; once it listens, let others start the next one.

        Raises:
            EmbeddedAgentError: it ended; the message has the last lines of its log.
        """
        if self._pid is not None and not self._starting():
            self._release()
            if not self.answers():  # it ends quietly when another one listens already
                raise EmbeddedAgentError(f"the agent ended at once: {self._log_tail() or 'no reason given'}")

    def ready(self) -> None:
        """It listens: let go of the spawn lock."""
        self._release()

    def stop(self, grace: float = 5.0) -> None:
        """End the agent if this process started it, and wait for its end (tests, clean removal)."""
        if self._pid is None:
            return
        deadline = time.monotonic() + grace
        sent = signal.SIGTERM
        while self._starting():
            os.kill(self._pid, sent)
            time.sleep(0.02)
            if time.monotonic() > deadline:
                sent = signal.SIGKILL
        self._release()

    def _starting(self) -> bool:
        """Whether the process started here still lives; collects it when it does not."""
        if self._pid is None:
            return False
        try:
            ended, _ = os.waitpid(self._pid, os.WNOHANG)
        except ChildProcessError:
            ended = self._pid
        if ended:
            self._pid = None
        return not ended

    def _lock(self) -> bool:
        if self._lock_fd is not None:
            return True
        self.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self.socket.with_suffix(".spawn"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._lock_fd = fd
        return True

    def _release(self) -> None:
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def _spawn(self) -> int:
        # -P: a module of the current directory must never be taken for one of the agent's
        command = [sys.executable, "-P", "-m", "komodo_agent", "serve", "--socket", str(self.socket)]
        command += ["--state", str(self._state), "--idle-exit", str(IDLE_EXIT)]
        if self._docker_host:
            command += ["--docker-host", self._docker_host]
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        # Its own session: neither ^C nor a closed terminal of the program that began it ends it for the others.
        # No signal of ours may stay blocked or ignored in it.
        return os.posix_spawn(
            sys.executable, command, os.environ, file_actions=actions, setsid=True,
            setsigmask=(), setsigdef=(signal.SIGINT, signal.SIGHUP, signal.SIGPIPE),
        )  # fmt: skip

    def _log_tail(self) -> str:
        try:
            lines = self.log.read_text("utf-8", "replace")[-_LOG_TAIL:].split("\n")
        except OSError:
            return ""
        return " / ".join(line.strip() for line in lines[-4:] if line.strip())


def _socket_path(runtime: Path, docker_host: str) -> Path:
    """One socket for each code and environment: a program never talks to an agent of another version or engine.

    An agent lives on for a while after its last program, with the environment of that program.
    """
    package = Path(komodo_agent.__file__).parent
    identity = (
        komodo_agent.__version__, sys.executable, str(package), str(_newest(package)), docker_host, *_surroundings()
    )  # fmt: skip
    name = f"a-{hashlib.sha256(chr(0).join(identity).encode()).hexdigest()[:12]}.sock"
    path = runtime / name
    if len(os.fsencode(path)) <= _PATH_LIMIT:
        return path
    where = hashlib.sha256(os.fsencode(runtime)).hexdigest()[:8]
    return _private_folder(Path(f"/tmp/komodo-tui-{os.geteuid()}-{where}")) / name


def _surroundings() -> list[str]:
    """The part of the environment that makes one agent unlike another; ``DOCKER_HOST`` is told it apart from that."""
    return sorted(
        f"{name}={value}"
        for name, value in os.environ.items()
        if name != "DOCKER_HOST" and (name.startswith(_TELLING) or name.lower() in _TELLING_NAMES)
    )


def _private_folder(path: Path) -> Path:
    """A folder beneath a world-writable one: made by us, or refused."""
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o7777 != 0o700 or not path.is_dir() or path.is_symlink():
        raise EmbeddedAgentError(f"{path} belongs to somebody else; set XDG_RUNTIME_DIR to a shorter path")
    return path


def _newest(package: Path) -> int:
    """When the newest module of the package was written, in nanoseconds."""
    newest = 0
    for folder, _, names in os.walk(package):
        for name in names:
            if name.endswith(".py"):
                newest = max(newest, os.stat(os.path.join(folder, name)).st_mtime_ns)
    return newest
