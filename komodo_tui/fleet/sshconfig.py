"""What ``~/.ssh/config`` says about a destination, asked of ``ssh -G`` itself and remembered until a file changes.

asyncssh's own parser breaks on configurations that ``ssh`` takes, and one of its readings switches host keys off, so
it stands in only where there is no ``ssh`` binary.
"""

from __future__ import annotations

import asyncio
import glob
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.servers import split_address
from komodo_tui.domain.text import clean
from komodo_tui.fleet.sshhost import SshHost, from_options, from_ssh, home_of_ssh

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG_VARIABLE = "KOMODO_TUI_SSH_CONFIG"
"""Names a file to read instead of ``~/.ssh/config``, as ``ssh -F`` does."""
_SYSTEM = Path("/etc/ssh/ssh_config")
_TIMEOUT = 10.0
_AT_ONCE = 4
_DEEPEST = 8

_Signature = tuple[tuple[str, int, int], ...]


class SshConfig:
    """The SSH client configuration of the user."""

    def __init__(self, path: Path | None = None) -> None:
        """``path`` stands for ``~/.ssh/config``; None = the usual one, or what ``$KOMODO_TUI_SSH_CONFIG`` names."""
        given = path or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
        home = Path.home()
        self.path = given or home / ".ssh/config"
        # ssh looks in the home directory of the password database; the rest of the program in $HOME
        self._explicit = given is not None or str(home) != home_of_ssh()
        self._cache: dict[str, tuple[_Signature, SshHost]] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def resolve(self, address: str) -> SshHost:
        """The destination behind ``[user@]host[:port]`` or an alias, with the hosts to go through.

        Raises:
            UsageError: the configuration cannot be read; the message names file and line.
        """
        signature = await asyncio.to_thread(self._signature)
        cached = self._cache.get(address)
        if cached is not None and cached[0] == signature:
            return cached[1]
        host = await self._resolve(address, None, 0)
        self._cache[address] = (signature, host)
        return host

    def forget(self) -> None:
        """Ask ``ssh`` again for every destination (``Match exec`` may answer differently now)."""
        self._cache.clear()

    def aliases(self) -> list[str]:
        """The hosts the user's configuration names, in its order: those one would type after ``ssh``."""
        found: dict[str, None] = {}
        for file in _files(self.path, self.path.parent):
            for keyword, value in _directives(file):
                if keyword == "host":
                    found.update((name, None) for name in _words(value) if not set(name) & set("*?!"))
        return list(found)

    def _signature(self) -> _Signature:
        """Changes when any file of the configuration does."""
        files = [*_files(self.path, self.path.parent), *_files(_SYSTEM, _SYSTEM.parent)]
        signature = []
        for file in files:
            try:
                status = file.stat()
            except OSError:
                continue
            signature.append((str(file), status.st_mtime_ns, status.st_size))
        return tuple(signature)

    async def _resolve(self, address: str, through: SshHost | None, depth: int) -> SshHost:
        if depth > _DEEPEST:
            raise UsageError(f"ProxyJump of {address} runs in a circle", hint=f"look at {self.path}")
        user, name, port = split_address(address)
        host, jumps = await self._ask(user, name, port)
        if through is None and jumps:
            for hop in jumps.split(","):
                through = await self._resolve(hop.strip().removeprefix("ssh://"), through, depth + 1)
        return msgspec.structs.replace(host, jump=through)

    async def _ask(self, user: str | None, name: str, port: int | None) -> tuple[SshHost, str]:
        binary = shutil.which("ssh")
        if binary is None:
            return await asyncio.to_thread(self._parse, user, name, port)
        command = [binary, "-G"]
        if self._explicit:
            command += ["-F", str(self.path) if self.path.exists() else os.devnull]
        if user is not None:
            command += ["-l", user]
        if port is not None:
            command += ["-p", str(port)]
        async with self._gate:
            output = await self._run([*command, "--", name])
        try:
            return from_ssh(name, output)
        except (KeyError, ValueError) as error:
            raise UsageError(f"ssh -G {name} gave an answer that is not understood", hint=str(self.path)) from error

    async def _run(self, command: list[str]) -> str:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(_TIMEOUT):
                output, complaints = await process.communicate()
        except TimeoutError as error:
            raise UsageError(
                f"ssh -G {command[-1]} does not end", hint=f"look for Match exec in {self.path}"
            ) from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            lines = [line for line in complaints.decode("utf-8", "replace").splitlines() if "terminal" not in line]
            raise UsageError(
                f"ssh cannot read its configuration: {clean(lines[0]) if lines else 'no reason given'}",
                hint="correct it and connect again",
            )
        return output.decode("utf-8", "replace")

    def _parse(self, user: str | None, name: str, port: int | None) -> tuple[SshHost, str]:
        import getpass

        import asyncssh.config

        paths = [str(path) for path in (self.path, _SYSTEM) if os.access(path, os.R_OK)]
        given = (user if user is not None else (), name, port if port is not None else ())
        try:
            parsed = asyncssh.config.SSHClientConfig.load(None, paths, False, False, False, getpass.getuser(), *given)
        except (asyncssh.ConfigParseError, OSError) as error:
            raise UsageError(
                f"the SSH configuration cannot be read: {error}", hint="install the ssh program"
            ) from error
        return from_options(name, parsed.get_options(False))


def _files(path: Path, folder: Path, depth: int = 0) -> Iterator[Path]:
    """The file and those it includes, in reading order. Relative includes are looked for in ``folder``."""
    yield path
    if depth >= _DEEPEST:
        return
    for keyword, value in _directives(path):
        if keyword != "include":
            continue
        for pattern in _words(value):
            for found in sorted(glob.glob(str(folder / os.path.expanduser(pattern)))):
                yield from _files(Path(found), folder, depth + 1)


def _directives(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        keyword, _, value = line.strip().replace("=", " ", 1).partition(" ")
        if keyword and not keyword.startswith("#"):
            yield keyword.lower(), value.strip()


def _words(value: str) -> list[str]:
    words = []
    for word in value.split():
        if word.startswith("#"):
            break
        words.append(word.strip('"'))
    return words
