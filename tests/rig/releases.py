"""Newer engines for the rig: dockerd and containerd out of a newer Debian's packages, unpacked beside.

They run with this machine's own runc. Their images are kept in containerd's store, as new installations keep them.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.rig.compose import CACHE as COMPOSE_CACHE
from tests.rig.compose import locked, unpacked

CACHE = COMPOSE_CACHE.parent / "engines"
PACKAGES = ["docker.io", "containerd"]
PROGRAMS = ("usr/sbin/dockerd", "usr/sbin/docker-proxy", "usr/bin/containerd", "usr/bin/containerd-shim-runc-v2")
FEATURES = {"containerd-snapshotter": True}
"""The engine's option to keep images in containerd's store."""


def engine_folder(suite: str) -> Path:
    """A folder for PATH with the engine of this Debian.

    Raises:
        RuntimeError: it is not here and cannot be fetched.
    """
    folder = CACHE / suite
    with locked(CACHE):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as work:
                tree, new = unpacked(Path(work), suite, PACKAGES), Path(work) / "programs"
                new.mkdir()
                for program in PROGRAMS:
                    shutil.move(tree / program, new / Path(program).name)
                new.rename(folder)
    return folder
