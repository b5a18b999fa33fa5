"""``komodo-tui timeline`` against a real engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.procedures.lab import Cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig


def test_what_happened_to_a_container_and_who_did_what(server: Server, tmp_path: Path) -> None:
    cli = Cli(tmp_path, server)
    assert cli("status").returncode == 0, "the agent is there from now on"
    server.docker("run", "-d", "--name", "told", "busybox", "sleep", "1000")
    server.docker("kill", "told")
    assert cli("restart", "told", "--yes").returncode == 0
    found = json.loads(cli("timeline", "--span", "10m", "--json").stdout)
    told = [entry["text"] for entry in found["entries"] if entry["subject"] == "told"]
    assert told[:3] == ["created", "started", "died: exit code 137"]
    assert any(text.startswith("restart by ") and text.endswith(": success") for text in told)
    (local,) = found["servers"]
    assert any(value is not None for value in local["host"]["series"]["cpu"])
    printed = cli("timeline", "--span", "10m").stdout
    assert "CPU% MOST" in printed
    assert "exit code 137" in printed


def test_a_time_that_is_none(server: Server, tmp_path: Path) -> None:
    done = Cli(tmp_path, server)("timeline", "--at", "25:99")
    assert done.returncode == 2
    assert "is no time" in done.stderr
