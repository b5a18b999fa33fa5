"""One question to the engine's API, for calls that aiodocker has no method for or gives no bounds."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import msgspec

from ..problems import AgentError
from .errors import engine_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .client import Engine

_ANSWER_LIMIT = 64 << 20
ANSWER_TIMEOUT = 60.0
"""Seconds an engine may take to answer, unless told otherwise."""
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,511}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")


async def ask(
    engine: Engine,
    what: str,
    method: str,
    path: str,
    *,
    params: Mapping[str, str | int] | None = None,
    json: object = None,
    timeout: float = ANSWER_TIMEOUT,
) -> Any:
    """The engine's whole answer, decoded; None where it is empty.

    Args:
        what: the call as a clause, e.g. ``remove web:1``; errors begin with it.
        path: below the API version; what comes from outside in it has passed :func:`image_path` or :func:`name_path`.

    Raises:
        AgentError: refused, or why the engine did not answer.
    """
    with engine_errors(what):
        body = await asyncio.wait_for(_read(engine, method, path, params, json), timeout)
        return msgspec.json.decode(body) if body.strip() else None


async def _read(engine: Engine, method: str, path: str, params: Mapping[str, str | int] | None, json: object) -> bytes:
    parts, size = [], 0
    async with engine.stream(method, path, params=params, json=json) as response:
        async for part in response.content.iter_any():
            size += len(part)
            if size > _ANSWER_LIMIT:
                raise ConnectionResetError(f"its answer is larger than {_ANSWER_LIMIT >> 20} MiB")
            parts.append(part)
    return b"".join(parts)


def image_path(reference: str) -> str:
    """An image's id, tag or digest, safe to stand in a path.

    Raises:
        AgentError: ``bad_request``.
    """
    if not _IMAGE.fullmatch(reference) or ".." in reference or "//" in reference:
        raise AgentError("bad_request", f"{reference[:80]!r} is no image", hint="like nginx:1.27 or its id")
    return reference


def name_path(name: str, what: str) -> str:
    """A volume's name or a network's id, safe to stand in a path.

    Raises:
        AgentError: ``bad_request``.
    """
    if not _NAME.fullmatch(name):
        raise AgentError(
            "bad_request", f"{name[:80]!r} is no {what}", hint="letters, digits, _ . -, the first a letter or digit"
        )
    return name
