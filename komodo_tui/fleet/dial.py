"""Reaching the SSH server of a host, up to its greeting.

This costs next to nothing, so hosts that are dead, frozen or behind a black hole are waited for here, outside the
few slots for handshakes: they never delay the others.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import asyncssh

from komodo_tui.domain.errors import HostUnreachableError
from komodo_tui.domain.text import clean
from komodo_tui.fleet.channels import open_shielded

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.fleet.sshhost import SshHost

DIAL_TIMEOUT = 4.0
"""Seconds for name and TCP. Short, since the next try is near: a host that comes back is seen within 5 s."""
GREETING_TIMEOUT = 15.0
"""Seconds a connected server may stay silent. Longer: a frozen sshd greets those who waited, the moment it thaws."""
_GREETING = b"SSH-"
_PEEK = 1024
_PART = 2.0
_names = ThreadPoolExecutor(max_workers=16, thread_name_prefix="names")
"""Name servers that do not answer hold these threads, not those that everything else runs in."""


async def dial(host: SshHost) -> socket.socket:
    """A connected socket whose other end has greeted as an SSH server; the greeting is still to be read.

    Raises:
        HostUnreachableError: and at which step.
    """
    where = f"{host.host}:{host.port}"
    try:
        async with asyncio.timeout(DIAL_TIMEOUT):
            sock = await _connect(host)
    except TimeoutError as error:
        raise HostUnreachableError(
            f"no answer from {where}", hint="is it on, and does a firewall let us in?"
        ) from error
    except socket.gaierror as error:
        hint = "correct the address, or HostName in ~/.ssh/config"
        if error.errno == socket.EAI_AGAIN:
            hint = "the name server does not answer; it is tried again"
        raise HostUnreachableError(f"the name {host.host} is not known: {error.strerror}", hint=hint) from error
    except UnicodeError as error:
        raise HostUnreachableError(f"{host.host!r} is no name of a host", hint="correct the address") from error
    except ConnectionRefusedError as error:
        raise HostUnreachableError(f"{where} refuses connections", hint="does sshd run there?") from error
    except OSError as error:
        raise HostUnreachableError(f"{where} cannot be reached: {error.strerror or error}") from error
    greeted = False
    try:
        async with asyncio.timeout(GREETING_TIMEOUT):
            await _greeting(sock, where)
        greeted = True
    except TimeoutError as error:
        raise HostUnreachableError(f"{where} accepts connections and says nothing", hint="sshd may hang") from error
    except OSError as error:
        raise HostUnreachableError(f"{where} broke the connection: {error.strerror or error}") from error
    finally:
        if not greeted:
            sock.close()
    return sock


async def _connect(host: SshHost) -> socket.socket:
    loop = asyncio.get_running_loop()
    family = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}.get(host.address_family, socket.AF_UNSPEC)
    found = await loop.run_in_executor(
        _names, lambda: socket.getaddrinfo(host.host, host.port, family, socket.SOCK_STREAM)
    )
    problem: OSError = OSError("no address")
    for number, (kind, _, transport, _, address) in enumerate(found):
        sock = socket.socket(kind, socket.SOCK_STREAM, transport)
        connected = False
        try:
            sock.setblocking(False)
            if host.bind_address:
                sock.bind((host.bind_address, 0))
            async with asyncio.timeout(_PART if number < len(found) - 1 else None):
                await loop.sock_connect(sock, address)
            connected = True
            return sock
        except OSError as error:  # TimeoutError is one: the next address gets its turn
            problem = error
        finally:
            if not connected:
                sock.close()
    raise problem


async def _greeting(sock: socket.socket, where: str) -> None:
    """Wait until the server has said who it is, leaving what it said unread."""
    seen = b""
    while True:
        await _readable(sock)
        peeked = sock.recv(_PEEK, socket.MSG_PEEK)
        if _GREETING in peeked:
            return
        if not peeked:
            hint = "it may be overloaded, or block this address for a while after failed logins"
            raise HostUnreachableError(f"{where} closes the connection without a greeting", hint=hint)
        if len(peeked) >= _PEEK or (peeked == seen and not _GREETING.startswith(peeked)):
            said = clean(peeked[:60].decode("utf-8", "replace").strip())
            raise HostUnreachableError(f"what listens on {where} is no SSH server: it says {said!r}")
        seen = peeked
        await asyncio.sleep(0.1)  # the unread bytes keep the socket readable, so it cannot tell of more


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sock)


class JumpSocket:
    """A connection through a bastion that has greeted; asyncssh takes it over as its ``tunnel``."""

    def __init__(self, channel: asyncssh.SSHTCPChannel[bytes], held: _Held) -> None:
        self._channel = channel
        self._held = held

    async def create_connection(
        self, factory: Callable[[], asyncssh.SSHTCPSession[bytes]], host: str, port: int
    ) -> tuple[asyncssh.SSHTCPChannel[bytes], asyncssh.SSHTCPSession[bytes]]:
        """Hand over to asyncssh's session, with what has been said already."""
        return self._channel, self._held.hand_over(factory())

    def close(self) -> None:
        """Close it if nobody took it over."""
        if not self._held.handed_over:
            self._channel.abort()


