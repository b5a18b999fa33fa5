"""Bare servers: an sshd whose file system has Debian's own programs and nothing of this checkout.

The root is a new tmpfs with ``/usr`` of this machine, less ``/usr/local``, and a few files of ``/etc``. Nothing that
an installation writes is left when the sshd ends.
"""

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
from tests.rig.processes import alive, children, run, spawn, stop, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rig.server import Server

USER = "deploy"
_UID = 1500
_ports = itertools.count(2301)
_ROOT = """
root=$0/root
mount -t tmpfs -o mode=755 tmpfs "$root"
mkdir -p "$root"/usr "$root"/etc "$root"/dev "$root"/proc "$root"/sys "$root"/run/sshd "$root"/tmp "$root"/var/lib \
    "$root"/root "$root"/home/deploy "$root$0" "$root$1"
chmod 1777 "$root/tmp"
for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done
mount --bind /usr "$root/usr"
mount -t tmpfs tmpfs "$root/usr/local"
for name in dev proc sys; do mount --rbind "/$name" "$root/$name"; done
mount --bind "$0" "$root$0"
mount --bind "$1" "$root$1"
cp -a "$0"/etc/. "$root/etc/"
mount -t tmpfs -o "size=$3,mode=700" tmpfs "$root/root"
mount -t tmpfs -o "size=$3,mode=700,uid=1500,gid=1500" tmpfs "$root/home/deploy"
for path in $4; do mount --bind "$0/empty" "$root$path"; done
exec chroot "$root" "$2" -D -e -f "$0/config"
"""


@dataclass
class Bare:
    """One bare server."""

    server: Server
    folder: Path
    port: int
    pid: int = 0

    @property
    def ssh_config(self) -> Path:
        """Has the aliases ``bare`` (root) and ``bare-deploy``."""
        return self.folder / "ssh_config"

    def ssh(self, command: str, *, user: str = "root") -> str:
        """Run a command there; its failure is a RuntimeError."""
        return run("ssh", "-F", str(self.ssh_config), "bare" if user == "root" else f"bare-{user}", command)

    def path(self, path: str) -> Path:
        """A file of the server, from this side."""
        return Path(f"/proc/{self.pid}/root{path}")

    def agents(self) -> list[int]:
        """Pids of the agents that run in its file system."""
        root = Path(f"/proc/{self.pid}/root").stat()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                same = (entry / "root").stat()
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if (same.st_dev, same.st_ino) == (root.st_dev, root.st_ino) and b"serve" in command.split(b"\0"):
                found.append(int(entry.name))
        return [pid for pid in found if alive(pid)]

    def drop_connections(self) -> None:
        """End every connection, as a reboot of a router would."""
        for session in children(self.pid):
            stop(session, sig=signal.SIGKILL)


@contextmanager
def bare(server: Server, folder: Path, *, python: bool = True, groups: str = "", size: str = "256m") -> Iterator[Bare]:
    """Run one until the end of the block.

    ``groups`` are those the user ``deploy`` is in, ``size`` is the room in the home folders, and without ``python``
    there is none.
    """
    ours = prepare(server, folder, groups)
    pythons = [] if python else [str(path) for path in Path("/usr/bin").glob("python3*") if not path.is_symlink()]
    sshd = find("sshd") or "/usr/sbin/sshd"
    command = ["nsenter", f"--net={server.netns}", "unshare", "--mount", "--uts", "sh", "-ec", _ROOT,
               str(folder), str(server.run_dir), sshd, size, " ".join(pythons)]  # fmt: skip
    ours.pid = spawn(command, log=folder / "log")
    try:
        wait_for(lambda: "Server listening" in (folder / "log").read_text() or not alive(ours.pid), 60, what="an sshd")
        assert alive(ours.pid), (folder / "log").read_text()
        yield ours
    finally:
        left = ours.agents() if alive(ours.pid) else []
        ours.drop_connections()
        stop(ours.pid)
        for pid in left:
            stop(pid, sig=signal.SIGKILL)


def prepare(server: Server, folder: Path, groups: str) -> Bare:
    """The files a bare server is made from."""
    (folder / "root").mkdir(parents=True)
    ours = Bare(server, folder, next(_ports))
    _write_etc(folder / "etc", groups, _engine_group(server))
    (folder / "empty").touch(mode=0o644)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host_key"))
    shutil.copy(server.run_dir / "authorized_keys", folder / "authorized_keys")
    _write_settings(ours)
    return ours


def _engine_group(server: Server) -> int:
    """The group that may open the engine's socket; there is none where the machine has no group ``docker``."""
    socket = server.docker_host.removeprefix("unix://")
    group = os.stat(socket).st_gid
    if group == 0:
        group = 999
        os.chown(socket, -1, group)
    return group


def _write_etc(folder: Path, groups: str, docker: int) -> None:
    folder.mkdir()
    for name in ("ld.so.cache", "nsswitch.conf", "localtime"):
        if Path("/etc", name).exists():
            shutil.copy(Path("/etc", name), folder / name)
    (folder / "passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nmessagebus:x:102:102::/:/usr/sbin/nologin\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n"
        f"{USER}:x:{_UID}:{_UID}::/home/{USER}:/bin/sh\n"
    )
    members = f"docker:x:{docker}:{USER if 'docker' in groups.split() else ''}\n"
    (folder / "group").write_text(f"root:x:0:\nmessagebus:x:102:\n{members}{USER}:x:{_UID}:\n")
    (folder / "shadow").write_text(f"root:*:19000::::::\n{USER}:*:19000::::::\n")


def _write_settings(ours: Bare) -> None:
    folder, address = ours.folder, ours.server.address
    (folder / "config").write_text(
        "\n".join(
            [f"Port {ours.port}", f"ListenAddress {address}", f"HostKey {folder}/host_key", "PidFile none",
             f"AuthorizedKeysFile {folder}/authorized_keys", "StrictModes no", "PermitRootLogin yes", "UsePAM no",
             "PasswordAuthentication no", f"SetEnv DOCKER_HOST={ours.server.docker_host}", ""]
        )
    )  # fmt: skip
    key = " ".join((folder / "host_key.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[{address}]:{ours.port} {key}\n")
    common = ["", f"HostName {address}", f"Port {ours.port}", f"IdentityFile {ours.server.key}",
              "IdentitiesOnly yes", "IdentityAgent none", f"UserKnownHostsFile {folder}/known_hosts",
              "StrictHostKeyChecking yes"]  # fmt: skip
    body = "\n  ".join(common) + "\n"
    ours.ssh_config.write_text(f"Host bare\n  User root{body}Host bare-{USER}\n  User {USER}{body}")
