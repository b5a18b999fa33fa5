"""``config.yaml``: read with errors a person can act on; written once, commented, for the one who looks for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import StoreError, UsageError
from komodo_tui.domain.settings import Settings, check_alerts, check_updates, check_webhooks
from komodo_tui.store.atomic import write_atomic
from komodo_tui.store.yaml_files import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
# Settings of komodo-tui. Every line is optional; what stands here commented out is the default.
# `komodo-tui doctor` says whether this file is read and what is wrong with it.

# read_only: false          # refuse every act
# theme: komodo             # komodo, komodo-light, high-contrast, deuteranopia, tritanopia, mono, ansi; or your own
# ascii: false              # draw with ASCII alone
# graphs: braille           # braille, block, ascii
# mouse: true
# refresh: 1.0              # seconds between samples
# parallel: 4               # acts at once on one server

# What has to be given before an act: none, yes, or type (the name of the target).
# confirm:
#   default: {start: none, change: yes, harm: yes}
#   tags:
#     prod: {start: yes, change: yes, harm: type}

# logs: {lines: 50000, megabytes: 32, since: 15m, wrap: false, timestamps: absolute}
# terminal: {scrollback: 10000, clipboard: false}

# watch_here: false         # run schedules, pushes and syncs in the program on the screen, while no watch runs
# webhooks: {listen: "127.0.0.1:9180", max_body: 5M, rate: 3000}  # of watch, once a repo takes them
# updates: {every: 6h}  # how old a registry's answer may be when images are compared with it; off = on demand alone

# keymap:                   # binding id: keys; `?` in the program shows the ids
#   container.restart: "R,f5"
"""


def load_settings(path: Path) -> Settings:
    """The settings, or the defaults when there is no file.

    Raises:
        UsageError: the file cannot be read or does not fit; file, line and key are named.
    """
    if not path.exists():
        return Settings()
    settings = read_yaml(path, Settings)
    for name, value, low, high in (
        ("refresh", settings.refresh, 0.5, 60),
        ("parallel", settings.parallel, 1, 32),
        ("logs.lines", settings.logs.lines, 1000, 10_000_000),
        ("logs.megabytes", settings.logs.megabytes, 1, 4096),
        ("terminal.scrollback", settings.terminal.scrollback, 0, 1_000_000),
    ):
        if not low <= value <= high:
            raise UsageError(f"{path}: {name} is {value:g}", hint=f"{low:g} to {high:g}")
    try:
        check_webhooks(settings.webhooks)
        check_updates(settings.updates)
        check_alerts(settings.alerts)
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", hint=error.hint) from error
    return settings


def write_template(path: Path) -> bool:
    """Write the commented defaults unless there is a file already; returns whether it was written."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(TEMPLATE)
    return True


def set_line(path: Path, name: str, value: str) -> None:
    """Set one plain setting in the file and leave all else as people wrote it; the file is made where there is none.

    Raises:
        StoreError: it cannot be read or written.
    """
    write_template(path)
    wanted = f"{name}: {value}"
    try:
        lines = path.read_text("utf-8").splitlines()
        own = next((n for n, line in enumerate(lines) if line.startswith(f"{name}:")), None)
        example = next((n for n, line in enumerate(lines) if line.startswith(f"# {name}:")), None)
        if own is not None:
            lines[own] = wanted
        elif example is not None:
            lines.insert(example + 1, wanted)
        else:
            lines.append(wanted)
        write_atomic(path, ("\n".join(lines) + "\n").encode())
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be changed: {error}") from error
