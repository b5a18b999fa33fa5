"""Logins of registries lent to a build: a Docker configuration whose file is in memory alone, gone with the build."""

from __future__ import annotations

import base64
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LENT = ("cli-plugins", "buildx", "contexts")
"""Of the usual configuration's folder: what is as good here."""


def configuration(logins: Mapping[str, str], usual: Path) -> bytes:
    """The ``config.json`` of the usual folder with these logins (host → as ``X-Registry-Auth`` has it). Blocks.

    Raises:
        AgentError: a login cannot be read.
    """
    document: dict[str, Any] = {}
    with suppress(OSError, msgspec.DecodeError):
        document = msgspec.json.decode((usual / "config.json").read_bytes(), type=dict[str, Any])
    auths = dict(document.get("auths") or {})
    for host, header in logins.items():
        try:
            login = msgspec.json.decode(base64.urlsafe_b64decode(header), type=dict[str, str])
            pair = f"{login['username']}:{login['password']}"
        except (ValueError, KeyError, msgspec.MsgspecError) as error:
            raise AgentError("bad_request", f"the login of {host} cannot be read") from error
        auths[login.get("serveraddress") or host] = {"auth": base64.b64encode(pair.encode()).decode()}
    # a store or helper would be asked instead of what stands here
    helpers = {host: helper for host, helper in (document.get("credHelpers") or {}).items() if host not in logins}
    kept = {key: value for key, value in document.items() if key != "credsStore"}
    return msgspec.json.encode({**kept, "auths": auths, "credHelpers": helpers})


def usual_logins(usual: Path) -> dict[str, tuple[str, str]]:
    """The logins that stand in the usual folder's ``config.json`` itself: host → user and password. Blocks."""
    document: dict[str, Any] = {}
    with suppress(OSError, msgspec.DecodeError):
        document = msgspec.json.decode((usual / "config.json").read_bytes(), type=dict[str, Any])
    found = {}
    for host, login in (document.get("auths") or {}).items():
        with suppress(ValueError, TypeError, AttributeError):
            user, colon, password = base64.b64decode(login.get("auth") or "").decode().partition(":")
            if colon:
                found[str(host)] = (user, password.rstrip("\0"))
    return found


def make_folder(folder: Path, file: str, usual: Path) -> None:
    """A configuration folder whose ``config.json`` is that file. Blocks. Raises AgentError."""
    try:
        folder.mkdir(mode=0o700)
        (folder / "config.json").symlink_to(file)
        for name in _LENT:
            if (usual / name).exists():
                (folder / name).symlink_to((usual / name).absolute())
    except OSError as error:
        raise AgentError("failed", f"{folder} cannot be made: {error.strerror}") from error


def usual_folder(environment: Mapping[str, str]) -> Path:
    """Where the docker command looks by itself."""
    told = environment.get("DOCKER_CONFIG", "")
    return Path(told) if told else Path(environment.get("HOME", "") or os.path.expanduser("~")) / ".docker"
