"""Threads that read definitions for the first time, at the same moment."""

from __future__ import annotations

import subprocess
import sys

_READ = """
import sys, threading
import komodo_tui.wiring
from komodo_tui.domain.procedures.model import ProcedureDefinition
import msgspec
sys.setswitchinterval(1e-6)
together, read_back = threading.Barrier(4), []
def read():
    together.wait()
    plain = {"name": "a", "stages": [{"name": "a", "steps": [{"sleep": {"seconds": "1"}}]}]}
    msgspec.convert(plain, ProcedureDefinition)
    read_back.append(msgspec.json.Decoder(ProcedureDefinition).decode(msgspec.json.encode(plain)).name)
threads = [threading.Thread(target=read) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*read_back)
"""


def test_threads_that_read_definitions_first_do_not_end_the_process() -> None:
    for _ in range(2):  # without the guard it ends by SIGSEGV nearly each time
        done = subprocess.run([sys.executable, "-c", _READ], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (0, "a a a a\n"), done.stderr
