"""Which builder this server has: buildx, BuildKit of an old docker command or of the engine, or the classic one."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from ..compose.cli import capture, child_environment
from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..engine.client import Engine

Kind = Literal["buildx", "buildkit", "engine", "classic"]

_KNOWN = 60.0
"""Seconds for which an answer is taken for still true."""
_ASK = 10.0
_VERSION = re.compile(r"(\d+)\.(\d+)")
_OLDEST_BUILDKIT = (18, 9)
_NEEDS_BUILDX = (23, 0)
"""Docker commands from here on have BuildKit only through buildx."""


class Builder(NamedTuple):
    """How images are built here."""

    kind: Kind
    version: str
    """Of the docker command; of the engine, where that is asked itself."""

    @property
    def words(self) -> tuple[str, ...]:
        """What a build's command line begins with."""
        return ("docker", "buildx", "build", "--load") if self.kind == "buildx" else ("docker", "build")

    @property
    def modern(self) -> bool:
        """Whether it is BuildKit: secrets, cache mounts, steps side by side."""
        return self.kind != "classic"

    @property
    def environment(self) -> dict[str, str]:
        """What the command is told beside."""
        return {"DOCKER_BUILDKIT": "1" if self.modern else "0", "BUILDKIT_COLORS": "", "NO_COLOR": "1",
                "DOCKER_CLI_HINTS": "false"}  # fmt: skip

    def __str__(self) -> str:
        names = {
            "buildx": "BuildKit (buildx)", "buildkit": "BuildKit", "engine": "BuildKit of the engine",
            "classic": "the classic builder",
        }  # fmt: skip
        return f"docker {self.version}, {names[self.kind]}"


_found: dict[str, tuple[float, Builder]] = {}


async def find_builder(environment: Mapping[str, str], engine: Engine) -> Builder:
    """The best there is: a docker command with BuildKit, the engine's BuildKit, and else the classic builder.

    Raises:
        AgentError: the engine has no BuildKit, and there is no docker command or it does not answer.
    """
    key = environment.get("DOCKER_HOST", "")
    if key in _found and time.monotonic() - _found[key][0] < _KNOWN:
        return _found[key][1]
    own = Builder("engine", engine.status.version) if engine.has_buildkit else None
    try:
        builder = await _by_command(environment)
    except AgentError:
        if own is None:
            raise
        builder = own
    if own is not None and not builder.modern:
        builder = own
    _found[key] = (time.monotonic(), builder)
    return builder


async def look(engine: Engine) -> Builder:
    """The same, told with the engine's status as well. Raises AgentError."""
    builder = await find_builder(child_environment(engine.path, {}), engine)
    if engine.status.status == "up":
        engine.set_status(msgspec.structs.replace(engine.status, builder=str(builder)))
    return builder


async def _by_command(environment: Mapping[str, str]) -> Builder:
    """What the docker command can do. Raises AgentError."""
    plain, plugin = await asyncio.gather(
        _ask(environment, "version", "--format", "{{.Client.Version}}|{{.Server.Version}}"),
        _ask(environment, "buildx", "version"),
    )
    code, out, err = plain
    client, _, server = out.strip().partition("|")
    if code or not server:
        said = err.strip().splitlines()
        raise AgentError("engine_unavailable", f"docker does not answer: {said[-1] if said else 'it says nothing'}")
    return Builder(_kind(_number(client), _number(server), buildx=plugin[0] == 0), client)


async def _ask(environment: Mapping[str, str], *words: str) -> tuple[int, str, str]:
    try:
        return await capture(["docker", *words], environment=environment, timeout=_ASK)
    except AgentError as error:
        if "cannot be started" in error.message:
            raise AgentError(
                "failed", "there is no docker command on this server", hint="install docker-cli (or docker.io) there"
            ) from error
        raise


def _kind(client: tuple[int, int], server: tuple[int, int], *, buildx: bool) -> Kind:
    if buildx:
        return "buildx"
    return "buildkit" if _OLDEST_BUILDKIT <= client < _NEEDS_BUILDX and server >= _OLDEST_BUILDKIT else "classic"


def _number(text: str) -> tuple[int, int]:
    found = _VERSION.search(text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
