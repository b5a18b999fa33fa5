"""Bring the Debian packages that the rig's real parts come from."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

PROGRAMS = {
    "dockerd": "docker.io",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "iptables": "iptables",
    "busybox": "busybox-static",
    "tmux": "tmux",
    "vim": "vim",
    "less": "less",
    "htop": "htop",
    "nano": "nano",
}
"""Program -> the package that has it."""

_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def find(program: str) -> str | None:
    """The program's path, administrators' folders included."""
    if program == "busybox":  # the dynamic one is of no use inside an empty image
        static = Path("/usr/share/doc/busybox-static")
        return shutil.which(program, path=_PATH) if static.exists() else None
    if program == "docker" and Path("/usr/bin/docker").exists():
        return "/usr/bin/docker"  # the engine's own release, whatever else stands first on PATH
    return shutil.which(program, path=_PATH)


def missing() -> list[str]:
    """The packages that are not here yet."""
    return sorted({package for program, package in PROGRAMS.items() if find(program) is None})


def install() -> None:
    """Install what is missing.

    Raises:
        RuntimeError: not root, no apt, or apt failed; the message names the packages.
    """
    wanted = missing()
    if not wanted:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise RuntimeError(f"the rig needs root and apt to install {', '.join(wanted)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with no_services():
        for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", *wanted]):
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
            if done.returncode:
                raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")


class no_services:
    """Keep package scripts from starting the services they bring: the machine's own engine is not ours to start."""

    _policy = Path("/usr/sbin/policy-rc.d")

    def __enter__(self) -> None:
        self._ours = not self._policy.exists()
        if self._ours:
            self._policy.write_text("#!/bin/sh\nexit 101\n")
            self._policy.chmod(0o755)

    def __exit__(self, *_: object) -> None:
        if self._ours:
            self._policy.unlink(missing_ok=True)
