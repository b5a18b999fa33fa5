"""Engines that do not exist: one process answers the Docker API on many sockets, for figures no machine could run.

Only what the agent asks for lists, inspects, events and stats is answered. Everything above the engine's socket
(agent, SSH, client) stays real.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import time
from pathlib import Path
from typing import Any

from aiohttp import web

API = "1.41"
_STATES = ("running",) * 17 + ("exited", "exited", "paused")


class SimulatedEngine:
    """An engine with ``count`` containers of stacks of five."""

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.created = int(time.time()) - 86400
        self.containers = {c["Id"]: c for c in (self._container(n) for n in range(count))}
        self.listeners: set[asyncio.Queue[bytes]] = set()

    def _container(self, n: int) -> dict[str, Any]:
        state = _STATES[n % len(_STATES)]
        stack = f"{self.name}-stack{n // 5}"
        labels = {"com.docker.compose.project": stack, "com.docker.compose.service": f"svc{n % 5}", "tier": f"t{n % 3}"}
        return {
            "Id": hashlib.sha256(f"{self.name}/{n}".encode()).hexdigest(),
            "Name": f"{stack}-svc{n % 5}-1", "Image": f"registry.example/app{n % 40}:{n % 7}", "State": state,
            "Labels": labels, "Restarts": 0, "Started": self.created + n,
        }  # fmt: skip

    def listed(self, c: dict[str, Any]) -> dict[str, Any]:
        """The container as ``/containers/json`` gives it."""
        return {
            "Id": c["Id"], "Names": ["/" + c["Name"]], "Image": c["Image"], "ImageID": "sha256:" + "0" * 64,
            "Command": "serve", "Created": self.created, "State": c["State"], "Status": "Up 1 day",
            "Ports": [{"PrivatePort": 80, "Type": "tcp"}], "Labels": c["Labels"], "Mounts": [],
            "HostConfig": {"NetworkMode": "default"}, "NetworkSettings": {"Networks": {"bridge": {}}},
        }  # fmt: skip

    def inspected(self, c: dict[str, Any]) -> dict[str, Any]:
        """The container as ``/containers/ID/json`` gives it."""
        running = c["State"] in ("running", "paused")
        started = time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime(c["Started"]))
        return {
            "Id": c["Id"], "Name": "/" + c["Name"], "Created": started, "Path": "serve", "Args": [],
            "Image": "sha256:" + "0" * 64, "RestartCount": c["Restarts"], "LogPath": "",
            "State": {"Status": c["State"], "Running": running, "Paused": c["State"] == "paused", "Pid": 0,
                      "ExitCode": 0, "StartedAt": started, "FinishedAt": "0001-01-01T00:00:00Z", "OOMKilled": False},
            "Config": {"Image": c["Image"], "Labels": c["Labels"], "Tty": False, "Cmd": ["serve"], "Env": []},
            "HostConfig": {"RestartPolicy": {"Name": "no"}, "LogConfig": {"Type": "json-file"}},
            "NetworkSettings": {"Ports": {"80/tcp": None}, "Networks": {"bridge": {}}}, "Mounts": [],
        }  # fmt: skip

    def stats(self) -> dict[str, Any]:
        """One sample that differs each time it is asked for."""
        now = time.time_ns()
        return {
            "cpu_stats": {"cpu_usage": {"total_usage": now // random.randint(3, 9)}, "system_cpu_usage": now,
                          "online_cpus": 8},
            "precpu_stats": {}, "memory_stats": {"usage": random.randint(1 << 24, 1 << 30), "limit": 1 << 33,
                                                 "stats": {}},
            "pids_stats": {"current": random.randint(1, 40)},
            "networks": {"eth0": {"rx_bytes": now // 1000, "tx_bytes": now // 2000}},
            "blkio_stats": {"io_service_bytes_recursive": []},
        }  # fmt: skip

    def application(self) -> web.Application:
        """The engine's HTTP API."""
        app = web.Application()
        for prefix in ("", "/v{version}"):
            app.router.add_get(prefix + "/_ping", self._ping)
            app.router.add_get(prefix + "/version", self._version)
            app.router.add_get(prefix + "/info", self._info)
            app.router.add_get(prefix + "/containers/json", self._list)
            app.router.add_get(prefix + "/containers/{id}/json", self._inspect)
            app.router.add_get(prefix + "/containers/{id}/stats", self._stats)
            app.router.add_get(prefix + "/events", self._events)
        return app

    async def _ping(self, _: web.Request) -> web.Response:
        return web.Response(text="OK", headers={"Api-Version": API})

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"Version": "20.10.24", "ApiVersion": API, "Components": [{"Name": "Engine"}]})

    async def _info(self, _: web.Request) -> web.Response:
        return web.json_response({"ID": self.name, "Name": self.name, "CgroupDriver": "cgroupfs", "CgroupVersion": "1"})

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response([self.listed(c) for c in self.containers.values()])

    async def _inspect(self, request: web.Request) -> web.Response:
        found = self.containers.get(request.match_info["id"])
        if found is None:
            return web.json_response({"message": "No such container"}, status=404)
        return web.json_response(self.inspected(found))

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response(self.stats())

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        queue: asyncio.Queue[bytes] = asyncio.Queue(1000)
        self.listeners.add(queue)
        try:
            while True:
                await response.write(await queue.get())
        finally:
            self.listeners.discard(queue)

    def restart_one(self) -> None:
        """Let a random container die and start again, as events tell it."""
        c = random.choice(list(self.containers.values()))
        c["Restarts"] += 1
        c["Started"] = int(time.time())
        for action in ("die", "start"):
            event = {"Type": "container", "Action": action, "status": action, "id": c["Id"],
                     "Actor": {"ID": c["Id"], "Attributes": {"name": c["Name"]}},
                     "time": int(time.time()), "timeNano": time.time_ns()}  # fmt: skip
            for queue in self.listeners:
                if not queue.full():
                    queue.put_nowait(json.dumps(event).encode() + b"\n")


async def serve(folder: Path, engines: int, containers: int) -> None:
    """Answer on ``folder/simN.sock`` for every engine, until cancelled."""
    folder.mkdir(parents=True, exist_ok=True)
    runners = []
    for n in range(engines):
        runner = web.AppRunner(SimulatedEngine(f"sim{n}", containers).application(), access_log=None)
        await runner.setup()
        await web.UnixSite(runner, str(folder / f"sim{n}.sock")).start()
        runners.append(runner)
    print("ready", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        for runner in runners:
            await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engines", type=int, default=20)
    parser.add_argument("--containers", type=int, default=1000)
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.folder, chosen.engines, chosen.containers))
