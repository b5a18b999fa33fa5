"""Where everything is kept: the state directory, the settings, the sockets of this session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from komodo_tui.domain.errors import StoreError

APP = "komodo-tui"


class StateDirectory(NamedTuple):
    """The folders of one user (or of one ``--home``). All are 0700 and belong to the user."""

    root: Path
    """Definitions, history, secrets, caches."""
    config: Path
    """``config.yaml`` and ``themes/``."""
    runtime: Path
    """Sockets; gone with the session."""

    @property
    def definitions(self) -> Path:
        """The definitions file."""
        return self.root / "definitions.json"

    @property
    def history(self) -> Path:
        """The folder of the history's files."""
        return self.root / "history"

    @property
    def locks(self) -> Path:
        """The folder of lock files."""
        return self.root / "locks"

    @property
    def secrets(self) -> Path:
        """The secrets file."""
        return self.root / "secrets.age"

    @property
    def identity(self) -> Path:
        """The age identity that opens the secrets; beside the settings, so that the state alone can be copied."""
        return self.config / "identity.txt"

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.config / "config.yaml"

    @property
    def themes(self) -> Path:
        """The user's own themes."""
        return self.config / "themes"

    @property
    def cache(self) -> Path:
        """What can be had again: bundles of the agent."""
        return self.root / "cache"

    @property
    def runs(self) -> Path:
        """The folder of the journals of runs."""
        return self.root / "runs"

    @property
    def syncs(self) -> Path:
        """The folder of what each sync has brought."""
        return self.root / "syncs"

    @property
    def follow_ups(self) -> Path:
        """What is to follow builds."""
        return self.root / "follow-ups.db"

    @property
    def pushes(self) -> Path:
        """The queue of pushes."""
        return self.root / "pushes.db"

    @property
    def crashes(self) -> Path:
        """Crash reports."""
        return self.root / "crashes"

    def ensure(self) -> StateDirectory:
        """Make the folders.

        Raises:
            StoreError: one cannot be made, or belongs to somebody else.
        """
        for folder in (self.root, self.config, self.runtime):
            _private(folder)
        return self


def state_directory(home: Path | None = None) -> StateDirectory:
    """The folders to use: ``home``, else ``$KOMODO_TUI_HOME``, else those of the XDG base directories.

    Raises:
        StoreError: they cannot be made.
    """
    chosen = home or (Path(os.environ["KOMODO_TUI_HOME"]) if os.environ.get("KOMODO_TUI_HOME") else None)
    if chosen is not None:
        root = chosen.expanduser().absolute()
        return StateDirectory(root=root, config=root, runtime=_runtime(root)).ensure()
    root = _xdg("XDG_STATE_HOME", ".local/state") / APP
    return StateDirectory(root=root, config=_xdg("XDG_CONFIG_HOME", ".config") / APP, runtime=_runtime(None)).ensure()


def _xdg(variable: str, default: str) -> Path:
    """The XDG Base Directory Specification: an absolute path, else the default below the home folder."""
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / default


_SOCKET_ROOM = 60
"""Bytes a socket's name needs below the runtime folder, of the 107 a Unix socket's path may have."""


def _runtime(root: Path | None) -> Path:
    if root is not None and len(str(root)) < 107 - _SOCKET_ROOM:
        return root / "run"
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if root is None and base.startswith("/") and len(base) < 107 - _SOCKET_ROOM and os.path.isdir(base):
        return Path(base) / APP
    # crc32, since hash() of a text differs from process to process
    name = APP if root is None else f"{APP}-{crc32(str(root).encode()):08x}"
    import tempfile  # late: on the way to the agent's start, and needed seldom

    return Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}"


def _private(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        info = folder.lstat()
        if info.st_uid != os.getuid():
            raise StoreError(f"{folder} belongs to uid {info.st_uid}", hint="choose another folder with --home")
        if info.st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be used: {error.strerror}", hint="make it writable, or choose another with --home"
        ) from error
