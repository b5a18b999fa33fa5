"""More sshds for a private server, each with its own settings, and SSH configurations that lead to them."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.rig.packages import find
from tests.rig.processes import children, run, spawn, stop, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rig.server import Server

_ports = itertools.count(2201)
_PAM = "auth required pam_unix.so nodelay\naccount required pam_permit.so\nsession required pam_permit.so\n"
_ISOLATED = """
mount --bind "$0/shadow" /etc/shadow
mount --bind "$0/pam" /etc/pam.d/sshd
exec "$1" -D -e -f "$0/config"
"""


@dataclass
class Sshd:
    """An sshd with settings of its own, in the namespace of a private server."""

    server: Server
    address: str
    port: int
    folder: Path
    pid: int = 0

    @property
    def host_key(self) -> Path:
        """The public key it shows."""
        return self.folder / "host_key.pub"

    @property
    def entry(self) -> str:
        """What known_hosts has to say about it."""
        return f"[{self.address}]:{self.port} {' '.join(self.host_key.read_text().split()[:2])}\n"

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` prints it."""
        return run("ssh-keygen", "-l", "-f", str(self.host_key)).split()[1]

    @property
    def connections(self) -> int:
        """How often somebody has connected."""
        return self.log.count("Connection from")

    @property
    def log(self) -> str:
        """What it has written."""
        return (self.folder / "log").read_text()

    def drop_connections(self) -> None:
        """End every connection, as a reboot would."""
        for session in children(self.pid):
            stop(session, sig=signal.SIGKILL)

    def signal(self, sig: int) -> None:
        """Send a signal to all of it: listener and sessions."""
        sessions = children(self.pid)
        for pid in (self.pid, *sessions, *(child for session in sessions for child in children(session))):
            os.kill(pid, sig)

    def config(self, alias: str, *lines: str, known: bool = True) -> str:
        """A ``Host`` block that leads there with the private server's key."""
        known_hosts = self.folder / "known_hosts"
        if known and not known_hosts.exists():
            known_hosts.write_text(self.entry)
        block = [f"Host {alias}", *lines, f"HostName {self.address}", f"Port {self.port}", "User root",
                 f"IdentityFile {self.server.key}", "IdentitiesOnly yes", "IdentityAgent none",
                 f"UserKnownHostsFile {known_hosts}", "GlobalKnownHostsFile none"]  # fmt: skip
        return "\n  ".join(block) + "\n"


@contextmanager
def sshd(
    server: Server, folder: Path, *settings: str, address: str = "", shadow: str = "", authority: Path | None = None
) -> Iterator[Sshd]:
    """Run one until the end of the block.

    ``address`` is another one of the namespace; ``shadow`` the password hash root has there, in a mount namespace;
    ``authority`` is the key that certifies its host key.
    """
    folder.mkdir(parents=True)
    ours = Sshd(server, address or server.address, next(_ports), folder)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host_key"))
    if authority is not None:
        run("ssh-keygen", "-q", "-s", str(authority), "-I", "host", "-h", "-n", ours.address, str(ours.host_key))
    shutil.copy(server.run_dir / "authorized_keys", folder / "authorized_keys")
    (folder / "config").write_text(
        "\n".join(
            (*settings, f"Port {ours.port}", f"ListenAddress {ours.address}", f"HostKey {folder}/host_key",
             f"AuthorizedKeysFile {folder}/authorized_keys", "PidFile none", "StrictModes no", "PermitRootLogin yes",
             "UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no", "LogLevel VERBOSE", "")
        )
    )  # fmt: skip
    (folder / "shadow").write_text(f"root:{shadow or '*'}:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n")
    (folder / "pam").write_text(_PAM)
    isolated = ["unshare", "--mount", "sh", "-ec", _ISOLATED, str(folder), find("sshd") or "/usr/sbin/sshd"]
    ours.pid = spawn(["nsenter", f"--net={server.netns}", *isolated], log=folder / "log")
    try:
        wait_for(lambda: "Server listening" in ours.log, 15, what="a listening sshd")
        yield ours
    finally:
        stop(ours.pid)


def write_config(folder: Path, *blocks: str) -> Path:
    """An SSH configuration of these blocks."""
    path = folder / "ssh_config"
    path.write_text("".join(blocks))
    return path


def new_key(path: Path, passphrase: str = "") -> Path:
    """A new private key; its public half stands beside it."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path), "-C", path.name)
    return path


def admit(ours: Sshd, key: Path) -> None:
    """Let a key in, and no other."""
    shutil.copy(Path(f"{key}.pub"), ours.folder / "authorized_keys")
