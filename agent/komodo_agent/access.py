"""The door: who may come in, and how failures leave."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from .peer import Peer, peer_of
from .problems import AgentError
from .wire.protocol import Problem

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from .peer import AllowList

_log = logging.getLogger(__name__)

PEER: web.RequestKey[Peer] = web.RequestKey("peer", Peer)


def problem_response(problem: Problem, status: int) -> web.Response:
    """A refusal as an answer."""
    return web.Response(body=msgspec.json.encode(problem), status=status, content_type="application/json")


def must_upgrade(request: web.Request) -> None:
    """Make sure that the client speaks WebSocket.

    Raises:
        AgentError: ``bad_request``.
    """
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise AgentError("bad_request", f"{request.path} is a WebSocket")


def door(allowed: AllowList) -> Middleware:
    """A middleware that lets in whom the list allows, and turns errors into :class:`Problem` bodies."""

    @web.middleware
    async def let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            request[PEER] = _check(request, allowed)
            return await handler(request)
        except AgentError as error:
            return problem_response(error.problem(), error.http_status)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            code = {404: "not_found", 405: "not_found", 413: "bad_request"}.get(error.status, "bad_request")
            message = f"{request.method} {request.path[:200]}: {error.reason}"
            return problem_response(Problem(code=code, message=message), error.status)
        except (ConnectionError, TimeoutError):
            raise  # the client went away: there is nobody to tell

    return let_in


def _check(request: web.Request, allowed: AllowList) -> Peer:
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("the client went away")
    try:
        peer = peer_of(transport.get_extra_info("socket"))
    except OSError as error:
        raise AgentError("forbidden", "the kernel does not say who you are") from error
    if not allowed.allows(peer):
        _log.warning("refused uid %d (pid %d): it is not on the list", peer.uid, peer.pid)
        raise AgentError(
            "forbidden",
            f"this agent does not serve user {peer.uid}",
            hint=f"start the agent with --allow-uid {peer.uid}, or connect as its own user or root",
        )
    return peer
