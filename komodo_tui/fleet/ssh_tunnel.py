"""An open SSH connection to a server, and the ways through it: to the agent, to a shell, to short commands."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING

import asyncssh

from komodo_tui.domain.errors import (
    ActError,
    AgentMissingError,
    AgentTimeoutError,
    HostUnreachableError,
    UnreachableError,
)
from komodo_tui.domain.text import clean
from komodo_tui.fleet import probe
from komodo_tui.fleet.channels import CommandSession, Output, SocketSession, open_shielded
from komodo_tui.fleet.connector import CONNECT_TIMEOUT, AgentConnector
from komodo_tui.fleet.ssh_shell import SshShell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aiohttp.client_proto import ResponseHandler

    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.fleet.connect import SshConnection
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.fleet.probe import ServerProbe
    from komodo_tui.fleet.sessions import ByteSession
    from komodo_tui.fleet.tunnel import ByteStream

SYSTEM_SOCKET = "/run/komodo/agent.sock"
COMMAND_TIMEOUT = 30.0
_OUTPUT_LIMIT = 64 << 10
_SESSIONS = 2
"""Connections of one class of the fallback: each takes one of sshd's MaxSessions (10), which shells need too."""
_LOOK_EVERY = 30.0
"""Seconds between two looks around on a server without an agent: each is a command run there."""
# Runs in sh, $0 is the socket. The agent installed from here first, else one on PATH.
_AGENT = 'for a in "$HOME/BASE/current/komodo-agent" komodo-agent; do command -v "$a" >/dev/null 2>&1 && '
_RELAY = _AGENT.replace("BASE", probe.BASE) + 'exec "$a" dial-stdio --socket "$0"; done; exit 127'
_HELLO = _AGENT.replace("BASE", probe.BASE) + 'exec "$a" hello --socket "$0"; done; exit 127'


