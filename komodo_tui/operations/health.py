"""Checks of this machine and of the state directory: what ``doctor`` prints."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
import sys
from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_tui.domain.errors import KomodoError, UsageError
from komodo_tui.domain.units import bytes_text, count_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from komodo_tui.store.definitions import DefinitionStore
    from komodo_tui.store.history import History
    from komodo_tui.store.paths import StateDirectory

_ROOM = 100 << 20
"""Free bytes below which the state directory's disk is worth a warning."""
_SSH_TIMEOUT = 5.0


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at."""

    name: str
    level: Literal["ok", "warning", "failed"]
    message: str
    hint: str = ""


async def check_machine(paths: StateDirectory, definitions: DefinitionStore, history: History) -> list[Check]:
    """Look at everything but the servers."""

    def look() -> list[Check]:
        checks = [_python(), _locale(), _folders(paths), _room(paths), _settings(paths)]
        checks += [_guarded("definitions", lambda: _definitions(paths, definitions))]
        checks += [_guarded("history", lambda: _history(history))]
        return checks

    return [*await asyncio.to_thread(look), *await _ssh()]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check(name="python", level="ok", message=f"{version} at {sys.executable}")


def _locale() -> Check:
    encoding = (sys.stdout.encoding or "").lower()
    if encoding.replace("-", "") == "utf8":
        return Check(name="locale", level="ok", message="UTF-8")
    return Check(
        name="locale", level="warning", message=f"{encoding or 'unknown'}: drawing with ASCII", hint="set LANG=C.UTF-8"
    )


def _folders(paths: StateDirectory) -> Check:
    wide = [
        str(path)
        for path in (paths.root, paths.config, paths.history, *_files(paths))
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if wide:
        hint = f"chmod go= {' '.join(wide)}"
        return Check(name="state directory", level="failed", message="others can read what is yours alone", hint=hint)
    return Check(name="state directory", level="ok", message=str(paths.root))


def _files(paths: StateDirectory) -> tuple[Path, ...]:
    return (paths.definitions, paths.secrets, paths.identity, paths.settings)


def _room(paths: StateDirectory) -> Check:
    free = shutil.disk_usage(paths.root).free
    if free < _ROOM:
        return Check(
            name="disk", level="warning", message=f"{bytes_text(free)} free at {paths.root}",
            hint="acts are refused once the history cannot be written",
        )  # fmt: skip
    return Check(name="disk", level="ok", message=f"{bytes_text(free)} free")


def _settings(paths: StateDirectory) -> Check:
    if not paths.settings.exists():
        return Check(name="settings", level="ok", message=f"defaults; {paths.settings} is not there")
    from komodo_tui.store.settings_file import load_settings

    try:
        load_settings(paths.settings)
    except UsageError as error:
        return Check(name="settings", level="failed", message=error.message, hint=error.hint)
    return Check(name="settings", level="ok", message=str(paths.settings))


def _definitions(paths: StateDirectory, definitions: DefinitionStore) -> Check:
    count = count_text(len(definitions.servers()), "server")
    bad = [*definitions.problems(), *definitions.notices]
    if bad:
        return Check(name="definitions", level="failed", message="; ".join(bad), hint="mend them in the file")
    aside = sorted(file.name for file in paths.definitions.parent.glob(f"{paths.definitions.name}.corrupt-*"))
    if aside:
        return Check(
            name="definitions", level="warning", message=f"{count}; a damaged file was set aside: {aside[-1]}",
            hint=f"what came last may be missing: compare it with {paths.definitions}, then remove it",
        )  # fmt: skip
    return Check(name="definitions", level="ok", message=count)


def _history(history: History) -> Check:
    report = history.verify()
    if not report.ok:
        return Check(name="history", level="failed", message=f"the chain is broken: {report.broken}")
    return Check(name="history", level="ok", message=f"{count_text(report.rows, 'row')}, unbroken")


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except KomodoError as error:
        return Check(name=name, level="failed", message=error.message, hint=error.hint)


async def _ssh() -> list[Check]:
    path = shutil.which("ssh")
    if path is None:
        missing = "there is no ssh: ~/.ssh/config is read by our own parser"
        return [Check(name="ssh", level="warning", message=missing, hint="apt install openssh-client"), _agent()]
    return [Check(name="ssh", level="ok", message=await _version(path)), _agent()]


async def _version(path: str) -> str:
    process = await asyncio.create_subprocess_exec(
        path, "-V", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_SSH_TIMEOUT):
            _, said = await process.communicate()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return path
    return said.decode("utf-8", "replace").strip() or path


def _agent() -> Check:
    socket = os.environ.get("SSH_AUTH_SOCK", "")
    if not socket:
        return Check(name="ssh-agent", level="ok", message="none: keys are read from files")
    with contextlib.suppress(OSError):
        if stat.S_ISSOCK(os.stat(socket).st_mode):
            return Check(name="ssh-agent", level="ok", message=socket)
    return Check(
        name="ssh-agent", level="warning", message=f"SSH_AUTH_SOCK names {socket}, which is not there",
        hint="eval $(ssh-agent), or unset SSH_AUTH_SOCK",
    )  # fmt: skip
