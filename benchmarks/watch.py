"""A fleet that is watched: what a look costs, how much memory it takes, and how late an alert opens."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from benchmarks.fleet import NOW, Fleet
from benchmarks.measure import rss_bytes, yardstick
from komodo_tui.domain.alerts_readings import joined
from komodo_tui.domain.log_rules import LogRule
from komodo_tui.domain.servers import Threshold, Thresholds
from komodo_tui.domain.settings import CertificateSettings
from komodo_tui.fleet.live import FleetState
from komodo_tui.operations.alerts.certificates import CertificateSurvey
from komodo_tui.operations.alerts.logs import LogSurvey
from komodo_tui.operations.alerts.watcher import INTERVAL, AlertWatcher
from komodo_tui.store.alerts import AlertStore

SERVERS, EACH, RULES = 500, 40, 200
LOOKS = 60
LASTS = 60.0
"""Seconds the processor of one server has to be busy."""
BUSY_AT = 20
"""The look before which it becomes so."""


def measure() -> dict[str, float]:
    """In a process of its own: its memory is part of the figure."""
    script = "import json; from benchmarks.watch import run; print(json.dumps(run()))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def run() -> dict[str, float]:
    """Frames of all servers every five seconds, taken in as the feed does; then a look, with a real store."""
    with tempfile.TemporaryDirectory(prefix="watch") as folder:
        return asyncio.run(_run(Path(folder)))


async def _run(folder: Path) -> dict[str, float]:
    state = FleetState()
    made = Fleet(state, SERVERS, EACH)
    fleet: Any = SimpleNamespace(state=state)
    clock = SimpleNamespace(at=0.0)
    rules = [
        LogRule(name=f"rule-{n}", match=f"server-{n:02d} !redis", pattern="error .* refused", at_least=3)
        for n in range(RULES)
    ]  # fmt: skip
    logs = LogSurvey(fleet, lambda: rules, monotonic=lambda: clock.at)
    certificates = CertificateSurvey(fleet, lambda: CertificateSettings())
    said: list[tuple[float, str]] = []
    watcher = AlertWatcher(
        state, AlertStore(folder / "alerts.db"), lambda text: said.append((clock.at, text)),
        lambda: joined(logs.latest(), certificates.latest()), now=lambda: NOW + clock.at, monotonic=lambda: clock.at,
    )  # fmt: skip
    busy = state.servers["server-00"]
    busy.definition = msgspec.structs.replace(
        busy.definition, alerts=Thresholds(cpu=Threshold(85.0, 101.0, f"{LASTS:g}s"))
    )
    feeding = looking = worst = 0.0
    for look in range(LOOKS):
        frames = made.frames(NOW + clock.at)
        began = time.process_time()
        made.take(frames)
        fed = time.process_time()
        assert busy.sample is not None
        busy.sample = msgspec.structs.replace(busy.sample, cpu=90.0 if look >= BUSY_AT else 10.0)
        if look % 2 == 0:
            await logs.followed()
        begun = time.process_time()
        await watcher.look()
        looked = time.process_time()
        feeding, looking, worst = feeding + fed - began, looking + looked - fed, max(worst, looked - begun)
        clock.at += INTERVAL
    opened = next(at for at, text in said if "cpu server-00" in text)
    span = LOOKS * INTERVAL
    return {
        "percent of a core, feeds and looks": 100 * (feeding + looking) / span,
        "… of which looks": 100 * looking / span,
        "longest look (ms of a core)": 1000 * worst,
        "memory (MB)": rss_bytes(os.getpid()) / 1e6,
        f"alert opened after its {LASTS:g} s (s)": opened - BUSY_AT * INTERVAL - LASTS,
        "alerts opened by all servers": float(sum("opened" in text for _, text in said)),
        "yardstick (s)": yardstick(),
    }
