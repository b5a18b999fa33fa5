"""``server add`` and ``server install-agent`` from a command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.install.bare import Bare

pytestmark = pytest.mark.rig


def test_one_command_adds_a_server_with_its_agent(debian: Bare, tmp_path: Path) -> None:
    def komodo(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "komodo_tui", *arguments, "--ssh-config", str(debian.ssh_config)]
        return subprocess.run(
            command, env={**os.environ, "KOMODO_TUI_HOME": str(tmp_path / "home")}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    added = komodo("server", "add", "web", "bare-deploy", "--yes", "--json")
    assert added.returncode == 0, added.stderr
    document = json.loads(added.stdout)
    assert [record["act"] for record in document["actions"]] == ["server add", "server install agent"]
    assert document["server"]["status"] == "up"
    (before,) = debian.agents()

    refused = komodo("server", "install-agent", "web")
    assert refused.returncode == 4
    assert "add --yes" in refused.stderr
    assert debian.agents() == [before]

    again = komodo("server", "install-agent", "web", "--yes")
    assert again.returncode == 0, again.stderr
    assert "server install agent: web" in again.stdout
    assert debian.agents() != [before]

    history = [json.loads(line) for line in komodo("actions", "--json").stdout.splitlines()]
    assert [record["outcome"] for record in history] == ["success"] * 3
