"""What all handlers do with queries and answers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from .problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Mapping


def as_json(value: Any, *, status: int = 200) -> web.Response:
    """A value of the wire format as an answer."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def number(query: Mapping[str, str], name: str, default: float, most: float) -> float:
    """A number of the query, from 0 to ``most``.

    Raises:
        AgentError: it is something else.
    """
    text = query.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= most:
        raise AgentError("bad_request", f"{name} must be a number from 0 to {most:g}, not {text[:40]!r}")
    return value
