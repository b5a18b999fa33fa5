"""Emptying a container's log. The engine appends to the file it has open, so the file is cut, never removed."""

from __future__ import annotations

import asyncio
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ..problems import AgentError

if TYPE_CHECKING:
    from ..engine.client import Engine
    from ..jobs import JobContext
    from ..wire.tasks import ClearLog

_ROTATED = re.compile(r"\.\d+(\.gz)?")


async def clear_log(engine: Engine, context: JobContext, spec: ClearLog) -> None:
    """Cut the log to nothing and remove its rotated files; ``result["freed"]`` are the bytes.

    Raises:
        AgentError: another log driver, or the agent may not touch the file.
    """
    inspect = await engine.inspect(spec.container)
    name = str(inspect.get("Name") or spec.container).lstrip("/")
    context.target(name)
    driver = ((inspect.get("HostConfig") or {}).get("LogConfig") or {}).get("Type", "")
    path = Path(str(inspect.get("LogPath") or ""))
    if driver != "json-file" or not path.is_absolute():
        raise AgentError(
            "failed",
            f"the log of {name} is kept by the driver {driver or 'none'}: there is no file to clear",
            hint="that driver has limits of its own (log-opts max-size)",
        )
    context.command(f"truncate -s 0 {path}")
    try:
        freed = await asyncio.to_thread(_clear, path, spec.larger_than)
    except PermissionError as error:
        raise AgentError(
            "failed", f"the agent may not write {path}", hint="install the agent as root there, or clear it by hand"
        ) from error
    except OSError as error:
        raise AgentError("failed", f"{path} cannot be cleared: {error.strerror}") from error
    context.result(freed=str(freed), exit="0", output=f"{freed} bytes freed")


def _clear(path: Path, larger_than: int) -> int:
    files = [path, *(p for p in path.parent.glob(f"{path.name}.*") if _ROTATED.fullmatch(p.name[len(path.name) :]))]
    size = sum(_size(file) for file in files)
    if size <= larger_than:
        return 0
    for rotated in files[1:]:
        rotated.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is no regular file")
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
    return size


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
