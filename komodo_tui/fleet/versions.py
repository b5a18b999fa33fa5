"""Comparing the version numbers of programs and agents."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?")


def version_key(version: str) -> tuple[int, int, int, bool]:
    """Sorts versions: ``0.9.0 < 0.10.0.dev1 < 0.10.0``. What is no version sorts before all."""
    match = _NUMBER.match(version)
    if match is None:
        return (-1, 0, 0, False)
    major, minor, patch = (int(part or 0) for part in match.groups())
    return (major, minor, patch, match.end() == len(version))


def is_newer(version: str, than: str) -> bool:
    """Whether ``version`` is newer than ``than``."""
    return version_key(version) > version_key(than)
