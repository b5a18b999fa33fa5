"""Where the engine's socket is."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

_SCHEME = "unix://"


class EngineAddress(msgspec.Struct, frozen=True, kw_only=True):
    """The places an engine may be, in the order they are tried; or why there is none to try."""

    paths: tuple[str, ...] = ()
    refusal: str = ""

    def pick(self) -> str:
        """The first socket this user may open, else the first that exists, else the first place there is."""
        existing = [path for path in self.paths if Path(path).is_socket()]
        for path in existing:
            if os.access(path, os.R_OK | os.W_OK):
                return path
        return existing[0] if existing else self.paths[0]


def find_address(docker_host: str) -> EngineAddress:
    """The engine's address from ``--docker-host``, else ``DOCKER_HOST``, else the usual sockets."""
    told = docker_host or os.environ.get("DOCKER_HOST", "")
    if told:
        return _told(told)
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    paths = ["/var/run/docker.sock"]
    if runtime:
        paths.append(f"{runtime}/docker.sock")
    paths.append(str(Path.home() / ".docker/run/docker.sock"))
    if runtime and os.geteuid():
        paths.append(f"{runtime}/podman/podman.sock")
    paths.append("/run/podman/podman.sock")
    return EngineAddress(paths=tuple(paths))


def _told(address: str) -> EngineAddress:
    if address.startswith("/"):
        return EngineAddress(paths=(address,))
    if address.startswith(_SCHEME + "/"):
        return EngineAddress(paths=(address[len(_SCHEME) :],))
    # The address may hold a password: name its scheme alone.
    scheme = address.split("://", 1)[0][:20] if "://" in address else "unknown"
    return EngineAddress(
        refusal=f"DOCKER_HOST is a {scheme} address; the agent speaks to a local engine only. "
        "Unset it or give --docker-host unix:///path/to/docker.sock, and install an agent on the other machine."
    )
