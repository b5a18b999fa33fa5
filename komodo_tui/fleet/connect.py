"""Opening SSH connections: who to go through, what to offer, and the one place where asyncssh's errors become ours."""

from __future__ import annotations

import asyncio
import os
import shlex
from typing import TYPE_CHECKING, Any

import asyncssh

from komodo_tui.domain.errors import (
    AuthenticationError,
    HostUnreachableError,
    KomodoError,
    UnreachableError,
)
from komodo_tui.domain.text import clean
from komodo_tui.fleet.dial import dial, dial_through
from komodo_tui.fleet.faults import HandshakeError, twin
from komodo_tui.fleet.hostkeys import HostKeys, Record
from komodo_tui.fleet.keys import KeyRing
from komodo_tui.fleet.ssh_client import Attempt, Login, Passwords

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.fleet.prompts import Prompter
    from komodo_tui.fleet.sshhost import SshHost

HANDSHAKES = 10
"""At once: more would hold up the event loop, and gain nothing."""
HANDSHAKE_TIMEOUT = 15.0
KEEPALIVE_INTERVAL = 5
KEEPALIVE_COUNT = 2
"""A connection that carries nothing for interval × (count + 1) = 15 s is lost."""
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr",
            "aes192-ctr", "aes128-ctr")  # fmt: skip
"""AES-GCM first: half the CPU of the default (chacha20) in this process."""
_METHODS = ("publickey", "keyboard-interactive", "password")


class SshConnection:
    """An SSH connection that is open, and the bastion's that carries it."""

    def __init__(self, host: SshHost, connection: asyncssh.SSHClientConnection, login: Login) -> None:
        self.host = host
        self.ssh = connection
        self.banner = login.banner
        self._login = login
        self._release: list[Callable[[], None]] = []

    def on_close(self, release: Callable[[], None]) -> None:
        """Call this once it is closed."""
        self._release.append(release)

    async def lost(self) -> UnreachableError:
        """Wait until it ends; why."""
        reason = await asyncio.shield(self._login.lost)
        where = self.host.name
        if isinstance(reason, asyncssh.ConnectionLost) and "keepalive" in str(reason):
            silent = KEEPALIVE_INTERVAL * (KEEPALIVE_COUNT + 1)
            return HostUnreachableError(f"{where} has not answered for {silent} s", hint="it is frozen, or the network")
        said = f": {clean(str(reason))[:200]}" if reason is not None and str(reason) else ""
        return HostUnreachableError(f"the connection to {where} was lost{said}")

    async def close(self) -> None:
        """End it and everything that goes through it."""
        self.ssh.abort()
        await self.ssh.wait_closed()
        while self._release:
            self._release.pop()()


class _Bastion:
    """A host others go through: one connection for all of them."""

    def __init__(self) -> None:
        self.opening: asyncio.Task[SshConnection] | None = None
        self.users = 0
        self.refusal: KomodoError | None = None
        """Why a person has to be asked first; all who need it hear this, none tries again."""


class Connector:
    """Opens connections for all servers: keys, host keys, passwords and handshake slots are shared."""

    def __init__(self, prompter: Callable[[], Prompter]) -> None:
        self.host_keys = HostKeys()
        self.keys = KeyRing()
        self._passwords = Passwords()
        self._prompter = prompter
        self._gate = asyncio.Semaphore(HANDSHAKES)
        self._bastions: dict[SshHost, _Bastion] = {}

    def forget(self) -> None:
        """Ask again what was not answered, try again what was refused."""
        self.keys.forget()
        for bastion in self._bastions.values():
            bastion.refusal = None

    async def connect(self, host: SshHost, server: str) -> SshConnection:
        """Connect for a server of that name.

        Raises:
            HostUnreachableError: no answer, refused, unknown name, broken off.
            AuthenticationError: what was offered was not taken.
            HostKeyUnknownError, HostKeyChangedError: a person has to look.
        """
        if host.jump is None:
            return await self._handshake(host, server, None)
        bastion = self._bastions.setdefault(host.jump, _Bastion())
        bastion.users += 1
        try:
            through = await self._shared(bastion, host.jump, server)
            connection = await self._handshake(host, server, through)
        except BaseException:
            self._leave(host.jump, bastion)
            raise
        jump = host.jump
        connection.on_close(lambda: self._leave(jump, bastion))
        return connection

    async def close(self) -> None:
        """Close the bastions' connections; their users have gone."""
        bastions, self._bastions = list(self._bastions.values()), {}
        for bastion in bastions:
            if bastion.opening is not None:
                await _close(bastion.opening)

    async def _shared(self, bastion: _Bastion, host: SshHost, server: str) -> SshConnection:
        if bastion.refusal is not None:
            raise twin(bastion.refusal)
        while (opening := bastion.opening) is not None and opening.done() and not _alive(opening):
            bastion.opening = None
            await _close(opening)
        if opening is None:
            opening = bastion.opening = asyncio.create_task(self.connect(host, server))
        try:
            return await asyncio.shield(opening)
        except KomodoError as error:
            if not (isinstance(error, UnreachableError) and error.retry):
                bastion.refusal = error
            raise twin(error) from error

    def _leave(self, host: SshHost, bastion: _Bastion) -> None:
        bastion.users -= 1
        if bastion.users == 0 and bastion.refusal is None:
            self._bastions.pop(host, None)
            if bastion.opening is not None:
                closing = asyncio.ensure_future(_close(bastion.opening))
                _closing.add(closing)
                closing.add_done_callback(_closing.discard)

    async def _handshake(self, host: SshHost, server: str, through: SshConnection | None) -> SshConnection:
        record = await self.host_keys.record(host)
        options = _options(host, record)
        if through is not None:
            tunnel = await dial_through(through.ssh, host, through.host.name)
            options["tunnel"], abandon = tunnel, tunnel.close
        elif host.proxy_command:
            options["proxy_command"], abandon = _proxy_command(host), _nothing
        else:
            options["sock"] = await dial(host)
            abandon = options["sock"].close
        attempt = Attempt(self._gate, HANDSHAKE_TIMEOUT)
        login = Login(host, server, self.keys, self._passwords, self._prompter(), attempt)
        connected = False
        try:
            async with attempt.running():
                connection = await asyncssh.connect(host.host, host.port, client_factory=lambda: login, **options)
            connected = True
        except TimeoutError as error:
            raise HandshakeError(f"{host.name} did not finish the SSH handshake in time") from error
        except (asyncssh.Error, OSError, ValueError) as error:
            raise self._translate(error, host, login, record) from error
        finally:
            if not connected:
                abandon()
        return SshConnection(host, connection, login)

    def _translate(self, error: Exception, host: SshHost, login: Login, record: Record) -> Exception:
        said = clean(str(error))[:300]
        who = f"{host.user}@{host.name}"
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return self.host_keys.explain(host, login.host_key, record, said)
        if isinstance(error, asyncssh.PermissionDenied):
            return AuthenticationError(f"{who} was not let in; {_tried(login)}", hint=self._auth_hint(host, login))
        if isinstance(error, asyncssh.ProtocolError) and "authentication failures" in said:
            hint = f"name one key for it: IdentityFile and IdentitiesOnly yes, under Host {host.name} in ~/.ssh/config"
            return AuthenticationError(f"{who} was not let in after too many keys; {_tried(login)}", hint=hint)
        if isinstance(error, asyncssh.KeyExchangeFailed | asyncssh.ProtocolNotSupported | ValueError):
            return AuthenticationError(f"no SSH settings in common with {host.name}: {said}", hint="update its sshd")
        return HandshakeError(f"{host.name} broke off the SSH handshake: {said or type(error).__name__}")

    def _auth_hint(self, host: SshHost, login: Login) -> str:
        if login.declined or self.keys.locked(host):
            return "a passphrase or password is needed: connect from the TUI, or add the key with ssh-add"
        return f"try: ssh {shlex.quote(host.name)}"


