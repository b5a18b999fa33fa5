"""known_hosts: who a server was last time, asked once and remembered, in the files ``ssh`` reads too.

A key that is not the one on record is never accepted here, whatever the configuration says.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import hashlib
import hmac
import os
import secrets
from typing import TYPE_CHECKING

import asyncssh

from komodo_tui.domain.errors import HostKeyChangedError, HostKeyUnknownError, StoreError

if TYPE_CHECKING:
    from komodo_tui.fleet.sshhost import SshHost

_PLAIN = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256",
)  # fmt: skip
"""Key types in the order in which ``ssh`` asks for them, so that both show the same fingerprint."""
_CERTIFICATES = tuple(f"{name}-cert-v01@openssh.com" for name in _PLAIN)

_Stamp = tuple[int, int, int]


class Record:
    """What known_hosts says about one host."""

    def __init__(self) -> None:
        self.keys: list[asyncssh.SSHKey] = []
        """The keys it may show."""
        self.authorities: list[asyncssh.SSHKey] = []
        """Those whose certificates it may show."""
        self.revoked: list[asyncssh.SSHKey] = []

    @property
    def known(self) -> bool:
        """Whether there is any entry that says who it is."""
        return bool(self.keys or self.authorities)

    @property
    def algorithms(self) -> list[str]:
        """What to ask the server for: the types on record first, so that it shows the key that is on record."""
        recorded = list(_CERTIFICATES) if self.authorities else []
        for key in self.keys:
            recorded += [name.decode("ascii") for name in key.sig_algorithms if name.decode("ascii") in _PLAIN]
        return list(dict.fromkeys([*recorded, *_PLAIN]))


class HostKeys:
    """All known_hosts files in use, each read once until it changes."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[_Stamp, asyncssh.SSHKnownHosts]] = {}
        self._asked: dict[tuple[str, int, str], SshHost] = {}

    async def record(self, host: SshHost) -> Record:
        """What is on record about a host."""
        return await asyncio.to_thread(self._record, host)

    def explain(self, host: SshHost, shown: asyncssh.SSHKey | None, record: Record, reason: str) -> Exception:
        """The error for a host whose key was not accepted: unknown and changed are worlds apart."""
        where = f"{host.name} ({host.host}:{host.port})" if host.name != host.host else f"{host.host}:{host.port}"
        if shown is None:
            return HostKeyChangedError(
                f"the key of {where} is refused: {reason}", hint=f"look at {host.known_hosts[0]} and ask who runs it"
            )
        fingerprint, algorithm = shown.get_fingerprint(), shown.get_algorithm()
        if record.known:
            name = _entry_name(host)
            return HostKeyChangedError(
                f"the key of {where} has CHANGED: it now shows {algorithm} {fingerprint}. "
                "It was installed anew, or somebody is in between",
                hint=f"once you know which: ssh-keygen -f {host.known_hosts[0]} -R '{name}', then connect again",
            )
        public = shown.export_public_key().decode("ascii").strip()
        self._asked[(host.key_name, host.key_port, public)] = host
        return HostKeyUnknownError(
            f"the {algorithm} key of {where} is not known yet: {fingerprint}",
            host=host.key_name, port=host.key_port, algorithm=algorithm, fingerprint=fingerprint, key=public,
        )  # fmt: skip

    async def accept(self, error: HostKeyUnknownError, host: SshHost) -> None:
        """Remember a key that a person has compared; ``host`` says where, unless the key was asked about by a
        host on the way.

        Raises:
            HostKeyChangedError: another key has been recorded meanwhile.
            StoreError: the file cannot be written.
        """
        asked = self._asked.pop((error.host, error.port, error.key), host)
        await asyncio.to_thread(self._append, asked, error.key)

    def _record(self, host: SshHost) -> Record:
        port = host.key_port if host.key_port != 22 else None
        record = Record()
        for path in (*host.known_hosts, *host.global_known_hosts):
            known = self._read(path)
            if known is not None:
                # No address: that of a recycled one would pass for, or cry wolf about, another machine.
                keys, authorities, revoked = known.match(host.key_name, "", port)[:3]
                record.keys += keys
                record.authorities += authorities
                record.revoked += revoked
        return record

    def _read(self, path: str) -> asyncssh.SSHKnownHosts | None:
        try:
            status = os.stat(path)
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            cached = self._files.get(path)
            if cached is not None and cached[0] == stamp:
                return cached[1]
            with open(path, "rb") as file:
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return None  # as ssh does: what cannot be read says nothing
        known = _parse(text)
        self._files[path] = (stamp, known)
        return known

    def _append(self, host: SshHost, key: str) -> None:
        path = host.known_hosts[0]
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with open(fd, "r+b", buffering=0) as file:
                fcntl.flock(fd, fcntl.LOCK_EX)
                record = self._record(host)
                public = asyncssh.import_public_key(key)
                if public in record.keys:
                    return
                if record.known:
                    raise HostKeyChangedError(f"another key of {host.name} has been recorded meanwhile", hint=path)
                size = os.fstat(fd).st_size
                newline = b"" if size == 0 or os.pread(fd, 1, size - 1) == b"\n" else b"\n"
                name = _entry_name(host)
                entry = f"{_hashed(name) if host.hash_known_hosts else name} {' '.join(key.split()[:2])}\n"
                file.write(newline + entry.encode("ascii"))
                os.fsync(fd)
        except OSError as error:
            raise StoreError(
                f"the key cannot be remembered: {path}: {error.strerror}", hint="check the file"
            ) from error


def _entry_name(host: SshHost) -> str:
    return host.key_name if host.key_port == 22 else f"[{host.key_name}]:{host.key_port}"


def _hashed(name: str) -> str:
    salt = secrets.token_bytes(20)
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def _parse(text: str) -> asyncssh.SSHKnownHosts:
    """Read a file; a line that makes no sense is left out, as ``ssh`` does, instead of spoiling all hosts."""
    try:
        return asyncssh.import_known_hosts(text)
    except ValueError:
        lines = []
        for line in text.splitlines():
            try:
                asyncssh.import_known_hosts(line)
            except ValueError:
                continue
            lines.append(line)
        return asyncssh.import_known_hosts("\n".join(lines))
