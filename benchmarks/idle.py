"""What the program writes to the terminal while nothing changes but the time.

Two lists, at 80 columns (a wider screen has graphs, which move on with time): the history, and containers that do
nothing. Ages of containers are clocks: a part of the screen that is written again with another age alone is counted
apart.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lab import environment, private_server, program, start_idle, stop_agents
from benchmarks.measure import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60.0
_SETTLED = 15.0
"""Seconds for what a start brings: first figures, histories."""
_PLACED = re.compile(rb"(?=\x1b\[\d+;\d+H)")
_ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
_AGE = re.compile(rb"\b\d+[smhd]\b")


def measure() -> dict[str, float]:
    """Bytes in a quiet minute."""
    found: dict[str, float] = {}
    with private_server("idle") as server, tempfile.TemporaryDirectory() as folder:
        for n in range(5):
            start_idle(server, f"marker-{n}")
        env = environment(Path(folder), DOCKER_HOST=server.docker_host)
        for name, key, sign in (("history", b"9", b"Actions"), ("containers", b"3", b"marker-0")):
            ages, others = _quiet(env, key, sign)
            found[f"{name}: bytes in {SECONDS:.0f} s that are ages"] = ages
            found[f"{name}: all other bytes"] = others
        stop_agents(folder)
    return found


def _quiet(env: dict[str, str], key: bytes, sign: bytes) -> tuple[int, int]:
    """Bytes of parts that only show another age, and all others."""
    with Terminal(program(), env, cols=80, rows=24) as terminal:
        terminal.must(lambda seen: b"Containers" in seen, 30)
        terminal.forget()
        terminal.type(key)
        terminal.must(lambda seen: sign in seen, 30)
        terminal.pump(_SETTLED)
        known = {text for text, _ in _parts(bytes(terminal.output))}
        terminal.forget()
        terminal.pump(SECONDS)
        parts = list(_parts(bytes(terminal.output)))
    ages = sum(size for text, size in parts if text in known)
    return ages, len(terminal.output) - ages


def _parts(output: bytes) -> Iterator[tuple[bytes, int]]:
    """What was written at each place, without colours, ages and the width they take; and its bytes."""
    for part in _PLACED.split(output):
        text = _AGE.sub(b"", _ESCAPE.sub(b"", part))
        yield b" ".join(text.split()), len(part)
