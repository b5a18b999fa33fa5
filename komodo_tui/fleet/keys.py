"""The user's private keys: read once, offered by their public half, decrypted when a server wants a signature.

So nobody is asked for the passphrase of a key that no server takes, and a key used for fifty servers is decrypted
once (each time would cost 0.1 s of CPU).
"""

from __future__ import annotations

import asyncio
import base64
import struct
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import asyncssh
import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from komodo_tui.fleet.sshhost import SshHost

_MAGIC = b"openssh-key-v1\0"
_TRIES = 3


class Asker(Protocol):
    """Who can ask a person, on behalf of one login."""

    def asking(self) -> AbstractAsyncContextManager[None]:
        """Entered while an answer is waited for, also one that somebody else has asked for."""
        ...

    async def passphrase(self, path: str) -> str | None:
        """The passphrase of the key at a path; None = not given."""
        ...


class _Identity(msgspec.Struct):
    """One key file."""

    public: asyncssh.SSHKey | None
    private: asyncssh.SSHKey | None
    """None while it is encrypted."""
    data: bytes
    """Of the file; empty when it holds a public key alone."""
    certificate: asyncssh.SSHCertificate | None


class KeyRing:
    """All keys in use. Belongs to the event loop; files are read and decrypted in threads."""

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._identities: dict[str, tuple[int, _Identity | None]] = {}
        self._declined: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = {}

    def forget(self) -> None:
        """Ask again for passphrases that were not given."""
        self._declined.clear()

    def locked(self, host: SshHost) -> bool:
        """Whether the passphrase of one of the host's keys was asked for in vain."""
        return not self._declined.isdisjoint(host.identity_files)

    async def offers(
        self, host: SshHost, ask: Asker, agent: asyncssh.SSHAgentClient | None
    ) -> AsyncIterator[asyncssh.SSHKeyPair]:
        """Key pairs in the order of ``ssh``: the agent's that the configuration names, the agent's others, files."""
        identities = [(path, identity) for path in host.identity_files if (identity := await self._identity(path))]
        named = {i.public.public_data for _, i in identities if i.public is not None}
        held = list(await agent_keys(agent)) if agent is not None else []
        offered: set[bytes] = set()
        for pair in sorted(held, key=lambda pair: pair.key_public_data not in named):
            if host.identities_only and pair.key_public_data not in named:
                continue
            offered.add(pair.key_public_data)
            yield pair
        for path, identity in identities:
            public = identity.public
            if public is None:
                private = await self._private(path, identity, ask)
                public = private.convert_to_public() if private is not None else None
            if public is None or not identity.data or public.public_data in offered:
                continue
            for certificate in filter(None, (identity.certificate, *_certificates(host, public))):
                yield _FilePair(public, certificate, self, path, identity, ask)
            yield _FilePair(public, None, self, path, identity, ask)

    async def sign(self, path: str, identity: _Identity, ask: Asker, data: bytes, algorithm: bytes) -> bytes:
        """Sign with the key at a path.

        Raises:
            ValueError: its passphrase was not given (asyncssh then goes on to the next key).
        """
        private = await self._private(path, identity, ask)
        if private is None:
            raise ValueError(f"no passphrase for {path}")
        return await asyncio.to_thread(private.sign, data, algorithm)

    async def _identity(self, path: str) -> _Identity | None:
        return await asyncio.to_thread(self._read, path)

    def _read(self, path: str) -> _Identity | None:
        try:
            stamp = Path(path).stat().st_mtime_ns
        except OSError:
            return None
        with self._reading:  # two of one file would be asked about twice
            cached = self._identities.get(path)
            if cached is None or cached[0] != stamp:
                cached = self._identities[path] = (stamp, _load(path))
            return cached[1]

    async def _private(self, path: str, identity: _Identity, ask: Asker) -> asyncssh.SSHKey | None:
        if identity.private is not None or path in self._declined:
            return identity.private
        # One question, whoever else waits for the answer.
        async with ask.asking(), self._locks.setdefault(path, asyncio.Lock()):
            tries = 0
            while identity.private is None and path not in self._declined and tries < _TRIES:
                passphrase = await ask.passphrase(path)
                tries = tries + 1 if passphrase is not None else _TRIES
                if passphrase is not None:
                    identity.private = await asyncio.to_thread(_decrypt, identity.data, passphrase)
            if identity.private is None:
                self._declined.add(path)
            if identity.private is not None and identity.public is None:
                identity.public = identity.private.convert_to_public()
            return identity.private


