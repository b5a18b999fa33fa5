"""Docker Compose 2 for the rig: the plugin out of a newer Debian's package, unpacked beside, installed nowhere.

``config_folder()`` is a ``DOCKER_CONFIG``: the docker CLI finds the plugin in it. ``standalone()`` is a folder for
PATH with the same program as ``docker-compose``.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE = Path("/var/cache/komodo-rig/compose")
SUITE = "trixie"
OLD_SUITE = "bookworm"
"""The last one with compose 1, which is a Python program."""
_OLD_PACKAGES = [
    "docker-compose",
    *(
        f"python3-{name}"
        for name in (
            "attr", "certifi", "chardet", "charset-normalizer", "distro", "docker", "dockerpty", "docopt", "dotenv",
            "idna", "jsonschema", "packaging", "pkg-resources", "pyrsistent", "requests", "setuptools", "six",
            "texttable", "urllib3", "websocket", "yaml",
        )
    ),
]  # fmt: skip
_URI = re.compile(r"https?://\S+/debian/?(?=\s|$)")
_APT = Path("/etc/apt")


def config_folder() -> Path:
    """A Docker configuration folder with the compose plugin in it.

    Raises:
        RuntimeError: it is not here and cannot be fetched.
    """
    return plugin_folder("docker-compose", CACHE)


def plugin_folder(name: str, cache: Path) -> Path:
    """A Docker configuration folder with this plugin in it, which its package is called like.

    Raises:
        RuntimeError: it is not here and cannot be fetched.
    """
    folder = cache / "config"
    plugin = folder / "cli-plugins" / name
    with locked(cache):
        if not plugin.exists():
            with tempfile.TemporaryDirectory(dir=cache) as work:
                tree = unpacked(Path(work), SUITE, [name])
                plugin.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(tree / f"usr/libexec/docker/cli-plugins/{name}", plugin)
    return folder


def standalone() -> Path:
    """A folder with ``docker-compose`` and nothing else."""
    folder = CACHE / "standalone"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "docker-compose"
    if not link.exists():
        link.symlink_to(config_folder() / "cli-plugins" / "docker-compose")
    return folder


def version_one() -> Path:
    """A folder with compose 1 as ``docker-compose`` and nothing else.

    Raises:
        RuntimeError: it is not here and cannot be fetched, or this machine's Python cannot run it.
    """
    folder, tree = CACHE / "one" / "bin", CACHE / "one" / "tree"
    (CACHE / "one").mkdir(parents=True, exist_ok=True)
    program = folder / "docker-compose"
    with locked(CACHE):
        if not program.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as work:
                shutil.rmtree(tree, ignore_errors=True)
                shutil.move(unpacked(Path(work), OLD_SUITE, _OLD_PACKAGES), tree)
            packages = tree / "usr/lib/python3/dist-packages"
            folder.mkdir(exist_ok=True)
            program.write_text(
                f'#!/bin/sh\nPYTHONPATH={packages} exec /usr/bin/python3 {tree}/usr/bin/docker-compose "$@"\n'
            )
            program.chmod(0o755)
    _run([str(program), "version", "--short"], CACHE)
    return folder


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only one who fetches into this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def unpacked(work: Path, suite: str, packages: list[str]) -> Path:
    """Fetch and unpack packages with an apt configuration of our own: the machine's stays as it is."""
    if shutil.which("apt-get") is None:
        raise RuntimeError(f"the rig needs apt to fetch {packages[0]}")
    (work / "sources.list").write_text(f"deb {debian_uri()} {suite} main\n")
    for name in ("lists/partial", "cache/archives/partial"):
        (work / name).mkdir(parents=True)
    options = []
    for key, value in {
        "Dir::Etc::sourcelist": work / "sources.list", "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": work / "lists", "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "root",
    }.items():  # fmt: skip
        options += ["-o", f"{key}={value}"]
    for words in (["update"], ["download", *packages]):
        _run(["apt-get", *options, *words], work)
    for package in work.glob("*.deb"):
        _run(["dpkg-deb", "-x", str(package), str(work / "tree")], work)
    return work / "tree"


def debian_uri() -> str:
    """Where this machine gets Debian from: newer suites are served beside it."""
    for path in (_APT / "sources.list", *sorted((_APT / "sources.list.d").glob("*"))):
        if path.is_file():
            match = _URI.search(path.read_text())
            if match:
                return match[0]
    raise RuntimeError("no Debian source is configured: docker-compose cannot be fetched")


def _run(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:1])} failed: {done.stderr[-1000:]}")
