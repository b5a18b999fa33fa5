"""A clone that does not fit: a clear error, nothing half done, and a free lock."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.repos.lab import Author, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.rig


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "agent"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2M", "komodo-test", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk(tmp_path: Path, small: Path) -> None:
    author = Author(tmp_path)
    server = Server(tmp_path, author)
    await server.do("clone")
    (author.work / "large").write_bytes(os.urandom(4 << 20))
    author.push("too large for it")
    assert "disk of the server is full" in await server.refusal("pull")
    state = await server.state()
    assert (state.problem, state.dirty_count) == ("", 0)
    assert (server.files / "compose.yaml").read_text() == "services: {}\n"
    (author.work / "large").write_text("small now\n")
    author.push("smaller", "--force")
    subprocess.run(["git", "-C", str(author.work), "checkout", "--quiet", "--orphan", "fresh"], check=True)
    author.push("without the large one", note="x\n")
    await server.do("pull", branch="fresh", discard=True)
    assert (server.files / "note").exists()