_closing: set[asyncio.Future[None]] = set()


async def _close(opening: asyncio.Task[SshConnection]) -> None:
    opening.cancel()
    await asyncio.wait({opening})
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().close()


def _alive(opening: asyncio.Task[SshConnection]) -> bool:
    return not opening.cancelled() and opening.exception() is None and not opening.result().ssh.is_closed()


def _nothing() -> None:
    """Nothing was opened beforehand."""


def _options(host: SshHost, record: Record) -> dict[str, Any]:
    """What asyncssh is told, all of it, so that nothing is looked up behind our back."""
    options: dict[str, Any] = {
        "config": None,
        "username": host.user,
        "known_hosts": (record.keys, record.authorities, record.revoked),
        "server_host_key_algs": record.algorithms,
        "host_key_alias": host.host_key_alias or None,
        "client_keys": None,  # the login offers them one by one
        "agent_forwarding": False,
        "x11_forwarding": False,
        "host_based_auth": False,
        "gss_host": None,
        "public_key_auth": host.public_key,
        "password_auth": host.password,
        "kbdint_auth": host.keyboard_interactive,
        "preferred_auth": [m for m in host.methods or _METHODS if m in _METHODS] or list(_METHODS),
        "disable_trivial_auth": True,
        "x509_trusted_certs": None,
        "connect_timeout": None,  # ours stands still while a person is asked; asyncssh's do not
        "login_timeout": 0,
        "keepalive_interval": KEEPALIVE_INTERVAL,
        "keepalive_count_max": KEEPALIVE_COUNT,
        "encryption_algs": _ordered(host.ciphers, _CIPHERS),
        "compression_algs": ["zlib@openssh.com", "none"] if host.compression else ["none"],
        "encoding": None,
        "send_env": [],
        "env": {},
    }
    if host.macs:
        options["mac_algs"] = _supported(host.macs, asyncssh.mac.get_mac_algs())
    if host.kex:
        options["kex_algs"] = _supported(host.kex, asyncssh.kex.get_kex_algs())
    return {key: value for key, value in options.items() if value != [] or key in ("send_env",)}


def _ordered(wished: tuple[str, ...], preferred: tuple[str, ...]) -> list[str]:
    """The ciphers the configuration allows, the cheap ones first."""
    if not wished:
        return list(preferred)
    others = [name for name in wished if name not in preferred]
    return [name for name in preferred if name in wished] + _supported(
        others, asyncssh.encryption.get_encryption_algs()
    )


def _supported(names: Any, known: Any) -> list[str]:
    available = {name.decode("ascii") for name in known}
    return [name for name in names if name in available]


def _proxy_command(host: SshHost) -> list[str]:
    # The user's own configuration is a shell command by definition; ssh runs it the same way.
    return [os.environ.get("SHELL") or "/bin/sh", "-c", f"exec {host.expand(host.proxy_command)}"]


def _tried(login: Login) -> str:
    if not login.tried:
        return "there was nothing to offer: no key that exists, no ssh-agent"
    return f"it did not take {', '.join(dict.fromkeys(login.tried))}"
