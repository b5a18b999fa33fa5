"""Bare servers that are booted: a real systemd is process 1 of its own namespaces, and starts the sshd.

Units that would reach out of the namespaces, to the kernel's settings and modules, are masked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.install.bare import prepare
from tests.rig.packages import find
from tests.rig.processes import alive, children, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.install.bare import Bare
    from tests.rig.server import Server

SYSTEMD = Path("/usr/lib/systemd/systemd")
_UNITS = Path("/usr/lib/systemd/system")
_LEGACY = Path("/sys/fs/cgroup/systemd")
_STARTED = {
    "dbus.service", "dbus.socket", "systemd-logind.service", "systemd-journald.service", "systemd-journald.socket",
    "systemd-journald-dev-log.socket", "systemd-tmpfiles-setup.service",
}  # fmt: skip
"""What of a boot is not masked."""
_TARGET = """[Unit]
Requires=bare-sshd.service basic.target
Wants=dbus.socket systemd-logind.service multi-user.target
After=bare-sshd.service
"""
_MANAGER = """[Service]
PAMName=
Environment=XDG_RUNTIME_DIR=/run/user/%i
"""
"""What pam_systemd would do, which need not be here."""
_SSHD = """[Unit]
DefaultDependencies=no
[Service]
ExecStart={sshd} -D -e -f {config}
KillMode=process
StandardError=append:{log}
"""
_ROOT = """
root=$0/root
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$root"
cd "$root"
mkdir -p usr etc dev proc sys run tmp var/lib var/log root home/deploy "$root$0"
chmod 1777 tmp
chmod 700 root
chown 1500:1500 home/deploy
for name in bin sbin lib lib64; do ln -s "usr/$name" "$name"; done
mount --bind /usr usr
mount -t tmpfs tmpfs usr/local
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
if [ -d "$2" ]; then
  mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd,xattr cgroup sys/fs/cgroup/systemd
else
  mount -t cgroup2 cgroup2 sys/fs/cgroup
fi
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/sshd "$root$1"
mount --bind "$1" "$root$1"
mount --bind "$0" "$root$0"
cp -a "$0"/etc/. etc/
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    chroot "$root" "$3" --system --unit=bare.target --log-target=console --show-status=no
"""


@contextmanager
def booted(server: Server, folder: Path) -> Iterator[Bare]:
    """Boot one, and switch it off at the end of the block. ``deploy`` is in the group ``docker``."""
    ours = prepare(server, folder, "docker")
    _write_units(ours)
    group = (_LEGACY if _LEGACY.is_dir() else Path("/sys/fs/cgroup")) / f"komodo-rig-{server.name}-booted"
    group.mkdir()
    spaces = ["nsenter", f"--net={server.netns}", "unshare", "--mount", "--uts", "--ipc", "--cgroup", "--pid",
              "--fork", "--kill-child", "sh", "-ec", _ROOT, str(folder), str(server.run_dir), str(_LEGACY),
              str(SYSTEMD)]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-ec", 'echo $$ > "$0/cgroup.procs"; exec "$@"', str(group), *spaces],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        said = folder / "sshd.log"
        wait_for(
            lambda: process.poll() is not None or (said.exists() and "Server listening" in said.read_text()),
            120,
            what="a booted server",
        )
        assert process.poll() is None, (folder / "log").read_text()
        (ours.pid,) = children(process.pid)
        yield ours
    finally:
        process.kill()  # and with its child, all processes of the namespace
        process.wait()
        if ours.pid:
            wait_for(lambda: not alive(ours.pid), 15, what="the end of a booted server")
        _remove(group)


def _write_units(ours: Bare) -> None:
    etc = ours.folder / "etc"
    shutil.copy("/etc/os-release", etc / "os-release")
    (etc / "machine-id").write_text(f"{ours.port:032x}\n")
    units = etc / "systemd" / "system"
    units.mkdir(parents=True)
    for wanted in _UNITS.glob("*.target.wants/*"):
        mask = units / wanted.name
        if wanted.name not in _STARTED and not mask.is_symlink():
            mask.symlink_to("/dev/null")
    (units / "polkit.service").symlink_to("/dev/null")  # without it nobody but root may linger
    (units / "user@.service.d").mkdir()
    (units / "user@.service.d" / "session.conf").write_text(_MANAGER)
    (units / "bare.target").write_text(_TARGET)
    sshd = find("sshd") or "/usr/sbin/sshd"
    text = _SSHD.format(sshd=sshd, config=ours.folder / "config", log=ours.folder / "sshd.log")
    (units / "bare-sshd.service").write_text(text)


def _remove(group: Path) -> None:
    """Control groups are removed once their last process is gone, the inner ones first."""

    def gone() -> bool:
        for folder, _, _ in os.walk(group, topdown=False):
            with suppress(OSError):
                os.rmdir(folder)
        return not group.exists()

    wait_for(gone, 15, what="the end of its control groups")
