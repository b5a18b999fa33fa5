"""Docker's buildx for the rig: the plugin out of a newer Debian's package, unpacked beside, installed nowhere."""

from __future__ import annotations

from pathlib import Path

from tests.rig.compose import plugin_folder

CACHE = Path("/var/cache/komodo-rig/buildx")


def config_folder() -> Path:
    """A Docker configuration folder with the buildx plugin in it.

    Raises:
        RuntimeError: it is not here and cannot be fetched.
    """
    return plugin_folder("docker-buildx", CACHE)
