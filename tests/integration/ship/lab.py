"""What tests of shipping do again and again."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from tests.integration.ssh.lab import definition, fleet
from tests.rig.images import busybox_tar
from tests.rig.packages import find
from tests.rig.processes import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.integration.ssh.lab import Fleet, RemoteAgent
    from tests.rig.server import Server


class Pair:
    """Two servers, or more."""

    def __init__(self, alpha: RemoteAgent, beta: RemoteAgent, folder: Path, **more: RemoteAgent) -> None:
        self.alpha, self.beta = alpha, beta
        self.all = {"alpha": alpha, "beta": beta, **more}
        self.ssh_config = folder / "ssh_config"
        self.ssh_config.write_text("".join(_read(one.server.ssh_config) for one in self.all.values()))
        self.home = folder / "home"

    @asynccontextmanager
    async def fleet(self) -> AsyncIterator[Fleet]:
        """All of them, up."""
        servers = [definition(one, name) for name, one in self.all.items()]
        async with fleet(self.home, self.ssh_config, *servers) as our:
            for name in self.all:
                await our.up(name)
            yield our

    def spool(self, server: str) -> Path:
        """Where a server's agent keeps what arrives."""
        return self.all[server].server.run_dir / "agent-state" / "spool"

    def spooled(self, server: str = "beta") -> int:
        """Bytes of layers that lie in a server's spool."""
        folder = self.spool(server)
        sizes = []
        for path in folder.glob("*"):
            try:
                sizes.append(path.stat().st_size)
            except FileNotFoundError:
                continue  # renamed meanwhile
        return sum(sizes)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """Have a folder lie, empty, on a disk of so many bytes."""
    run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield
    finally:
        run("umount", "-l", str(folder))


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


def image_id(server: Server, reference: str) -> str:
    """The id of an image there; empty where there is none."""
    found = server.docker("image", "ls", "-q", "--no-trunc", reference).split()
    return found[0] if found else ""


def load_image(server: Server, tag: str, *layers: tuple[str, int], platform: str = "amd64") -> str:
    """An image of layers with one file each: its name, and so many bytes that never change for that name.

    A layer ``busybox`` of any size has what the rig's busybox image has.
    """
    out = io.BytesIO()
    digests, names = [], []
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, size in layers:
            layer = busybox_tar() if name == "busybox" else _layer(name, size)
            digests.append(f"sha256:{hashlib.sha256(layer).hexdigest()}")
            names.append(f"{name}/layer.tar")
            _add(tar, names[-1], layer)
        config = json.dumps(
            {
                "architecture": platform, "os": "linux", "created": "2024-05-01T10:00:00Z",
                "config": {"Cmd": ["/x"], "Env": ["PATH=/bin", "A=<b>&c"], "Labels": {"of": tag}},
                "rootfs": {"type": "layers", "diff_ids": digests},
                "history": [{"created": "2024-05-01T10:00:00Z", "created_by": name} for name, _ in layers],
            }
        ).encode()  # fmt: skip
        _add(tar, "config.json", config)
        listed = [{"Config": "config.json", "RepoTags": [tag], "Layers": names}]
        _add(tar, "manifest.json", json.dumps(listed).encode())
    run(find("docker") or "docker", "-H", server.docker_host, "load", "-q", stdin=out.getvalue())
    return f"sha256:{hashlib.sha256(config).hexdigest()}"


def _layer(name: str, size: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        _add(tar, name, random.Random(name).randbytes(size))
    return out.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
