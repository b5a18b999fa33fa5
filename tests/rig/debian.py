"""An image of Debian packages for the rig: Apache with PHP, WordPress, MariaDB and phpMyAdmin in one file system.

Packages are installed by mmdebstrap, their own scripts included, and the tar is kept for the next run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.rig.compose import CACHE as COMPOSE_CACHE
from tests.rig.compose import debian_uri
from tests.rig.packages import find, no_services
from tests.rig.processes import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rig.server import Server

IMAGE = "debian-web"
SUITE = "bookworm"
PACKAGES = ("apache2", "libapache2-mod-php", "wordpress", "mariadb-server", "phpmyadmin", "php-mysql", "php-mbstring",
            "php-xml", "wordpress-theme-twentytwentythree")  # fmt: skip
CACHE = COMPOSE_CACHE.parent / "debian-web.tar"
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


def load(server: Server) -> None:
    """Import the image into a server's engine, unless it is there.

    Raises:
        RuntimeError: it cannot be made here.
    """
    if server.docker("images", "-q", IMAGE).strip():
        return
    run(find("docker") or "docker", "-H", server.docker_host, "import", str(web_tar()), IMAGE, timeout=180)


def web_tar() -> Path:
    """The file system as a tar, made once.

    Raises:
        RuntimeError: not root, no apt, or the packages cannot be had.
    """
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with CACHE.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not CACHE.exists():
            new = CACHE.with_suffix(".new.tar")
            _call([_mmdebstrap(), "--variant=essential", f"--include={','.join(PACKAGES)}",
                   "--aptopt=APT::Install-Recommends \"false\"", *(f"--dpkgopt=path-exclude={p}" for p in _LEFT_OUT),
                   '--customize-hook=rm -rf "$1"/var/lib/mysql/* "$1"/usr/bin/aria_*',
                   SUITE, str(new), debian_uri()])  # fmt: skip
            new.rename(CACHE)
    return CACHE


def _mmdebstrap() -> str:
    found = shutil.which("mmdebstrap")
    if found is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise RuntimeError("the rig needs root and apt to install mmdebstrap")
        with no_services():
            _call(["apt-get", "update"])
            _call(["apt-get", "install", "-y", "--no-install-recommends", "mmdebstrap"])
    return found or shutil.which("mmdebstrap") or "mmdebstrap"


def _call(command: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:2])} failed: {done.stderr[-1500:]}")
