"""Which wheels run on a server's Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging import tags

from komodo_tui.domain.errors import ActError
from komodo_tui.fleet.probe import MINIMUM_PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from komodo_tui.fleet.probe import ServerProbe, ServerPython

_SOABI = re.compile(r"cpython-(3\d+t?)-([a-z0-9_]+)-linux")
_ARCHITECTURES = {"i386": "i686", "arm": "armv7l", "powerpc64le": "ppc64le"}
"""Debian's words for architectures -> those of wheels."""
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""Minor version of glibc 2 -> the old name of the same promise."""
_MUSL = ("musllinux_1_2", "musllinux_1_1")
"""Python 3.10 came to Alpine with musl 1.2."""


class Target:
    """A server's interpreter, as an installer of wheels sees it."""

    def __init__(self, python: ServerPython) -> None:
        """Raises ActError when it is no CPython of Linux."""
        match = _SOABI.match(python.soabi)
        if match is None:
            raise ActError(
                f"{python.path} is no CPython that wheels are made for: {python.soabi or python.platform or 'unknown'}",
                hint="install Debian's python3 there, or your distribution's",
            )
        self.version = python.version
        self.abi = f"cp{match.group(1)}"
        self.architecture = _ARCHITECTURES.get(match.group(2), match.group(2))
        self.musl = python.musl
        self.platforms = _musl_platforms(self.architecture) if python.musl else _glibc_platforms(python.libc, self)
        self.tags = frozenset(self._tags())

    def _tags(self) -> Iterator[tags.Tag]:
        yield from tags.cpython_tags(self.version, [self.abi], self.platforms)
        yield from tags.compatible_tags(self.version, f"cp{self.version[0]}{self.version[1]}", self.platforms)

    def __str__(self) -> str:
        libc = "musl" if self.musl else "glibc"
        return f"Python {self.version[0]}.{self.version[1]} on {self.architecture} ({libc})"

    @property
    def markers(self) -> dict[str, str]:
        """What the markers of requirements (PEP 508) are evaluated with."""
        version = f"{self.version[0]}.{self.version[1]}"
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{version}.0",
            "os_name": "posix",
            "platform_machine": self.architecture,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{version}.0",
            "python_version": version,
            "sys_platform": "linux",
            "extra": "",
        }


def target_of(probe: ServerProbe) -> Target:
    """The interpreter of a server that the agent will run on.

    Raises:
        ActError: there is none; the message says what there is instead.
    """
    if probe.system != "Linux":
        raise ActError(f"the agent runs on Linux, and this is {probe.system or 'something else'}")
    wanted = ".".join(map(str, MINIMUM_PYTHON))
    if probe.python is not None:
        return Target(probe.python)
    if probe.pythons:
        newest = max(python.version for python in probe.pythons)
        what = f"the newest Python there is {newest[0]}.{newest[1]}, and the agent needs {wanted}"
    else:
        what = f"there is no python3 on the server, and the agent needs {wanted} or newer"
    raise ActError(what, hint="as root there: apt install python3 (or dnf install python3.11, apk add python3)")


def _musl_platforms(architecture: str) -> list[str]:
    return [f"{name}_{architecture}" for name in _MUSL]


def _glibc_platforms(libc: str, target: Target) -> list[str]:
    """All promises this glibc keeps, the newest first."""
    major, _, minor = libc.removeprefix("glibc-").partition(".")
    newest = int(minor) if major == "2" and minor.isdigit() else 17
    names = []
    for number in range(newest, 4, -1):
        names.append(f"manylinux_2_{number}_{target.architecture}")
        if number in _LEGACY:
            names.append(f"{_LEGACY[number]}_{target.architecture}")
    return names
