"""The one place that runs git: argument lists, a closed set of protocols, and nothing that a clone could switch on.

No configuration of the machine or the user is read, so no filter, hook, helper or alias is ever defined; what the
clone's own configuration could set is overridden through the environment. The work tree lies beside the git
directory, and both are always named, so that nothing inside the work tree says where git looks.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import stat
import threading
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from ..problems import AgentError
from .connections import OWN, is_noise, kept
from .keys import lent_key
from .lent import lent_agent, through

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from git.cmd import Git

    from ..wire.repos import RepoSource

    Tell = Callable[[str], None]

OLDEST = (2, 31)
"""The first git that takes configuration from the environment."""
READ_TIMEOUT = 60.0
OUTPUT_LIMIT = 4 << 20
_GRACE = 3.0
_PIECE = 64 << 10
_STDERR_KEPT = 16 << 10

_SAFE = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.pager": "cat",
    "core.editor": "false",
    "credential.helper": "",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "protocol.ext.allow": "never",
    "diff.ignoreSubmodules": "all",
    "log.showSignature": "false",
    "merge.verifySignatures": "false",
    "gc.autoDetach": "false",
    "gc.bigPackThreshold": "64m",  # what is larger stays as it is: packing takes seconds, not minutes
    "maintenance.auto": "false",
    "advice.detachedHead": "false",
    "http.followRedirects": "initial",
    "core.quotePath": "false",
}
_HELPER = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$KOMODO_GIT_USER" "$KOMODO_GIT_TOKEN"; }; f'
"""Answers git from its environment: the token is in no file and on no command line."""


class GitFailedError(Exception):
    """git ended with another status than 0. ``words`` is what it said; it never has the token."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.words = words
        self.status = status


class HardGit:
    """git on one clone: ``git_dir`` and, beside it, ``work_tree``. Calls must not overlap where they write."""

    def __init__(self, git_dir: Path, work_tree: Path) -> None:
        self.git_dir = git_dir
        self.work_tree = work_tree

    async def read(self, *words: str, limit: int = OUTPUT_LIMIT) -> bytes:
        """What git prints. With ``limit``, at most so many bytes: git is ended then.

        Raises:
            GitFailedError: it ended with another status than 0.
            AgentError: it is not there, is too old, or does not end in time.
        """
        return await self._run(words, {}, timeout=READ_TIMEOUT, limit=limit)

    async def write(self, *words: str, lock: int, tell: Tell | None = None, timeout: float = READ_TIMEOUT,
                    more: Mapping[str, str] | None = None) -> bytes:  # fmt: skip
        """The same for what changes the clone. git holds the lock ``lock`` (a descriptor) as long as it lives.

        ``tell`` gets each line of progress, from another thread. Cancelling ends git and all that it started. ``more``
        is added to its environment.
        """
        return await self._run(words, more or {}, lock=lock, tell=tell, timeout=timeout)

    async def network(self, *words: str, source: RepoSource, known_hosts: Path, timeout: float, lock: int = -1,
                      tell: Tell | None = None) -> bytes:  # fmt: skip
        """The same for what talks to the repository's own server."""
        with lent_key(source.key) as key:
            async with lent_agent(source) as (lent, offer):
                login = through(_login(source, known_hosts, key or source.ssh_key), lent)
                try:
                    return await self._run(words, login, lock=lock, tell=tell, timeout=timeout)
                except GitFailedError as error:
                    if offer is None or not offer.why(error.words):
                        raise
                    raise AgentError("failed", f"{source.url}: {offer.why(error.words)}") from error

    async def _run(
        self, words: tuple[str, ...], more: Mapping[str, str], *, lock: int = -1, tell: Tell | None = None,
        timeout: float, limit: int = OUTPUT_LIMIT,
    ) -> bytes:  # fmt: skip
        git = await asyncio.to_thread(_git)
        call = _Call(git, self._environment(more), words, lock, tell, limit)
        work = asyncio.ensure_future(asyncio.to_thread(call.run))
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(work)
        except TimeoutError as error:
            raise AgentError("failed", f"git {words[0]} did not end within {timeout:g} s and was ended") from error
        finally:
            if not work.done():
                await asyncio.shield(_end(call, work))

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        settings = {**_SAFE, **{k: v for k, v in more.items() if "." in k}}
        pairs = [(f"GIT_CONFIG_KEY_{n}", key) for n, key in enumerate(settings)]
        pairs += [(f"GIT_CONFIG_VALUE_{n}", value) for n, value in enumerate(settings.values())]
        return {
            "GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.work_tree),
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CONFIG_PARAMETERS": "", "GIT_CONFIG_COUNT": str(len(settings)), **dict(pairs),
            "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "/bin/false", "SSH_ASKPASS": "/bin/false",
            "SSH_ASKPASS_REQUIRE": "never", "GIT_ALLOW_PROTOCOL": "none", "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_LITERAL_PATHSPECS": "1",
            "GIT_PAGER": "cat", "GIT_EDITOR": "false", "GIT_TRACE": "0",
            "GIT_TRACE_CURL": "0", "GIT_CURL_VERBOSE": "0", "LC_ALL": "C.UTF-8",
            **{k: v for k, v in more.items() if "." not in k},
        }  # fmt: skip


