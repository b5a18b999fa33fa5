"""Outputs of builds that are kept here."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.errors import StoreError
from komodo_tui.store import build_logs
from komodo_tui.store.build_logs import BuildLogs

if TYPE_CHECKING:
    from pathlib import Path


def test_the_last_ones_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_logs, "KEPT", 2)
    logs = BuildLogs(tmp_path)
    for number in range(4):
        logs.write("api", f"act-{number}", f"output {number}".encode())
    found = [logs.read("api", f"act-{number}") for number in range(4)]
    assert sum(one is not None for one in found) == 2
    assert found[3] == b"output 3"
    with pytest.raises(StoreError):
        logs.read("api", "../../secrets")


def test_one_that_is_damaged_is_told_with_its_file(tmp_path: Path) -> None:
    logs = BuildLogs(tmp_path)
    logs.write("api", "act-1", bytes(range(256)) * 4)
    (path,) = tmp_path.rglob("*.gz")
    whole = path.read_bytes()
    for at in range(1, len(whole)):
        path.write_bytes(whole[:at])
        with pytest.raises(StoreError, match=r"act-1.*cannot be read"):
            logs.read("api", "act-1")
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with suppress(StoreError):  # some bytes of the head say nothing
            logs.read("api", "act-1")
