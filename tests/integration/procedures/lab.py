"""The installed program against a private engine, with a state directory of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rig.server import Server

PATIENCE = 60.0
IDLE = ("busybox", "sleep", "100000")


class Cli:
    """The installed program with a state directory of its own."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.argv = [str(Path(sys.executable).with_name("komodo-tui"))]
        self.environment = {
            **os.environ, "DOCKER_HOST": server.docker_host, "KOMODO_TUI_HOME": str(folder / "home"),
            "HOME": str(folder),
        }  # fmt: skip

    def __call__(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run it; ``given`` is its standard input."""
        return subprocess.run(
            [*self.argv, *words], env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
            input=given,
        )  # fmt: skip

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Run it meanwhile."""
        return subprocess.Popen(
            [*self.argv, *words], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def define(self, *stages: dict[str, Any], **fields: Any) -> None:
        """Make these the stages of the procedure ``p``."""
        path = self.folder / "p.yaml"
        path.write_text(json.dumps({"procedures": [{"name": "p", "stages": list(stages), **fields}]}))
        done = self("apply", "-f", str(path), "--yes")
        assert done.returncode == 0, done.stderr

    def entries(self, *words: str) -> list[dict[str, Any]]:
        """The lines of JSON a verb prints."""
        return [json.loads(line) for line in self(*words, "--json").stdout.splitlines()]


def stage(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """One stage."""
    return {"steps": list(steps), **fields}


def until(condition: Callable[[], object]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
