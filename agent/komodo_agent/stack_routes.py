"""The routes of files that stacks have on the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .access import PEER
from .answers import as_json
from .compose.edit import check_rights, listed, text_of
from .wire.compose_files import ROUTE_STACK_FILE, ROUTE_STACK_FOLDER

if TYPE_CHECKING:
    from aiohttp import web


def add_stack_routes(app: web.Application) -> None:
    """Register them."""
    app.router.add_get(ROUTE_STACK_FOLDER, _folder, allow_head=False)
    app.router.add_get(ROUTE_STACK_FILE, _file, allow_head=False)


async def _folder(request: web.Request) -> web.Response:
    """GET /v1/compose/folder"""
    check_rights(request[PEER].uid)
    return as_json(await asyncio.to_thread(listed, request.query.get("folder", ""), request.query.get("path", "")))


async def _file(request: web.Request) -> web.Response:
    """GET /v1/compose/file"""
    check_rights(request[PEER].uid)
    return as_json(await asyncio.to_thread(text_of, request.query.get("folder", ""), request.query.get("path", "")))
