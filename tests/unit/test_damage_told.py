"""What is damaged or full is told by the first command that meets it, and by ``doctor`` from then on."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.operations.health import check_machine
from komodo_tui.operations.locking import TargetLocks
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.history import History
from komodo_tui.store.paths import StateDirectory

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _cut(folder: Path) -> None:
    """Two definitions were made; the file that holds both is cut short."""
    store = DefinitionStore(folder / "definitions.json")
    for name in ("a", "b"):
        store.put("server", name, ServerDefinition(name=name, address=name), None)
    store.close()
    os.truncate(folder / "definitions.json", 40)


def test_a_command_that_mends_the_definitions_says_so(tmp_path: Path) -> None:
    _cut(tmp_path)
    command = [sys.executable, "-m", "komodo_tui", "--home", str(tmp_path), "server", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["NAME", "a"]
    assert "definitions.json cannot be read" in done.stderr
    assert "version 1 before it was restored" in done.stderr
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stderr == ""


async def test_doctor_goes_on_telling(tmp_path: Path) -> None:
    _cut(tmp_path)
    DefinitionStore(tmp_path / "definitions.json").servers()
    paths = StateDirectory(tmp_path, tmp_path, tmp_path)
    checks = await check_machine(paths, DefinitionStore(paths.definitions), History(paths.history))
    found = next(check for check in checks if check.name == "definitions")
    assert found.level == "warning"
    assert "1 server; a damaged file was set aside: definitions.json.corrupt-" in found.message


def test_a_full_disk_is_no_reason_not_to_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "locks").mkdir()
    monkeypatch.setattr(os, "pwrite", full)
    locks = TargetLocks(tmp_path / "locks")
    with locks.hold(["a"], "ana"):
        assert not locks.free(["a"])
    assert locks.free(["a"])


def test_an_output_that_takes_no_more_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "komodo_tui", "--home", str(tmp_path), "server", "list"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("komodo-tui: the output cannot be written: No space left on device\n")
    assert "Traceback" not in done.stderr
