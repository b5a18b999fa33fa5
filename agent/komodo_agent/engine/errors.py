"""The one place where the engine's errors become the agent's."""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp
from aiodocker import DockerError

from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_CONNECTION = 900  # aiodocker's own status for "could not connect"
_CODES = {400: "bad_request", 403: "forbidden", 404: "not_found", 409: "conflict", 503: "engine_unavailable"}
_MESSAGE_LIMIT = 2000
_LONG_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


@contextmanager
def engine_errors(what: str) -> Iterator[None]:
    """Turn every failure of an engine call into an :class:`AgentError`.

    Args:
        what: the call as a clause, e.g. ``start web``; the message begins with it.

    Raises:
        AgentError: with the engine's own words where it gave some.
    """
    try:
        yield
    except DockerError as error:
        raise translate(error, what) from error
    except asyncio.TimeoutError as error:
        raise AgentError(
            "engine_unavailable", f"{what}: the engine did not answer in time", hint="try again", retryable=True
        ) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise AgentError(
            "engine_unavailable",
            f"{what}: the connection to the engine broke: {error}",
            hint="look at the engine's service on the server",
            retryable=True,
        ) from error


def translate(error: DockerError, what: str) -> AgentError:
    """One refusal of the engine as the agent's."""
    words = _LONG_ID.sub(r"\1", str(error.message or "no reason given").strip()[:_MESSAGE_LIMIT])
    if error.status == _NO_CONNECTION:
        return AgentError(
            "engine_unavailable",
            f"{what}: the engine does not answer",
            hint="look at the engine's service on the server",
            retryable=True,
        )
    return AgentError(_CODES.get(error.status, "failed"), f"{what}: {words}")
