"""Images without a registry: made of Debian's static busybox and imported from a tar."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from tests.rig.packages import find
from tests.rig.processes import run

BUSYBOX = "busybox:latest"
"""Has sh and ash, no bash."""
NO_SHELL = "noshell:latest"
"""Has one program, ``/sleep``."""

_APPLETS = (
    "ash awk cat clear date dd dmesg echo env false grep head hostname httpd id kill less ls mkdir mount nc printf ps "
    "reset rm sed seq sh sha256sum sleep stty tail test top touch tr true uname usleep vi wc which yes"
)


def load(docker_host: str) -> None:
    """Import the images into this engine."""
    docker = find("docker") or "docker"
    for name, command, tar in (
        (BUSYBOX, '["sh"]', busybox_tar()),
        (NO_SHELL, '["/sleep", "1000000"]', _no_shell_tar()),
    ):
        run(docker, "-H", docker_host, "import", "--change", f"CMD {command}", "-", name, stdin=tar)


def busybox_tar() -> bytes:
    """Its one layer."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in ("bin", "etc", "tmp", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        _add(tar, "bin/busybox", _busybox(), 0o755)
        for applet in _APPLETS.split():
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
        _add(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n", 0o644)
        _add(tar, "etc/group", b"root:x:0:\nnogroup:x:65534:\n", 0o644)
    return out.getvalue()


def _no_shell_tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        _add(tar, "sleep", _busybox(), 0o755)
    return out.getvalue()


def _busybox() -> bytes:
    return Path(find("busybox") or "/bin/busybox").read_bytes()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))
