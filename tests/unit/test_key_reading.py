"""A key file is one key, however many servers read it at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from komodo_tui.fleet import keys
from komodo_tui.fleet.keys import KeyRing

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_threads_that_read_one_key_at_once_get_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "id"
    path.write_text("no key, and read all the same")
    load, second = keys._load, threading.Event()
    found: list[object] = []

    def slow(name: str) -> object:
        found.append(name)
        second.wait(0.3)  # as long as another one may come in
        second.set()
        load(name)
        return object()

    monkeypatch.setattr(keys, "_load", slow)
    ring = KeyRing()
    with ThreadPoolExecutor(2) as pool:
        first, other = pool.map(ring._read, [str(path)] * 2)
    assert first is other
    assert found == [str(path)]
