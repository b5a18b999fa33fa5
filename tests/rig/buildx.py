"""Docker's buildx for the rig: the plugin out of a newer Debian's package, unpacked beside, installed nowhere."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.rig.compose import SUITE, locked, unpacked

CACHE = Path("/var/cache/komodo-rig/buildx")


def config_folder() -> Path:
    """A Docker configuration folder with the buildx plugin in it.

    Raises:
        RuntimeError: it is not here and cannot be fetched.
    """
    folder = CACHE / "config"
    plugin = folder / "cli-plugins" / "docker-buildx"
    with locked(CACHE):
        if not plugin.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as work:
                tree = unpacked(Path(work), SUITE, ["docker-buildx"])
                plugin.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(tree / "usr/libexec/docker/cli-plugins/docker-buildx", plugin)
    return folder
