"""Files of a stack's folder: read and replaced by one who may, never through links, never over a newer one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from komodo_agent.compose.edit import check_rights, listed, text_of, write
from komodo_agent.problems import AgentError
from komodo_agent.wire.compose_files import ComposeWrite

if TYPE_CHECKING:
    from pathlib import Path


class Context:
    """A job's context."""

    def __init__(self, uid: int | None = None) -> None:
        self.uid = os.geteuid() if uid is None else uid

    def log(self, text: str) -> None:
        """Nobody reads it."""

    def result(self, **values: str) -> None:
        """Nobody reads it."""


def put(folder: Path, path: str, content: str, digest: str = "", context: Any = None) -> None:
    spec = ComposeWrite(project="shop", folder=str(folder), path=path.encode().hex(), content=content, digest=digest)
    given: Any = context or Context()
    write(given, spec)


def test_a_file_is_replaced_as_a_whole_with_its_mode(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    file = tmp_path / "sub/it's $(x).yaml"
    file.write_text("a: 1\n")
    file.chmod(0o640)
    entry = listed(str(tmp_path), b"sub".hex()).files[0]
    read = text_of(str(tmp_path), entry.path)
    assert (read.shown, read.content) == ("sub/it's $(x).yaml", "a: 1\n")
    put(tmp_path, "sub/it's $(x).yaml", "a: 2\n", read.digest)
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("a: 2\n", 0o640)
    put(tmp_path, "sub/new.env", "A=1\n")
    assert sorted(path.name for path in (tmp_path / "sub").iterdir()) == ["it's $(x).yaml", "new.env"]


def test_a_newer_file_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("a: 1\n")
    read = text_of(str(tmp_path), b"compose.yaml".hex())
    file.write_text("a: theirs\n")
    for digest in (read.digest, ""):
        with pytest.raises(AgentError, match="was changed on the server"):
            put(tmp_path, "compose.yaml", "a: mine\n", digest)
    with pytest.raises(AgentError, match="was changed on the server"):
        put(tmp_path, "gone.yaml", "", read.digest)
    assert file.read_text() == "a: theirs\n"


def test_what_cannot_be_read_or_written(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()
    (tmp_path / "secret").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "up").symlink_to(tmp_path)
    (folder / "binary").write_bytes(b"\xff\x00")
    (folder / "large").write_bytes(b"x" * (2 << 20))
    os.mkfifo(folder / "pipe")
    for name in ("link", "up/secret", "binary", "large", "pipe", "none", ""):
        with pytest.raises(AgentError):
            text_of(str(folder), name.encode().hex())
    for path in ("../secret", "/etc/passwd", "a//b"):
        with pytest.raises(AgentError, match="is no path"):
            put(folder, path, "x")
    for name in ("link", "up/new", "none/new"):
        with pytest.raises(AgentError):
            put(folder, name, "x")
    assert (tmp_path / "secret").read_text() == "x"
    for top in ("relative", "/srv/../etc", ""):
        with pytest.raises(AgentError, match="no absolute path"):
            listed(top, "")


def test_the_agent_lends_its_rights_to_nobody(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="not to user"):
        put(tmp_path, "x", "x", context=Context(uid=os.geteuid() + 4711))
    check_rights(0)
    assert list(tmp_path.iterdir()) == []
