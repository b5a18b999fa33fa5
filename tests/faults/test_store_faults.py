"""Kills, cut files, full disks and many writers lose nothing that was acknowledged."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.errors import StoreError
from komodo_tui.domain.operations import ActionRecord, Actor
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.history import History
from tests.rig.processes import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WRITE_DEFINITIONS = """
import sys
from pathlib import Path
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.store.definitions import DefinitionStore
store = DefinitionStore(Path(sys.argv[1]))
for n in range(int(sys.argv[3])):
    name = f"{sys.argv[2]}-{n}"
    store.put("server", name, ServerDefinition(name=name, address="x" * (n % 50 + 1)), None)
    print(name, flush=True)
"""
_WRITE_HISTORY = """
import sys
from pathlib import Path
from komodo_tui.domain.operations import ActionRecord, Actor
from komodo_tui.store.history import History
history = History(Path(sys.argv[1]))
for n in range(int(sys.argv[3])):
    name = f"{sys.argv[2]}-{n}"
    history.begin(ActionRecord(id=name, seq=0, started=1.0, actor=Actor(name="x"), act="restart"))
    print(name, flush=True)
"""


def _writer(script: str, path: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, str(path), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _kill_after(process: subprocess.Popen[str], lines: int) -> list[str]:
    """What the writer acknowledged before it was killed somewhere after that many lines."""
    assert process.stdout is not None
    seen = [process.stdout.readline().strip() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split("\n")
    process.wait()
    process.stdout.close()
    return seen + [line for line in rest[:-1] if line]


def test_four_writers_lose_no_definition(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    writers = [_writer(_WRITE_DEFINITIONS, path, f"w{n}", 40) for n in range(4)]
    acknowledged = {line for w in writers for line in w.communicate(timeout=60)[0].split()}
    assert all(w.returncode == 0 for w in writers)
    assert {s.value.name for s in DefinitionStore(path).servers()} == acknowledged
    assert len(acknowledged) == 160


def test_killed_writers_leave_whole_files_and_all_they_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    acknowledged: set[str] = set()
    for round_ in range(12):
        acknowledged |= set(_kill_after(_writer(_WRITE_DEFINITIONS, path, f"r{round_}", 10_000), 3 + round_))
        store = DefinitionStore(path)
        assert acknowledged <= {s.value.name for s in store.servers()}
        assert store.notices == []
        store.close()


def test_killed_historians_leave_a_whole_chain(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for round_ in range(8):
        writers = [_writer(_WRITE_HISTORY, tmp_path, f"r{round_}w{n}", 100_000) for n in range(2)]
        for writer in writers:
            acknowledged |= set(_kill_after(writer, 5 + 3 * round_))
        history = History(tmp_path)
        assert history.verify().ok
        history.close()
    assert acknowledged <= {record.id for record in History(tmp_path).walk()}


def test_a_file_cut_at_any_byte_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    store = DefinitionStore(path)
    for name in ("a", "b", "c"):
        store.put("server", name, ServerDefinition(name=name, address=name), None)
    store.close()
    whole, versions = path.read_bytes(), {f: f.read_bytes() for f in tmp_path.glob("d.json.[0-9]")}
    for length in range(len(whole) - 2):
        for file in tmp_path.glob("d.json*"):
            file.unlink()
        path.write_bytes(whole[:length])
        for file, content in versions.items():
            file.write_bytes(content)
        opened = DefinitionStore(path)
        assert [s.value.name for s in opened.servers()] == ["a", "b"], length
        assert "restored" in opened.notices[0]
        assert next(tmp_path.glob("d.json.corrupt-*")).read_bytes() == whole[:length]
        opened.close()
    mended = DefinitionStore(path)
    mended.put("server", "d", ServerDefinition(name="d", address="d"), None)
    assert [s.value.name for s in DefinitionStore(path).servers()] == ["a", "b", "d"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        run("umount", "-l", str(folder))


def _fill(folder: Path) -> None:
    fd = os.open(folder / "ballast", os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while True:
            os.write(fd, b"x" * 4096)
    os.close(fd)


def _begin_many(history: History) -> None:
    for number in range(2000):
        history.begin(ActionRecord(id=f"n{number}", seq=0, started=1.0, actor=Actor(name="x"), act="restart"))


@pytest.mark.rig
def test_a_full_disk_is_told_and_loses_nothing(small_disk: Path) -> None:
    store = DefinitionStore(small_disk / "d.json")
    store.put("server", "a", ServerDefinition(name="a", address="a"), None)
    history = History(small_disk / "history")
    history.begin(ActionRecord(id="under-way", seq=0, started=1.0, actor=Actor(name="x"), act="restart"))
    _fill(small_disk)
    with pytest.raises(StoreError, match="cannot be written"):
        store.put("server", "b", ServerDefinition(name="b", address="b" * 200), None)
    with pytest.raises(StoreError, match="history"):
        _begin_many(history)
    history.finish("under-way", "success")
    assert [s.value.name for s in store.servers()] == ["a"]
    os.unlink(small_disk / "ballast")
    store.put("server", "b", ServerDefinition(name="b", address="b"), None)
    assert history.get("under-way").outcome == "success"
    assert history.verify().ok
    history.close()
    store.close()
