"""Which programs share this machine's agent."""

from __future__ import annotations

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