class _Held(asyncssh.SSHTCPSession[bytes]):
    """Keeps what the server says until the real session is there."""

    def __init__(self) -> None:
        self.greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._channel: asyncssh.SSHTCPChannel[bytes] | None = None
        self._kept: list[bytes] = []
        self._session: asyncssh.SSHTCPSession[bytes] | None = None

    @property
    def handed_over(self) -> bool:
        """Whether another session has it now."""
        return self._session is not None

    def hand_over(self, session: asyncssh.SSHTCPSession[bytes]) -> asyncssh.SSHTCPSession[bytes]:
        """From now on everything goes to ``session``."""
        assert self._channel is not None
        self._session = session
        session.connection_made(self._channel)
        session.session_started()
        for data in self._kept:
            session.data_received(data, None)
        return session

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        """The channel is open."""
        self._channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Pass on, or keep."""
        if self._session is not None:
            self._session.data_received(data, datatype)
            return
        self._kept.append(data)
        if not self.greeted.done():
            self.greeted.set_result(None)

    def eof_received(self) -> bool:
        """Pass on."""
        return bool(self._session.eof_received()) if self._session is not None else False

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on, or tell who waits."""
        if self._session is not None:
            self._session.connection_lost(exc)
        elif not self.greeted.done():
            self.greeted.set_exception(exc or ConnectionResetError("closed"))

    def pause_writing(self) -> None:
        """Pass on."""
        if self._session is not None:
            self._session.pause_writing()

    def resume_writing(self) -> None:
        """Pass on."""
        if self._session is not None:
            self._session.resume_writing()


async def dial_through(bastion: asyncssh.SSHClientConnection, host: SshHost, by: str) -> JumpSocket:
    """The same through a bastion, named ``by`` in messages."""
    where = f"{host.host}:{host.port}"
    held = _Held()
    try:
        async with asyncio.timeout(GREETING_TIMEOUT):
            channel, _ = await open_shielded(
                bastion.create_connection(lambda: held, host.host, host.port), lambda opened: opened[0].abort()
            )
    except TimeoutError as error:
        raise HostUnreachableError(f"{by} gets no answer from {where}") from error
    except asyncssh.ChannelOpenError as error:
        raise HostUnreachableError(f"{by} cannot reach {where}: {clean(error.reason)[:200]}") from error
    except (asyncssh.Error, OSError) as error:
        raise HostUnreachableError(f"the connection to {by} was lost") from error
    jump = JumpSocket(channel, held)
    greeted = False
    try:
        async with asyncio.timeout(GREETING_TIMEOUT):
            await held.greeted
        greeted = True
    except TimeoutError as error:
        raise HostUnreachableError(f"{where} accepts connections of {by} and says nothing") from error
    except (asyncssh.Error, OSError) as error:
        raise HostUnreachableError(f"{where} broke the connection made through {by}") from error
    finally:
        if not greeted:
            jump.close()
    return jump
