"""What all tests share: the rig, and an environment that is nobody's."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from komodo_tui.domain.one_at_a_time import guard_msgspec
from tests.rig.fixtures import rig_server, second_server, server, third_server, why_not

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["rig_server", "second_server", "server", "third_server"]

_FOREIGN = ("NO_COLOR", "TEXTUAL_THEME", "KOMODO_TUI_HOME", "DOCKER_HOST", "SUDO_USER", "SSH_CLIENT", "SSH_CONNECTION")

for _name in ("COLUMNS", "LINES"):  # left to workers by readline; programs and ps believe them
    os.environ.pop(_name, None)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun in the background of a script: children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

guard_msgspec()  # as every program does: tests have threads that read structs, too

settings.register_profile("machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("machine")  # how fast a machine is fails no test


@pytest.fixture(autouse=True)
def _own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings, state or keys of the person who runs it."""
    for name in _FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg-state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg-config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "xdg-run"))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the rig's tests where it cannot run, with the reason; under CI that is a failure."""
    marked = [item for item in items if item.get_closest_marker("rig")]
    if not marked or config.option.collectonly:
        return
    reason = why_not()
    if not reason:
        return
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"CI must run every test, and {reason}")
    for item in marked:
        item.add_marker(pytest.mark.skip(reason=reason))
