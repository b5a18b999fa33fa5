"""One build by the BuildKit of the engine: asked for with ``POST /build?version=2``, its files lent in a session."""

from __future__ import annotations

import asyncio
import base64
import binascii
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ...engine.asking import ask
from ...engine.errors import engine_errors
from ...engine.lines import line_batches
from ...problems import AgentError
from .plain import PlainLines
from .session import Lent, Login, login_of, session
from .trace import read_trace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from ...engine.client import Engine
    from ...wire.builds import BuildJob
    from ..files import Files
    from .request import Parameters

_LONGEST = 16 << 20
"""Bytes of one line of the engine's answer."""
_CANCEL = 5.0


class Outcome(NamedTuple):
    """What became of it."""

    image: str = ""
    error: str = ""
    """BuildKit's words where it failed."""


def lent_to(job: BuildJob, files: Files, usual: Mapping[str, tuple[str, str]]) -> Lent:
    """What BuildKit may ask back for; ``usual`` are logins that this user has anyway.

    Raises:
        AgentError: a login cannot be read.
    """
    folders = {"context": str(files.context), "dockerfile": str(files.dockerfile.parent)}
    logins = {host: Login(*login) for host, login in usual.items()}
    logins |= {host: login_of(header, host) for host, header in job.logins.items()}
    return Lent(folders, {name: value.encode() for name, value in job.secrets.items()}, logins)


async def build(
    engine: Engine, name: str, key: str, parameters: Parameters, lent: Lent, line: Callable[[str], None]
) -> Outcome:
    """Build an image without a tag, handing over the lines of its output.

    Args:
        key: as :func:`~.session.session` has it.

    Raises:
        AgentError: the engine refused, or does not answer.
    """
    build_id = uuid.uuid4().hex
    with engine_errors(f"build {name}"):
        async with session(engine, name, key, lent) as session_id:
            wanted = [*parameters, ("remote", "client-session"), ("session", session_id), ("buildid", build_id)]
            try:
                async with engine.stream("POST", "/build", params=wanted) as response:
                    return await _follow(line_batches(response, limit=_LONGEST), line)
            except asyncio.CancelledError:
                with suppress(AgentError):  # it ends with its connection anyway
                    await ask(
                        engine, f"cancel the build of {name}", "POST", "/build/cancel", params={"id": build_id},
                        timeout=_CANCEL,
                    )  # fmt: skip
                raise


async def _follow(batches: AsyncIterator[list[bytes]], line: Callable[[str], None]) -> Outcome:
    lines = PlainLines()
    image = error = ""
    async for batch in batches:
        for found in map(_message, batch):
            aux = found.get("aux")
            if found.get("id") == "moby.buildkit.trace" and isinstance(aux, str):
                for text in _told(lines, aux):
                    line(text)
            elif isinstance(aux, dict):
                image = str(aux.get("ID") or image)
            elif found.get("error") or found.get("errorDetail"):
                detail = found.get("errorDetail")
                words = detail.get("message") if isinstance(detail, dict) else None
                error = str(words or found.get("error"))[:4000]
    if not error and not image:
        error = "the engine ended the build without an image and without a word"
    return Outcome(image, error)


def _message(data: bytes) -> dict[str, Any]:
    found = msgspec.json.decode(data)
    return found if isinstance(found, dict) else {}


def _told(lines: PlainLines, aux: str) -> list[str]:
    try:
        return [*lines.feed(read_trace(base64.b64decode(aux)))]
    except (ValueError, binascii.Error) as error:
        raise AgentError("failed", f"what the engine tells of the build makes no sense: {error}") from error
