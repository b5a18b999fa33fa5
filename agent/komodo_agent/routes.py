"""The closed list of what the agent does for clients. There is no way through it to the engine's own API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from .access import PEER, must_upgrade
from .answers import as_json, number
from .compose import projects
from .compose import work as compose
from .engine import lists
from .engine.exec import serve_exec
from .past_routes import PastRoutes
from .problems import AgentError
from .repo_routes import RepoRoutes
from .resource_routes import ResourceRoutes
from .ship_routes import ShipRoutes
from .stack_routes import add_stack_routes
from .terminal_routes import TerminalRoutes
from .update_routes import UpdateRoutes
from .wire import protocol
from .wire.compose import PreviewRequest
from .wire.jobs import JobRequest
from .wire.models import ContainerDetail

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .server import Agent
    from .wire.models import Container

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LONGEST_WINDOW = 7 * 86400.0

_decode_preview = msgspec.json.Decoder(PreviewRequest).decode
_decode_job = msgspec.json.Decoder(JobRequest).decode


class Routes:
    """The handlers, bound to one agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def add_to(self, app: web.Application) -> None:
        """Register every route of the protocol."""
        get: dict[str, Handler] = {
            protocol.ROUTE_HELLO: self.hello,
            protocol.ROUTE_HEALTH: self.health,
            protocol.ROUTE_FEED: self.feed,
            protocol.ROUTE_CONTAINERS: self.containers,
            protocol.ROUTE_CONTAINER: self.container,
            protocol.ROUTE_CONTAINER_TOP: self.container_top,
            protocol.ROUTE_CONTAINER_HISTORY: self.container_history,
            protocol.ROUTE_HOST_HISTORY: self.host_history,
            protocol.ROUTE_IMAGES: self.images,
            protocol.ROUTE_NETWORKS: self.networks,
            protocol.ROUTE_JOB: self.job,
            protocol.ROUTE_JOB_LOG: self.job_log,
            protocol.ROUTE_COMPOSE_PROJECTS: self.compose_projects,
            protocol.ROUTE_COMPOSE_PROJECT: self.compose_project,
            protocol.ROUTE_COMPOSE_REVISION: self.compose_revision,
            protocol.ROUTE_LOGS: self.logs,
            protocol.ROUTE_EXEC: self.exec,
        }
        for path, handler in get.items():
            app.router.add_get(path, handler, allow_head=False)
        ResourceRoutes(self._agent).add_to(app)
        RepoRoutes(self._agent).add_to(app)
        ShipRoutes(self._agent).add_to(app)
        TerminalRoutes(self._agent).add_to(app)
        UpdateRoutes(self._agent).add_to(app)
        add_stack_routes(app)
        PastRoutes(self._agent.past).add_to(app)
        app.router.add_post(protocol.ROUTE_JOBS, self.submit_job)
        app.router.add_post(protocol.ROUTE_COMPOSE_PREVIEW, self.compose_preview)
        app.router.add_delete(protocol.ROUTE_JOB, self.cancel_job)

    async def hello(self, request: web.Request) -> web.Response:
        """GET /hello"""
        return as_json(msgspec.structs.replace(self._agent.hello, caller_uid=request[PEER].uid))

    async def health(self, request: web.Request) -> web.Response:
        """GET /v1/health"""
        return web.Response(status=204)

    async def feed(self, request: web.Request) -> web.WebSocketResponse:
        """GET /v1/feed, a WebSocket"""
        must_upgrade(request)
        await self._agent.settled()
        return await self._agent.hub.serve(request)

    async def containers(self, request: web.Request) -> web.Response:
        """GET /v1/containers"""
        await self._agent.settled()
        return as_json(tuple(self._agent.engine.containers.values()))

    async def container(self, request: web.Request) -> web.Response:
        """GET /v1/containers/{id}"""
        container = await self._container(request)
        inspect = await self._agent.engine.inspect(container.id)
        return as_json(ContainerDetail(container=container, inspect=inspect))

    async def container_top(self, request: web.Request) -> web.Response:
        """GET /v1/containers/{id}/top"""
        return as_json(await lists.processes(self._agent.engine, await self._container(request)))

    async def container_history(self, request: web.Request) -> web.Response:
        """GET /v1/containers/{id}/history?window=seconds"""
        container = await self._container(request)
        return as_json(
            self._agent.sampler.container_history(container.id, number(request.query, "window", 600.0, _LONGEST_WINDOW))
        )

    async def host_history(self, request: web.Request) -> web.Response:
        """GET /v1/history?window=seconds"""
        return as_json(self._agent.sampler.host_history(number(request.query, "window", 600.0, _LONGEST_WINDOW)))

    async def images(self, request: web.Request) -> web.Response:
        """GET /v1/images"""
        await self._agent.settled()
        return as_json(await lists.images(self._agent.engine))

    async def networks(self, request: web.Request) -> web.Response:
        """GET /v1/networks"""
        await self._agent.settled()
        return as_json(await lists.networks(self._agent.engine))

    async def submit_job(self, request: web.Request) -> web.Response:
        """POST /v1/jobs"""
        try:
            wanted = _decode_job(await request.read())
        except msgspec.DecodeError as error:
            raise AgentError("bad_request", f"this is no job: {error}") from error
        job, new = await self._agent.submit(wanted, request[PEER].uid)
        return as_json(job, status=202 if new else 200)

    async def job(self, request: web.Request) -> web.Response:
        """GET /v1/jobs/{id}"""
        return as_json(self._agent.jobs.get(request.match_info["id"]))

    async def cancel_job(self, request: web.Request) -> web.Response:
        """DELETE /v1/jobs/{id}"""
        self._agent.jobs.cancel(request.match_info["id"])
        return web.Response(status=204)

    async def job_log(self, request: web.Request) -> web.Response:
        """GET /v1/jobs/{id}/log?offset=bytes&wait=seconds"""
        offset = int(number(request.query, "offset", 0.0, 1 << 40))
        data, job, size = await self._agent.jobs.read_log(
            request.match_info["id"], offset, number(request.query, "wait", 0.0, 60.0)
        )
        headers = {"X-Job-Status": job.status, "X-Job-Log-Size": str(size)}
        return web.Response(body=data, headers=headers, content_type="application/octet-stream")

    async def compose_projects(self, request: web.Request) -> web.Response:
        """GET /v1/compose/projects"""
        await self._agent.settled()
        return as_json(await projects.projects(self._agent.compose))

    async def compose_project(self, request: web.Request) -> web.Response:
        """GET /v1/compose/projects/{id}"""
        await self._agent.settled()
        return as_json(await projects.project(self._agent.compose, request.match_info["id"]))

    async def compose_revision(self, request: web.Request) -> web.Response:
        """GET /v1/compose/projects/{id}/revisions/{number}"""
        kept = self._agent.compose.kept(request.match_info["id"])
        number = request.match_info["number"]
        return as_json(kept.revision(int(number) if number.isdigit() and len(number) < 10 else 0))

    async def compose_preview(self, request: web.Request) -> web.Response:
        """POST /v1/compose/preview"""
        try:
            wanted = _decode_preview(await request.read())
        except msgspec.DecodeError as error:
            raise AgentError("bad_request", f"this is no source of a stack: {error}") from error
        await self._agent.settled()
        return as_json(await compose.preview(self._agent.compose, wanted))

    async def logs(self, request: web.Request) -> web.WebSocketResponse:
        """GET /v1/logs, a WebSocket"""
        from .engine.log_socket import serve_logs

        async with self._agent.stream(request) as socket:
            await serve_logs(socket, request, self._agent.engine)
        return socket

    async def exec(self, request: web.Request) -> web.WebSocketResponse:
        """GET /v1/exec, a WebSocket"""
        async with self._agent.stream(request) as socket:
            await serve_exec(socket, self._agent.engine)
        return socket

    async def _container(self, request: web.Request) -> Container:
        await self._agent.settled()
        return await self._agent.engine.find(request.match_info["id"])