class SshTunnel:
    """The way to one server over one SSH connection."""

    def __init__(
        self,
        definition: ServerDefinition,
        connection: SshConnection,
        cache: Path,
        endpoint: str,
        remember: Callable[[str], None],
    ) -> None:
        """``endpoint`` is where the agent listened last time (empty = not known); ``remember`` is told of changes."""
        self.name = definition.name
        self.connection = connection
        self._definition = definition
        self._cache = cache
        self._endpoint = endpoint
        self._remember = remember
        self._relayed = False
        self._looked = float("-inf")
        self._problem: UnreachableError | None = None

    async def lost(self) -> UnreachableError:
        """Wait until the connection is lost; why."""
        return await self.connection.lost()

    async def close(self) -> None:
        """Close the connection and all that goes through it."""
        await self.connection.close()

    async def shell(self, cols: int, rows: int) -> ByteSession:
        """A login shell. Raises KomodoError."""
        return await SshShell.start(self.connection, self.name, cols, rows)

    async def dial(self, host: str, port: int) -> ByteStream:
        """A TCP connection from the server. Raises UnreachableError."""
        opening = self.connection.ssh.open_connection(host, port, encoding=None)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                return await open_shielded(opening, lambda opened: opened[1].close())
        except TimeoutError as error:
            raise AgentTimeoutError(f"port {port} of {self.name} does not answer", server=self.name) from error
        except asyncssh.ChannelOpenError as error:
            if self.connection.ssh.is_closed():
                raise self._lost() from error
            why = clean(error.reason)[:200]
            raise HostUnreachableError(
                f"no connection to port {port} of {self.name}: {why}", server=self.name
            ) from error
        except (asyncssh.Error, OSError) as error:
            raise self._lost() from error

    async def probe(self) -> ServerProbe:
        """What the server has for an agent. Raises KomodoError."""
        return await self._look(means=True)

    async def _look(self, *, means: bool) -> ServerProbe:
        output = await self.run("exec sh -s", probe.script(self._definition.agent_socket, means=means).encode())
        return probe.parse(output.stdout.decode("utf-8", "replace"))

    async def install_agent(self, progress: Callable[[str], None], live: ServerLive) -> None:
        """Install or upgrade the agent. Raises KomodoError."""
        from komodo_tui.fleet.bootstrap import install

        self._endpoint = await install(self, self._definition, live, self._cache, progress)
        self._relayed = False
        self._remember(self._endpoint)
        self._looked = float("-inf")

    async def run(
        self,
        command: str,
        stdin: bytes = b"",
        *,
        timeout: float = COMMAND_TIMEOUT,
        on_line: Callable[[str], None] | None = None,
    ) -> Output:
        """Run a command of the server's login shell with this input, and wait for its end.

        Raises:
            ActError: the server does not run commands for this login.
            UnreachableError: it did not end in time, or the connection went.
        """
        output = Output(_OUTPUT_LIMIT, on_line)
        opening = self.connection.ssh.create_session(lambda: output, command, encoding=None, request_pty=False)
        try:
            async with asyncio.timeout(timeout):
                channel, _ = await open_shielded(opening, lambda opened: opened[0].abort())
                try:
                    await _feed(channel, output, stdin)
                    await asyncio.shield(output.closed)
                finally:
                    channel.abort()
        except TimeoutError as error:
            raise AgentTimeoutError(f"a command on {self.name} does not end", server=self.name) from error
        except asyncssh.ChannelOpenError as error:
            if self.connection.ssh.is_closed():
                raise self._lost() from error
            raise ActError(
                f"the server runs no commands for this login: {clean(error.reason)[:200]}",
                hint="the login may be restricted, or sshd allows no more sessions (MaxSessions)",
                server=self.name,
            ) from error
        except (asyncssh.Error, OSError) as error:
            raise self._lost() from error
        if output.status is None and self.connection.ssh.is_closed():
            raise self._lost()
        return output

    async def connector(self) -> AgentConnector:
        """Where the agent listens, for one client.

        Raises:
            AgentMissingError: nowhere, and what to do.
        """
        if not await self._usable():
            await self._find()
        return AgentConnector(self._dial, each=_SESSIONS if self._relayed else 0)

    async def _usable(self) -> bool:
        """Whether what was used last time still opens."""
        if self._relayed:
            return await self._answers_relayed(self._endpoint)
        named = self._definition.agent_socket  # another agent there may have another engine
        for path in dict.fromkeys((named,) if named else (self._endpoint, SYSTEM_SOCKET)):
            if path and await self._opens(path):
                self._settle(path, relayed=False)
                return True
        return False

    async def _find(self) -> None:
        """Look around on the server, not too often."""
        now = asyncio.get_running_loop().time()
        if now - self._looked < _LOOK_EVERY and self._problem is not None:
            raise self._problem
        self._looked = now
        found = await self._look(means=False)
        named = self._definition.agent_socket
        sockets = [(allowed, path) for allowed, path in found.sockets if path == named or not named]
        for ways, relayed in ((self._opens, False), (self._answers_relayed, True)):
            for allowed, path in sockets:
                if allowed and await ways(path):
                    self._settle(path, relayed=relayed)
                    return
        self._problem = self._missing(found, sockets)
        raise self._problem

    def _missing(self, found: ServerProbe, sockets: list[tuple[bool, str]]) -> AgentMissingError:
        install = f"komodo-tui server install-agent {self.name}"
        what, hint = f"the agent is not installed on {self.name}", install
        if denied := next((path for allowed, path in sockets if not allowed), ""):
            what = f"user {found.user} may not open the agent's socket {denied}"
            hint = "allow the user there (--allow-uid, or the socket's group)"
        elif sockets:
            what = f"the agent's socket {sockets[0][1]} is there and does not open"
            hint = f"start the agent again; where sshd forbids forwarding, install it from here: {install}"
        elif self._definition.agent_socket:
            what = f"there is no socket {self._definition.agent_socket} on {self.name}"
            hint = f"start the agent there, correct agent_socket, or: {install}"
        elif found.installed:
            what = f"the agent is installed and does not run on {self.name}"
        return AgentMissingError(what, hint=hint, server=self.name)

    def _settle(self, path: str, *, relayed: bool) -> None:
        self._endpoint, self._relayed, self._problem = path, relayed, None
        self._remember(path)

    async def _opens(self, path: str) -> bool:
        """Whether the server opens a channel to this socket for us."""
        opening = self.connection.ssh.create_unix_connection(lambda: _Silent(), path, encoding=None)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                channel, _ = await open_shielded(opening, lambda opened: opened[0].abort())
        except asyncssh.ChannelOpenError as error:
            if self.connection.ssh.is_closed():
                raise self._lost() from error
            return False
        except TimeoutError:
            return False
        except (asyncssh.Error, OSError) as error:
            raise self._lost() from error
        channel.abort()
        return True

    async def _answers_relayed(self, path: str) -> bool:
        """Whether the agent answers a command run on the server: then it is sshd that forbids the channel."""
        output = await self.run(f"exec sh -c {shlex.quote(_HELLO)} {shlex.quote(path)}")
        return output.status == 0

    async def _dial(self, factory: Callable[[], ResponseHandler], window: int) -> ResponseHandler:
        protocol = factory()
        try:
            if self._relayed:
                command = f"exec sh -c {shlex.quote(_RELAY)} {shlex.quote(self._endpoint)}"
                await open_shielded(
                    self.connection.ssh.create_session(
                        lambda: CommandSession(protocol), command, encoding=None, window=window, request_pty=False
                    ),
                    lambda opened: opened[0].abort(),
                )
            else:
                await open_shielded(
                    self.connection.ssh.create_unix_connection(
                        lambda: SocketSession(protocol), self._endpoint, encoding=None, window=window
                    ),
                    lambda opened: opened[0].abort(),
                )
        except asyncssh.ChannelOpenError as error:
            if self.connection.ssh.is_closed():
                raise self._lost() from error
            what, hint = "the agent's socket does not open any more", "it is looked for again"
            if self._relayed:
                what, hint = "sshd opens no more sessions", "close some, or allow more there (MaxSessions)"
            raise AgentMissingError(what, hint=hint, server=self.name) from error
        except (asyncssh.Error, OSError) as error:
            raise self._lost() from error
        return protocol

    def _lost(self) -> HostUnreachableError:
        return HostUnreachableError(f"the connection to {self.name} was lost", server=self.name)


class _Silent(asyncssh.SSHUNIXSession[bytes]):
    """Only looks whether the door opens."""


async def _feed(channel: asyncssh.SSHClientChannel[bytes], output: Output, data: bytes) -> None:
    """Write a command's input, no faster than it takes it."""
    view = memoryview(data)
    step = 64 << 10
    while view and not channel.is_closing():
        channel.write(bytes(view[:step]))
        view = view[step:]
        await output.writable.wait()
    if not channel.is_closing():
        channel.write_eof()
