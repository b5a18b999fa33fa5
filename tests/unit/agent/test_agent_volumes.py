"""The files of volumes: archives there and back, and what hostile content may not do."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from komodo_agent.engine.volume_tar import write_tar
from komodo_agent.engine.volume_tree import DEEPEST, decode_path, folder, root_of
from komodo_agent.engine.volume_untar import read_tar
from komodo_agent.problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data), "bz2": lambda data: bz2.compress(data),
    "xz": lambda data: lzma.compress(data),
}  # fmt: skip


def archive(top: Path) -> bytes:
    """The folder as a tar."""
    out = io.BytesIO()
    with root_of(str(top)) as root:
        write_tar(root, out)
    return out.getvalue()


def unpack(top: Path, data: bytes, *, replace: bool = False) -> Any:
    """Put a tar into the folder."""
    with root_of(str(top)) as root:
        return read_tar(root, io.BytesIO(data), replace=replace)


def made(*entries: tuple[str, bytes, str]) -> bytes:
    """A tar of (name, type, link target) entries."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, link in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, link
            tar.addfile(entry)
    return out.getvalue()


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A volume with something in it."""
    found = tmp_path / "volume"
    (found / "sub").mkdir(parents=True)
    (found / "sub" / "file").write_text("kept")
    return found


def test_there_and_back(top: Path, tmp_path: Path) -> None:
    goal = tmp_path / "goal"
    goal.mkdir()
    data = archive(top)
    assert unpack(goal, data).files == 2
    assert (goal / "sub" / "file").read_text() == "kept"
    assert archive(goal) == data


@pytest.mark.parametrize("mode", PACKERS)
def test_compressed_archives_are_read_too(top: Path, tmp_path: Path, mode: str) -> None:
    goal = tmp_path / "goal"
    goal.mkdir()
    unpack(goal, PACKERS[mode](archive(top)))
    assert (goal / "sub" / "file").read_text() == "kept"


@pytest.mark.parametrize(
    "data",
    [
        made(("../out", tarfile.REGTYPE, "")),
        made(("a/../../out", tarfile.REGTYPE, "")),
        made(("l", tarfile.SYMTYPE, "/"), ("l/out", tarfile.REGTYPE, "")),
        made(("l", tarfile.SYMTYPE, ".."), ("l", tarfile.DIRTYPE, ""), ("l/out", tarfile.REGTYPE, "")),
        made(("h", tarfile.LNKTYPE, "../../etc/passwd")),
        made(("/".join("d" * (DEEPEST + 5)), tarfile.REGTYPE, "")),
        b"no tar",
        b"",
        made(("a", tarfile.REGTYPE, ""))[:512],
    ],
    ids=["up", "up inside", "through a link", "link for folder", "hard link out", "deep", "text", "nothing", "no end"],
)
def test_what_leads_out_or_is_cut_changes_nothing(top: Path, tmp_path: Path, data: bytes) -> None:
    before = archive(top)
    with pytest.raises(AgentError):
        unpack(top, data, replace=True)
    assert [path.name for path in top.iterdir()] == ["sub"]
    assert archive(top)[1024:] == before[1024:]  # but for the top folder's own time
    assert not (tmp_path / "out").exists()


def test_an_archive_that_ends_between_two_entries_is_cut_off(top: Path) -> None:
    data = made(("a", tarfile.REGTYPE, ""), ("b", tarfile.REGTYPE, ""))
    with pytest.raises(AgentError, match="cut off"):
        unpack(top, data[:1024], replace=True)
    assert (top / "sub" / "file").read_text() == "kept"


def test_devices_are_left_out_and_named(tmp_path: Path) -> None:
    found = unpack(tmp_path, made(("null", tarfile.CHRTYPE, ""), ("a", tarfile.REGTYPE, "")))
    assert (found.files, found.skipped) == (1, ("null",))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_full_volume_is_only_replaced_when_told(top: Path) -> None:
    data = made(("a", tarfile.REGTYPE, ""))
    with pytest.raises(AgentError, match="not empty"):
        unpack(top, data)
    unpack(top, data, replace=True)
    assert [path.name for path in top.iterdir()] == ["a"]


def test_what_a_restore_that_died_left_is_not_touched(top: Path) -> None:
    (top / "sub").rename(top / ".komodo-old-1")
    unpack(top, made(("a", tarfile.REGTYPE, "")))
    unpack(top, made(("b", tarfile.REGTYPE, "")), replace=True)
    assert sorted(path.name for path in top.iterdir()) == [".komodo-old-1", "b"]
    assert (top / ".komodo-old-1" / "file").read_text() == "kept"


def test_a_rename_that_fails_puts_everything_back(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (top / "other").write_text("also")
    rename = os.rename

    def failing(source: Any, goal: Any, **where: int) -> None:
        if source == b"new":
            raise OSError(28, "No space left on device")
        rename(source, goal, **where)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(AgentError, match="No space left"):
        unpack(top, made(("a", tarfile.REGTYPE, ""), ("new", tarfile.REGTYPE, "")), replace=True)
    assert (top / "sub" / "file").read_text() == "kept"
    assert sorted(path.name for path in top.iterdir()) == ["other", "sub"]


def test_a_folder_that_cannot_be_read_ends_a_backup(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def failing(path: Any, *rest: Any, **where: Any) -> int:
        if path == b"sub":
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest, **where)

    monkeypatch.setattr(os, "open", failing)
    with pytest.raises(AgentError, match="/sub cannot be read"):
        archive(top)


def test_a_file_that_shrinks_while_it_is_read_leaves_a_whole_archive(
    top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = os.fstat

    class Larger:
        def __init__(self, real: os.stat_result) -> None:
            self.st_mode, self.st_size = real.st_mode, real.st_size + 5000

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", lambda descriptor: Larger(stat(descriptor)))
        data = archive(top)
    goal = tmp_path / "goal"
    goal.mkdir()
    unpack(goal, data)
    assert (goal / "sub" / "file").read_bytes() == b"kept" + bytes(5000)


@pytest.mark.parametrize("path", [b"../x", b"/etc", b"a/../b", b".", b"a//b", b"a\0b"])
def test_paths_that_are_none_are_refused(path: bytes) -> None:
    with pytest.raises(AgentError):
        decode_path(path.hex())


def test_folders_are_listed_first_and_links_are_not_followed(top: Path) -> None:
    (top / "a-link").symlink_to("/etc")
    with root_of(str(top)) as root:
        found = folder(root, b"")
        assert [(file.name, file.kind) for file in found.files] == [("sub", "folder"), ("a-link", "link")]
        with pytest.raises(AgentError):
            folder(root, b"a-link")
