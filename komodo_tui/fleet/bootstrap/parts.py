"""The distributions an agent needs on a server: taken from this installation where they fit, else as wheels."""

from __future__ import annotations

import zipfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.tags import parse_tag
from packaging.utils import canonicalize_name

from komodo_tui.fleet.bootstrap.wheels import WheelsMissingError, wheels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from komodo_tui.fleet.bootstrap.target import Target

PRODUCT = "komodo-tui"
DIRECT = ("aiohttp", "aiodocker", "psutil", "msgspec", "gitpython", "h2")
"""What the agent's code imports."""
_ROUNDS = 5
_LEFT_OUT = (".pyc", ".pyi", ".pyx", ".pxd", ".c", ".h")


class Parts:
    """Where the files of one bundle come from."""

    def __init__(self, installed: list[metadata.Distribution], fetched: list[Path]) -> None:
        self.installed = installed
        self.fetched = fetched

    def files(self) -> Iterator[tuple[str, bytes]]:
        """(path below ``lib``, content) of each file. Reads the disk."""
        for distribution in self.installed:
            for path in distribution.files or ():
                if path.parts[0] not in ("..", "/") and _wanted(path.parts):
                    yield path.as_posix(), Path(str(path.locate())).read_bytes()
        for wheel in self.fetched:
            with zipfile.ZipFile(wheel) as archive:
                for entry in archive.infolist():
                    parts = tuple(entry.filename.split("/"))
                    if parts[0].endswith(".data"):
                        if len(parts) < 3 or parts[1] not in ("purelib", "platlib"):
                            continue
                        parts = parts[2:]
                    if not entry.is_dir() and ".." not in parts and _wanted(parts):
                        yield "/".join(parts), archive.read(entry)


def _wanted(parts: tuple[str, ...]) -> bool:
    """Whether the agent can need a file: bytecode, type hints and sources of compiled modules it cannot."""
    if parts[0].endswith(".dist-info"):
        return parts[-1] == "METADATA" or "licen" in "/".join(parts).lower()
    return "__pycache__" not in parts and "tests" not in parts and not parts[-1].endswith(_LEFT_OUT)


async def find_parts(target: Target, folder: Path, progress: Callable[[str], None]) -> Parts:
    """All the agent needs on ``target``; what does not fit there is fetched into ``folder``.

    The versions are those of this installation, which are tested together, as long as there are wheels of them.

    Raises:
        ActError: wheels are missing.
    """
    needed: dict[str, Requirement] = {canonicalize_name(name): Requirement(_own_requirement(name)) for name in DIRECT}
    installed: dict[str, metadata.Distribution] = {}
    fetched: dict[str, Path] = {}
    for _ in range(_ROUNDS):
        _walk(needed, target)
        absent = []
        for name, requirement in needed.items():
            distribution = _installed(requirement)
            if distribution is not None and _fits(distribution, target):
                installed[name] = distribution
            elif name not in fetched:
                absent.append(requirement)
        if not absent:
            break
        progress(f"finding wheels of {', '.join(each.name for each in absent)} for {target}")
        names = [canonicalize_name(each.name) for each in absent]
        fetched |= zip(names, await _fetch(absent, target, folder), strict=True)
        for path in fetched.values():
            _add(needed, _wheel_requirements(path), target)
    return Parts([installed[name] for name in sorted(installed)], [fetched[name] for name in sorted(fetched)])


async def _fetch(absent: list[Requirement], target: Target, folder: Path) -> list[Path]:
    try:
        return await wheels([_pinned(each) for each in absent], target, folder)
    except WheelsMissingError:
        # Our own versions may have dropped the server's Python; others that are allowed may still have it.
        return await wheels(absent, target, folder)


def _walk(needed: dict[str, Requirement], target: Target) -> None:
    """Add what the needed distributions need, as far as they are installed here."""
    pending = list(needed.values())
    while pending:
        distribution = _installed(pending.pop())
        if distribution is not None:
            pending += _add(needed, distribution.requires or (), target)


def _add(needed: dict[str, Requirement], texts: Iterable[str], target: Target) -> list[Requirement]:
    """Add those that hold on the target; returns the new ones."""
    new = []
    for requirement in map(Requirement, texts):
        name = canonicalize_name(requirement.name)
        if name not in needed and (requirement.marker is None or requirement.marker.evaluate(target.markers)):
            requirement.marker = None
            needed[name] = requirement
            new.append(requirement)
    return new


def _own_requirement(name: str) -> str:
    """What this program's own metadata asks of a distribution."""
    for text in metadata.requires(PRODUCT) or ():
        if canonicalize_name(Requirement(text).name) == name:
            return text
    return name


def _installed(requirement: Requirement) -> metadata.Distribution | None:
    try:
        return metadata.distribution(requirement.name)
    except metadata.PackageNotFoundError:
        return None


def _pinned(requirement: Requirement) -> Requirement:
    distribution = _installed(requirement)
    return requirement if distribution is None else Requirement(f"{requirement.name}=={distribution.version}")


def _fits(distribution: metadata.Distribution, target: Target) -> bool:
    """Whether the installed files came from a wheel that runs there as well."""
    lines = (distribution.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag:").strip() for line in lines if line.startswith("Tag:")]
    return bool(distribution.files) and any(parse_tag(tag) & target.tags for tag in tags)


def _wheel_requirements(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        name = next(
            name for name in archive.namelist() if name.endswith(".dist-info/METADATA") and name.count("/") == 1
        )
        text = archive.read(name).decode("utf-8", "replace")
    header = text.partition("\n\n")[0].splitlines()
    return [line.removeprefix("Requires-Dist:").strip() for line in header if line.startswith("Requires-Dist:")]