class _FilePair(asyncssh.SSHKeyPair):
    """A key file offered by its public half."""

    _key_type = "local"

    def __init__(
        self,
        public: asyncssh.SSHKey,
        certificate: asyncssh.SSHCertificate | None,
        ring: KeyRing,
        path: str,
        identity: _Identity,
        ask: Asker,
    ) -> None:
        algorithms = public.sig_algorithms
        super().__init__(
            public.algorithm, public.algorithm, algorithms, algorithms, public.public_data, path.encode(), certificate
        )
        self._ring, self._path, self._identity, self._ask = ring, path, identity, ask

    async def sign_async(self, data: bytes) -> bytes:
        """Sign, asking for the passphrase where it is not known yet."""
        return await self._ring.sign(self._path, self._identity, self._ask, data, self.sig_algorithm)


async def agent_keys(agent: asyncssh.SSHAgentClient, timeout: float = 5.0) -> Sequence[asyncssh.SSHKeyPair]:
    """What the ssh-agent holds; nothing when it does not answer within ``timeout`` seconds."""
    try:
        async with asyncio.timeout(timeout):
            return await agent.get_keys()
    except (TimeoutError, ValueError, OSError):
        return []


def _load(path: str) -> _Identity | None:
    """Read a key file; None when it is none."""
    try:
        data = Path(path).read_bytes()
    except OSError:
        return None
    if b"PRIVATE KEY" not in data:
        public = _import_public(data)
        return None if public is None else _Identity(public=public, private=None, data=b"", certificate=None)
    public = _public_half(data) or _read_public(f"{path}.pub")
    private = None
    try:
        private = asyncssh.import_private_key(data)
        public = private.convert_to_public()
    except asyncssh.KeyEncryptionError:
        pass
    except asyncssh.KeyImportError as error:
        if "passphrase" not in str(error).lower():
            return None
    return _Identity(public=public, private=private, data=data, certificate=_read_certificate(f"{path}-cert.pub"))


def _decrypt(data: bytes, passphrase: str) -> asyncssh.SSHKey | None:
    try:
        return asyncssh.import_private_key(data, passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        return None


def _public_half(data: bytes) -> asyncssh.SSHKey | None:
    """The public key that OpenSSH's private format carries in the clear."""
    _, _, rest = data.partition(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    body, _, _ = rest.partition(b"-----END")
    try:
        blob = base64.b64decode(b"".join(body.split()), validate=True)
        if not blob.startswith(_MAGIC):
            return None
        position = len(_MAGIC)
        for _ in range(3):  # cipher, key derivation, its options
            position += 4 + struct.unpack_from(">I", blob, position)[0]
        position += 4  # number of keys
        (length,) = struct.unpack_from(">I", blob, position)
        public = blob[position + 4 : position + 4 + length]
        (name_length,) = struct.unpack_from(">I", public, 0)
        name = public[4 : 4 + name_length]
    except (ValueError, struct.error):
        return None
    return _import_public(name + b" " + base64.b64encode(public))


def _import_public(data: bytes) -> asyncssh.SSHKey | None:
    try:
        return asyncssh.import_public_key(data)
    except asyncssh.KeyImportError:
        return None


def _read_public(path: str) -> asyncssh.SSHKey | None:
    try:
        return asyncssh.read_public_key(path)
    except (OSError, asyncssh.KeyImportError):
        return None


def _read_certificate(path: str) -> asyncssh.SSHCertificate | None:
    try:
        return asyncssh.read_certificate(path)
    except (OSError, asyncssh.KeyImportError):
        return None


def _certificates(host: SshHost, public: asyncssh.SSHKey) -> list[asyncssh.SSHCertificate]:
    """Certificates the configuration names that are of this key."""
    found = (_read_certificate(path) for path in host.certificate_files)
    return [c for c in found if c is not None and c.key.public_data == public.public_data]
