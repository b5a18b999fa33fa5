"""This session's ssh-agent as others may use it: what it has, and which of their questions it is asked.

A server that it is lent to may see the public keys and have logins signed, as one user alone; where the host keys of
the repository's server are known, to that server alone. So who is root over there cannot log in elsewhere with it.
The protocol is draft-ietf-sshm-ssh-agent; what a login signs is section 7 of RFC 4252, and the binding of a connection
to a host key is ``PROTOCOL.agent`` of OpenSSH.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from typing import TYPE_CHECKING, NamedTuple

import asyncssh
from asyncssh.public_key import decode_ssh_public_key

from komodo_agent.wire.lent import LONGEST_MESSAGE
from komodo_agent.wire.repo_checks import user_of
from komodo_tui.domain.errors import ActError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_agent.wire.repos import RepoSource

FAILURE = b"\x05"
_LIST, _LISTED, _SIGN, _EXTENSION = 11, 12, 13, 27
_BIND = b"session-bind@openssh.com"
_LOGIN = 50
"""SSH_MSG_USERAUTH_REQUEST"""
_METHODS = (b"publickey", b"publickey-hostbound-v00@openssh.com")
_OPEN_TIMEOUT = 5.0
_ANSWER_TIMEOUT = 120.0
"""Seconds: a person may have to touch a key or to agree."""
_HINT = "start one and add the key (ssh-agent, ssh-add); what runs while nobody is there needs a key instead"


class SshAgent:
    """One connection to it; questions one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls) -> SshAgent:
        """Connect to the one that the session names (``SSH_AUTH_SOCK``). Raises ActError."""
        path = os.environ.get("SSH_AUTH_SOCK", "")
        if not path:
            raise ActError("there is no ssh-agent to lend: SSH_AUTH_SOCK is not set here", hint=_HINT)
        try:
            async with asyncio.timeout(_OPEN_TIMEOUT):
                return cls(*await asyncio.open_unix_connection(path, limit=LONGEST_MESSAGE))
        except (OSError, TimeoutError) as error:
            raise ActError(f"the ssh-agent to lend does not answer on {path} (SSH_AUTH_SOCK)", hint=_HINT) from error

    async def ask(self, question: bytes, timeout: float = _ANSWER_TIMEOUT) -> bytes:
        """Its answer; the one for a failure where it gives none."""
        try:
            async with asyncio.timeout(timeout):
                self._writer.write(_string(question))
                (size,) = struct.unpack(">I", await self._reader.readexactly(4))
                return await self._reader.readexactly(size) if 0 < size <= LONGEST_MESSAGE else FAILURE
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            self.close()
            return FAILURE

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def check_agent() -> None:
    """Raise ActError unless this session has an ssh-agent that has a key."""
    agent = await SshAgent.open()
    try:
        answer = await agent.ask(bytes([_LIST]), _OPEN_TIMEOUT)
    finally:
        agent.close()
    if answer[:1] != bytes([_LISTED]):
        raise ActError("the ssh-agent to lend does not tell its keys", hint="it may be locked (ssh-add -X)")
    if answer[1:5] == bytes(4):
        raise ActError("the ssh-agent to lend has no key", hint="add the one that the repository knows: ssh-add")


class Limits(NamedTuple):
    """What a loan is for."""

    url: str
    user: bytes
    hosts: frozenset[bytes]
    """Host keys as they are sent; empty = any host."""


def limits_of(source: RepoSource) -> Limits:
    """What one source's git may have signed."""
    return Limits(source.url, user_of(source.url).encode(), frozenset(_host_keys(source.host_keys)))


class Guard:
    """Tells for one connection which questions the ssh-agent is asked."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sessions: set[bytes] = set()
        """Of the logins that this connection may sign: their hosts have proved who they are."""

    def refusal(self, question: bytes) -> str:
        """Why it is not asked this, in words that follow a URL; empty = it is."""
        kind = question[0]
        try:
            if kind == _EXTENSION:
                return self._bind(_Reader(question[1:]))
            return self._sign(_Reader(question[1:])) if kind == _SIGN else "" if kind == _LIST else _strange()
        except ValueError:
            return _strange()

    def _bind(self, words: _Reader) -> str:
        """A login's host shows that it owns its key: it has signed this very session's id."""
        if words.string() != _BIND:
            return _strange()
        host, session, signature = words.string(), words.string(), words.string()
        if not self._limits.hosts:
            return ""
        if host not in self._limits.hosts:
            return "the host that the ssh-agent was to log in to has none of the repo's host_keys"
        try:
            proved = decode_ssh_public_key(host).verify(session, signature)
        except (asyncssh.KeyImportError, ValueError):
            proved = False
        if not proved:
            return "the host that the ssh-agent was to log in to does not own its key"
        self._sessions.add(session)
        return ""

    def _sign(self, words: _Reader) -> str:
        words.string()
        data = _Reader(words.string())
        session, kind = data.string(), data.byte()
        user, service, method = data.string(), data.string(), data.string()
        if kind != _LOGIN or service != b"ssh-connection" or method not in _METHODS:
            return "the ssh-agent is lent for logins alone, and something else was to be signed"
        if user != self._limits.user:
            return "the ssh-agent is lent for logins of the URL's user alone, and another one was to log in"
        if self._limits.hosts and session not in self._sessions:
            return "ssh on the server does not say which host it logs in to (OpenSSH 8.9 does), which host_keys demand"
        return ""


class _Reader:
    """The parts of a message. Raises ValueError at its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def byte(self) -> int:
        return self._take(1)[0]

    def string(self) -> bytes:
        return self._take(int.from_bytes(self._take(4)))

    def _take(self, size: int) -> bytes:
        if size > len(self._data):
            raise ValueError("it ends too early")
        taken, self._data = self._data[:size], self._data[size:]
        return taken


def _strange() -> str:
    return "the server asked the lent ssh-agent for more than keys and logins"


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _host_keys(lines: Sequence[str]) -> list[bytes]:
    """Of lines of a known_hosts file; marked ones (authorities, revoked keys) name no key of a host."""
    found = []
    for line in lines:
        words = line.split()
        if len(words) >= 3 and not words[0].startswith("@"):
            try:
                found.append(base64.b64decode(words[2], validate=True))
            except ValueError:
                found.append(b"-")  # no host's: what cannot be read opens nothing
    return found or ([b"-"] if lines else [])
