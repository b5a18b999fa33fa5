"""Why an engine cannot be used: from a failed call to a status and a sentence with what to do."""

from __future__ import annotations

import asyncio
import errno
import os
import pwd
import re
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..wire.models import EngineStatus

API_NEWEST = (1, 51)
"""The newest API version this code was tried against (Docker 28.5)."""
API_OLDEST = (1, 41)
"""Docker 20.10, Podman 4."""

_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})")


class EngineUnavailableError(Exception):
    """The engine cannot be used now; carries the status and the sentence for people."""

    def __init__(self, status: EngineStatus, message: str) -> None:
        super().__init__(message)
        self.status: EngineStatus = status
        self.message = message


def unavailable(error: BaseException, path: str, *, seen_up: bool) -> EngineUnavailableError:
    """What a failed connection to the engine's socket means.

    Args:
        error: aiohttp's, the operating system's or a timeout.
        seen_up: whether this engine answered before: one that has gone is down, not absent.
    """
    cause = getattr(error, "os_error", error)
    number = cause.errno if isinstance(cause, OSError) else None
    if number in (errno.EACCES, errno.EPERM):
        user = _user()
        return EngineUnavailableError(
            "denied",
            f"{user} may not open {path}. Add it to the docker group (usermod -aG docker {user}), "
            "then start the agent again.",
        )
    if number in (errno.ENOENT, errno.ENOTDIR) and not seen_up:
        return EngineUnavailableError(
            "absent", f"There is no engine at {path}. Install Docker, or point DOCKER_HOST at its socket."
        )
    if number in (errno.ENOENT, errno.ENOTDIR, errno.ECONNREFUSED):
        return EngineUnavailableError("down", f"The engine at {path} is not running. Start it: systemctl start docker.")
    if isinstance(error, asyncio.TimeoutError):
        status: EngineStatus = "down" if seen_up else "starting"
        return EngineUnavailableError(
            status, f"The engine at {path} does not answer. If this lasts: systemctl restart docker."
        )
    if isinstance(error, aiohttp.ClientError):
        return EngineUnavailableError("down", f"The engine at {path} broke the connection: {error}.")
    return EngineUnavailableError("down", f"The engine at {path} cannot be used: {error}.")


def negotiate(offered: str, path: str) -> tuple[int, int]:
    """The newest API version that both sides know.

    Raises:
        EngineUnavailableError: the engine is too old, or what answers is no engine.
    """
    version = parse_version(offered)
    if version < API_OLDEST:
        what = f"API {offered[:20]}" if offered else "no Docker API"
        raise EngineUnavailableError(
            "down", f"{path} offers {what}; Docker 20.10 or Podman 4 or newer is needed. Upgrade the engine."
        )
    return min(version, API_NEWEST)


def parse_version(text: str) -> tuple[int, int]:
    """``1.41`` as numbers; (0, 0) for anything else."""
    match = _VERSION.match(text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def buildkit_offered(headers: Mapping[str, str]) -> bool:
    """Whether an engine has BuildKit, by its answer to ``/_ping``.

    Every Docker of these API versions has it on Linux. Those of 23 and later say ``Builder-Version: 2``, earlier ones
    nothing; ``1`` is said where the engine's settings have switched it off.
    """
    if "Libpod-API-Version" in headers or headers.get("OSType", "linux") != "linux":
        return False
    wanted = headers.get("Builder-Version", "")
    return wanted == "2" or (not wanted and parse_version(headers.get("Api-Version", "")) >= API_OLDEST)


def cgroup_words(info: dict[str, Any]) -> str:
    """``v2 systemd`` out of the engine's info document."""
    version = str(info.get("CgroupVersion") or "1")
    return f"v{version} {info.get('CgroupDriver') or ''}".strip()


def error_words(body: bytes) -> str:
    """The message of an engine's error body."""
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body.decode("utf-8", "replace").strip()
    message = document.get("message") or document.get("cause") if isinstance(document, dict) else None
    return str(message or body.decode("utf-8", "replace")).strip()


def _user() -> str:
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
