"""What the agent says of its machine."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from komodo_agent.metrics.facts import boot_time, host_facts, memory_total

if TYPE_CHECKING:
    from pathlib import Path


def test_memory_and_boot_time_are_those_of_proc(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:        2048 kB\nMemFree: 5 kB\n")
    (tmp_path / "stat").write_text("cpu  1 2 3 4\nctxt 9\nbtime 1700000000\n")
    assert memory_total(str(tmp_path)) == 2048 * 1024
    assert boot_time(str(tmp_path)) == 1700000000.0


def test_without_proc_another_way_is_found(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("btime none\n")
    assert memory_total(str(tmp_path)) == psutil.virtual_memory().total
    assert boot_time(str(tmp_path)) == psutil.boot_time()


def test_the_machine_itself_can_be_told() -> None:
    host = host_facts()
    assert host.booted == psutil.boot_time()
    assert host.memory == psutil.virtual_memory().total


def test_what_the_agent_never_needs_stays_out_of_its_memory() -> None:
    code = (
        "import sys\n"
        "from komodo_agent.lean import lean_imports\n"
        "with lean_imports():\n"
        "    import komodo_agent.server\n"
        "print(*{'psutil', 'zipfile', 'csv', '_ssl', '_hashlib'} & set(sys.modules))\n"
        "import hashlib, ssl\n"
        "from importlib.metadata import version\n"
        "print(version('aiohttp'), hashlib.sha256(b'').hexdigest()[:6], bool(ssl.OPENSSL_VERSION))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded, installed = done.stdout.split("\n")[:2]
    assert loaded == ""
    assert installed[0].isdigit()
    assert installed.endswith("e3b0c4 True")
