"""Wheels for a server unlike this machine, fetched by this machine's pip and kept in the state directory."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import sys
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from komodo_tui.domain.errors import ActError
from komodo_tui.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

    from komodo_tui.fleet.bootstrap.target import Target

TIMEOUT = 300.0
"""Seconds pip may take for all wheels."""
_WHY_LIMIT = 300


class WheelsMissingError(ActError):
    """pip found no wheel of these versions for the server."""


async def wheels(requirements: Sequence[Requirement], target: Target, folder: Path) -> list[Path]:
    """One wheel for each requirement, out of ``folder`` or fetched into it. Dependencies are the caller's matter.

    Raises:
        WheelsMissingError: there is none of these versions, or pip cannot reach its index.
        ActError: there is no pip on this machine.
    """
    found = {str(each): _kept(each, target, folder) for each in requirements}
    missing = [each for each in requirements if found[str(each)] is None]
    if missing:
        await _download(missing, target, folder)
    result = []
    for each in requirements:
        path = found[str(each)] or _kept(each, target, folder)
        if path is None:
            raise WheelsMissingError(f"no wheel of {each} for {target}", hint=_HINT)
        result.append(path)
    return result


def _kept(requirement: Requirement, target: Target, folder: Path) -> Path | None:
    """The newest wheel of the folder that fits."""
    fitting = []
    for path in folder.glob("*.whl"):
        try:
            name, version, _, tags = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue
        if name == canonicalize_name(requirement.name) and version in requirement.specifier and tags & target.tags:
            fitting.append((version, path))
    return max(fitting)[1] if fitting else None


_HINT = "the index of this machine's pip (pip config list) has to have wheels for it"


async def _download(requirements: Iterable[Requirement], target: Target, folder: Path) -> None:
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True, mode=0o700)
    names = [f"{each.name}{each.specifier}" for each in requirements]
    command = [*_pip(), "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--dest", str(folder), "--implementation", "cp", "--abi", target.abi,
               "--python-version", ".".join(map(str, target.version))]  # fmt: skip
    for platform in target.platforms:
        command += ["--platform", platform]
    process = await asyncio.create_subprocess_exec(
        *command, *names,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(TIMEOUT):
            _, said = await process.communicate()
    except TimeoutError:
        raise WheelsMissingError(f"pip does not end: {', '.join(names)} for {target}", hint=_HINT) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise WheelsMissingError(f"no wheels of {', '.join(names)} for {target}: {_why(said)}", hint=_HINT)


def _why(said: bytes) -> str:
    """The last complaint of pip, which is the one that counts."""
    lines = [
        line.removeprefix("ERROR: ") for line in clean(said.decode("utf-8", "replace"), keep_newlines=True).split("\n")
    ]
    return next((line for line in reversed(lines) if line.strip()), "pip gave no reason")[:_WHY_LIMIT]


def _pip() -> list[str]:
    """How pip is run here: our own Python's, else one on PATH (what it fetches does not depend on its Python)."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):
        path = shutil.which(name)
        if path:
            return [path]
    raise ActError(
        "the server needs wheels that are not on this machine, and there is no pip here to fetch them",
        hint=f"install pip for {sys.executable}, or put pip3 on PATH",
    )
