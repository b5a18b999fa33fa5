"""``kill -9`` of a watch and of runs at random moments: counts.

``KILLS`` in the environment takes another number than 20. What is wrong ends it with an AssertionError that says what.
See ``python -m tests.faults.watch_kills`` and ``procedure_kills``.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks.lab import private_server, stop_agents
from tests.faults import procedure_kills, watch_kills

POINTS = 20


def measure() -> dict[str, float]:
    """What happened, and how it was in the end."""
    points = int(os.environ.get("KILLS", POINTS))
    found: dict[str, float] = {}
    for what, kill in (("watch", watch_kills.kill), ("runs", procedure_kills.kill)):
        with private_server(f"kills-{what}") as server, tempfile.TemporaryDirectory() as folder:
            try:
                seen = kill(server, Path(folder), points, 1)
            finally:
                stop_agents(folder)
        found |= {f"{what}: {name}": float(count) for name, count in seen.items()}
    return found
