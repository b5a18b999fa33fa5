"""A real registry (Debian's docker-registry): as a program on a private server's loopback, and as an image."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import bcrypt

from tests.rig.compose import CACHE as _BESIDE
from tests.rig.compose import OLD_SUITE, locked, unpacked
from tests.rig.packages import find
from tests.rig.processes import run, spawn, stop, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rig.server import Server

IMAGE = "registry:2"
"""What it is called as an image: like the well-known one, with the same paths in it."""
_CACHE = _BESIDE.parent / "registry"
_CONFIG = """\
version: 0.1
storage:
  filesystem: {rootdirectory: %s}
  delete: {enabled: true}
http: {addr: "%s"}
"""
_AUTH = "auth: {htpasswd: {realm: rig, path: %s}}\n"


def program() -> Path:
    """The registry's program.

    Raises:
        RuntimeError: it is not here and cannot be fetched.
    """
    found = _CACHE / "docker-registry"
    with locked(_CACHE):
        if not found.exists():
            with tempfile.TemporaryDirectory(dir=_CACHE) as work:
                tree = unpacked(Path(work), OLD_SUITE, ["docker-registry"])
                (tree / "usr/bin/docker-registry").rename(found)
    return found


@contextmanager
def registry(server: Server, folder: Path, port: int = 5000, login: str = "") -> Iterator[str]:
    """Run one; its address as the server's engine sees it. ``login`` is ``user:password``; empty = open to all."""
    config, log, passwords = folder / "registry.yml", folder / "registry.log", folder / "htpasswd"
    text = _CONFIG % (folder / "registry-data", f"127.0.0.1:{port}")
    if login:
        user, _, password = login.partition(":")
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
        passwords.write_text(f"{user}:{hashed}\n")
        text += _AUTH % passwords
    config.write_text(text)
    pid = spawn(["nsenter", f"--net={server.netns}", str(program()), "serve", str(config)], log=log)
    try:
        wait_for(lambda: _listens(server, port), 20, what=f"an answer of the registry ({log})")
        yield f"127.0.0.1:{port}"
    finally:
        stop(pid)


def _listens(server: Server, port: int) -> bool:
    listening = run("nsenter", f"--net={server.netns}", find("ss") or "ss", "-Htln", f"sport = :{port}")
    return bool(listening.strip())


def load_image(docker_host: str) -> None:
    """Give an engine the registry as an image."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for source, name in _files():
            entry = tarfile.TarInfo(name)
            body = source if isinstance(source, bytes) else source.read_bytes()
            entry.size, entry.mode = len(body), 0o755
            tar.addfile(entry, io.BytesIO(body))
    changes = ['ENTRYPOINT ["/bin/registry", "serve"]', 'CMD ["/etc/docker/registry/config.yml"]', "ENV PATH=/bin"]
    options = [word for change in changes for word in ("--change", change)]
    run(find("docker") or "docker", "-H", docker_host, "import", *options, "-", IMAGE, stdin=out.getvalue())


def _files() -> Iterator[tuple[Path | bytes, str]]:
    yield program(), "bin/registry"
    yield (_CONFIG % ("/var/lib/registry", ":5000")).encode(), "etc/docker/registry/config.yml"
    for line in run("ldd", str(program())).splitlines():
        path = next((word for word in line.split() if word.startswith("/")), "")
        if path:
            yield Path(os.path.realpath(path)), path.lstrip("/")