async def _end(call: _Call, work: asyncio.Future[bytes]) -> None:
    """Let git take its locks away; end it the hard way where it takes long."""
    call.kill(signal.SIGTERM)
    done, _ = await asyncio.wait({work}, timeout=_GRACE)
    if not done:
        call.kill(signal.SIGKILL)
        await asyncio.wait({work})
    work.exception()  # looked at: it is the end that was asked for


def _login(source: RepoSource, known_hosts: Path, key: str) -> dict[str, str]:
    """Environment (and, with a dot in it, configuration) with which git reaches this source and nothing else."""
    from ..wire.repo_checks import is_file, site_of

    site = site_of(source.url)
    if is_file(source.url):
        return {"GIT_ALLOW_PROTOCOL": "file"}
    if not site:
        words = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=15",
                 "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4", "-o", "ClearAllForwardings=yes",
                 "-o", "ForwardAgent=no", "-o", "PermitLocalCommand=no"]  # fmt: skip
        if key:
            words += ["-o", "IdentitiesOnly=yes", "-i", key]
        if source.host_keys:
            words += ["-o", f'UserKnownHostsFile="{known_hosts}"', "-o", "GlobalKnownHostsFile=/dev/null"]
        lent = {"SSH_AUTH_SOCK": source.agent_socket} if not key and _own_socket(source.agent_socket) else {}
        words += OWN if lent else kept(source)
        return {"GIT_ALLOW_PROTOCOL": "ssh", "GIT_SSH_COMMAND": shlex.join(words), "GIT_SSH_VARIANT": "ssh", **lent}
    login = {"GIT_ALLOW_PROTOCOL": "https:http" if site.startswith("http://") else "https",
             "GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "60"}  # fmt: skip
    if source.token:
        # for this site alone: a redirect to another one gets no answer
        login |= {f"credential.{site}.helper": _HELPER, "KOMODO_GIT_TOKEN": source.token,
                  "KOMODO_GIT_USER": source.username or "git"}  # fmt: skip
    return login


def _own_socket(path: str) -> bool:
    """Whether it is a socket of this user; a path of another machine's is most often nothing here."""
    if not path.startswith("/"):
        return False
    try:
        found = os.stat(path)
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and found.st_uid == os.geteuid()


@cache
def _git() -> Git:
    """GitPython's command, once git is known to be there and new enough. Raises AgentError."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # it would refuse to be imported where git is missing
    from git.cmd import Git  # late: an agent without repos does without
    from git.exc import GitCommandError, GitCommandNotFound

    git = Git("/")
    try:
        version = git.version_info
    except (GitCommandError, GitCommandNotFound, OSError) as error:
        raise AgentError("failed", "there is no git on this server", hint="install git there") from error
    if version[:2] < OLDEST:
        found = ".".join(map(str, version))
        raise AgentError("failed", f"git {found} on this server is too old", hint="2.39.4 or newer is good")
    return git


class _Call:
    """One run of git, in a thread; ended from outside by :meth:`kill`."""

    def __init__(
        self, git: Git, environment: dict[str, str], words: tuple[str, ...], lock: int, tell: Tell | None, limit: int
    ) -> None:
        self._git = git
        self._environment = environment
        self._words = words
        self._lock = lock
        self._tell = tell
        self._limit = limit
        self._guard = threading.Lock()
        self._pid = 0
        self._killed = False

    def run(self) -> bytes:
        """Until its end. Raises GitFailedError, AgentError."""
        with self._guard:
            if self._killed:
                raise GitFailedError("it was ended before it began", -1)
            try:
                handle = self._git.execute(  # kept: it ends its process when it goes
                    ["git", "--no-pager", *self._words], as_process=True, env=self._environment, shell=False,
                    start_new_session=True, pass_fds=(self._lock,) if self._lock >= 0 else (),
                )  # fmt: skip
            except (OSError, ValueError) as error:
                raise AgentError("failed", f"git cannot be started: {error}") from error
            process = handle.proc
            assert process is not None
            self._pid = process.pid
        assert process.stdout is not None
        assert process.stderr is not None
        said = bytearray()
        reader = threading.Thread(target=self._listen, args=(process.stderr.fileno(), said), daemon=True)
        reader.start()
        output = bytearray()
        while data := os.read(process.stdout.fileno(), _PIECE):
            output += data
            if len(output) >= self._limit:
                self.kill(signal.SIGKILL)
                break
        reader.join()
        status = process.wait()
        with self._guard:
            self._pid = 0
        process.stdout.close()
        process.stderr.close()
        if status and len(output) < self._limit:
            raise GitFailedError(said.decode("utf-8", "replace").strip(), status)
        return bytes(output[: self._limit])

    def _listen(self, descriptor: int, said: bytearray) -> None:
        """Keep the tail of what it says, and tell each line, those that end in a carriage return as well."""
        rest = b""
        while data := os.read(descriptor, _PIECE):
            said += data
            del said[:-_STDERR_KEPT]
            *lines, rest = (rest + data).replace(b"\r", b"\r\n").split(b"\n")
            rest = rest[-_STDERR_KEPT:]
            for line in lines:
                if self._tell is not None and not is_noise(line):
                    self._tell(line.decode("utf-8", "replace"))

    def kill(self, number: signal.Signals) -> None:
        """End it and what it started."""
        with self._guard:
            self._killed = True
            if self._pid:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._pid, number)
