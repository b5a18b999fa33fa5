"""A disk that is really full: its alert arrives as a mail, and so does its end. All real but the disk's size."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from email import message_from_string
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from komodo_tui.domain.alerters import Alerter
from komodo_tui.domain.servers import ServerDefinition, Threshold, Thresholds
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.paths import StateDirectory
from tests.rig.processes import wait_for
from tests.unit.alerts.test_alerters import mail

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["mail"]
# watch and the agent it starts see the disk; nobody else does, and all of it is gone with the first process
_ALONE = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc")
_MOUNT = 'mount -o loop "$0" "$1" && shift && exec "$@"'


class Watched:
    """This machine, with a small disk of its own, and a watch that mails."""

    def __init__(self, folder: Path, port: int) -> None:
        self.disk, home = folder / "var", folder / "home"
        self.log = folder / "watch.log"
        self.disk.mkdir()
        home.mkdir(mode=0o700)
        image = folder / "disk.img"
        with image.open("wb") as file:
            file.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True, capture_output=True)
        url = f"mailto://127.0.0.1:{port}/?from=komodo@example.org&to=ops@example.org&mode=insecure"
        store = DefinitionStore(StateDirectory(home, home, home).definitions)
        limits = Thresholds(disk=Threshold(80.0, 92.0, "1s"))
        store.put("alerter", "mail", Alerter(name="mail", kinds=("disk",), url=url), None)
        store.put("server", "here", ServerDefinition(name="here", address="local", alerts=limits), None)
        store.close()
        words = [*_ALONE, "sh", "-c", _MOUNT, str(image), str(self.disk),
                 sys.executable, "-m", "komodo_tui", "--home", str(home), "watch"]  # fmt: skip
        environment = {**os.environ, "DOCKER_HOST": f"unix://{folder}/no-engine.sock", "HOME": str(folder)}
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment
            )  # fmt: skip

    @property
    def inside(self) -> Path:
        """The disk as the watch sees it."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return Path(f"/proc/{children[0]}/root{self.disk}")

    def until(self, what: Any) -> None:
        """Wait for it; what the watch said where it does not come."""
        try:
            wait_for(what, 120, what="what was waited for")
        except Exception as error:
            raise AssertionError(self.log.read_text()) from error


def _no_disk() -> str:
    """Why no disk of a file's can be mounted; empty = one can. Devices that are missing (in a container) are made."""
    if os.geteuid() != 0:
        return "only root mounts"
    devices = [("loop-control", stat.S_IFCHR, 10, 237), *((f"loop{n}", stat.S_IFBLK, 7, n) for n in range(8))]
    for name, kind, major, minor in devices:  # numbers: Linux, Documentation/admin-guide/devices.txt
        try:
            os.mknod(f"/dev/{name}", kind | 0o600, os.makedev(major, minor))
        except FileExistsError:
            continue
        except OSError as error:
            return f"/dev/{name}: {error.strerror}"
    found = subprocess.run(["losetup", "--find"], capture_output=True, text=True)
    return "" if found.returncode == 0 else found.stderr.strip()


@pytest.fixture
def watched(mail: Any, tmp_path: Path) -> Iterator[Watched]:
    if why := _no_disk():
        # where nobody looks at what was left out, nothing may be
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no disk can be mounted here: {why}")
    watched = Watched(tmp_path, mail.server_address[1])
    try:
        yield watched
    finally:
        watched.process.kill()
        watched.process.wait(20)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * (1 << 20))


def test_a_full_disk_is_told_by_mail_and_its_end_too(watched: Watched, mail: Any) -> None:
    def subjects() -> list[str]:
        return [str(message_from_string(text)["Subject"]) for text in mail.got]

    watched.until(lambda: "watching" in watched.log.read_text())
    full = watched.inside / "full"
    with pytest.raises(OSError, match="No space left"):
        _fill(full)
    watched.until(lambda: len(mail.got) == 1)
    assert subjects() == [f"CRITICAL disk full: {watched.disk}@here"]
    full.unlink()
    watched.until(lambda: len(mail.got) == 2)
    assert subjects()[1] == f"OK disk full: {watched.disk}@here"
