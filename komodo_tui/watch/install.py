"""The systemd unit of ``watch``, for the user's own manager: no root is needed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNIT = "komodo-tui-watch.service"
_KEPT = ("KOMODO_TUI_HOME", "DOCKER_HOST", "DOCKER_CONFIG", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TZ")
"""What decides which state, engine and time zone are meant; a unit does not inherit it from a shell."""


def install(home: str | None, ssh_config: str | None = None) -> Path:
    """Write the unit for this program; returns its path. Raises StoreError."""
    path = Path.home() / ".config/systemd/user" / UNIT
    words = [*_program(), *(("--home", os.path.abspath(home)) if home else ()),
             *(("--ssh-config", os.path.abspath(ssh_config)) if ssh_config else ()), "watch"]  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(unit(words, {name: os.environ[name] for name in _KEPT if os.environ.get(name)}))
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    return path


def unit(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """The unit that runs these words."""
    kept = "".join(f"Environment={quoted(f'{name}={value}')}\n" for name, value in environment.items())
    command = " ".join(quoted(word).replace("$", "$$") for word in words)
    return f"""\
[Unit]
Description=komodo-tui watch: schedules, pushes, syncs and alerts
Documentation=https://www.freedesktop.org/software/systemd/man/systemd.service.html
# It is tried again for ever: another watch may run just now, or read-only mode be on.
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={command}
{kept}Restart=on-failure
RestartSec=10
# 2: a setting is wrong; the log names file, line and key.
RestartPreventExitStatus=2
WatchdogSec=2min
TimeoutStopSec=30
# Runs of procedures are processes of their own: they go on when the watch is restarted.
KillMode=process

[Install]
WantedBy=default.target
"""


def quoted(word: str) -> str:
    """A word as units have it (systemd.syntax(7)): nothing in it is expanded, but for ``$`` in commands."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"' if any(not (c.isalnum() or c in "-_./=:@%,+") for c in word) or not word else escaped


def _program() -> list[str]:
    """What was called, so that it can be called again from anywhere."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py" or not os.access(called, os.X_OK):
        return [sys.executable, "-m", "komodo_tui"]
    return [str(called.absolute())]
