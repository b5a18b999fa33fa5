"""Which programs share this machine's agent."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from komodo_tui.fleet.local import EmbeddedAgent

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "shared"),
    [
        ("DOCKER_HOST", False), ("DOCKER_CONFIG", False), ("DOCKER_CONTEXT", False), ("https_proxy", False),
        ("HTTPS_PROXY", False), ("KOMODO_AGENT_REPO_ROOTS", False), ("HOME", False),
        ("PATH", True), ("TERM", True), ("SSH_TTY", True), ("PWD", True),
    ],
)  # fmt: skip
def test_programs_share_an_agent_if_it_would_talk_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, shared: bool
) -> None:
    monkeypatch.setenv(name, "/one")
    one = EmbeddedAgent(tmp_path, tmp_path)
    monkeypatch.setenv(name, "/two")
    assert (EmbeddedAgent(tmp_path, tmp_path).socket == one.socket) is shared


def test_it_is_begun_before_anything_that_takes_long_to_load(tmp_path: Path) -> None:
    code = (
        "import sys, komodo_tui.cli\n"
        "from komodo_tui.fleet.local import EmbeddedAgent\n"
        "heavy = {'msgspec', 'inspect', 'asyncio', 'aiohttp', 'asyncssh', 'tinydb', 'sqlite3'}\n"
        "def begin(self):\n"
        "    print(sorted(heavy & set(sys.modules)))\n"
        "    sys.exit()\n"
        "EmbeddedAgent.begin = begin\n"
        f"komodo_tui.cli.main(['--home', {str(tmp_path)!r}, 'status'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
