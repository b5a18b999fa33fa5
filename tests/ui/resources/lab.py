"""A fleet whose agents say, always the same, what they have of images, volumes and networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from komodo_agent.wire.resources import DiskUsage, Resource, ResourceDetail, UsedSpace
from komodo_agent.wire.volumes import VolumeFile, VolumeFolder
from komodo_tui.domain.errors import RefusedError
from komodo_tui.ui.app import KomodoApp
from tests.ui.fleets import MIB, NOW, StillClient, StillExecutor, StillLink, furnish
from tests.ui.still import still_runtime

if TYPE_CHECKING:
    from pathlib import Path

    from komodo_tui.domain.settings import Settings
    from komodo_tui.fleet.live import FleetState

DAY = 86400.0


def image(number: int, *tags: str, **fields: Any) -> Resource:
    """An image, as many days old as its number."""
    plain: dict[str, Any] = {"size": number * 10 * MIB, "created": NOW - number * DAY}
    name = tags[0] if tags else ""
    return Resource(kind="image", id=f"sha256:{number:064x}", name=name, tags=tags, **{**plain, **fields})


def volume(name: str, **fields: Any) -> Resource:
    """A local volume."""
    plain: dict[str, Any] = {"driver": "local", "created": NOW - DAY, "detail": f"/var/lib/docker/volumes/{name}/_data"}
    return Resource(kind="volume", id=name, name=name, **{**plain, **fields})


def network(number: int, name: str, **fields: Any) -> Resource:
    """A bridge."""
    plain: dict[str, Any] = {"driver": "bridge", "created": NOW - DAY, "detail": f"172.{number}.0.0/16"}
    return Resource(kind="network", id=f"{number:064x}", name=name, **{**plain, **fields})


RESOURCES = {
    "web-01": [
        image(1, "shop/api:1.9", "shop/api:latest", used_by=("api-1", "migrate")),
        image(2, "shop/api:1.8"),
        image(3),
        image(4, "tools:1", labels={"team": "db"}),
        volume("data", used_by=("api-1",)),
        volume("[bold]old[/]"),
        network(17, "bridge", fixed=True),
        network(18, "shop_default", used_by=("api-1",)),
        network(19, "left"),
    ],
    "db-01": [image(5, "postgres:16", used_by=("pg",)), image(6), volume("pg", used_by=("pg",))],
    "edge-03": [],
}
USAGE = DiskUsage(
    images=90 * MIB,
    containers=2 * MIB,
    volumes=7 * MIB,
    build_cache=0,
    items=(
        UsedSpace(kind="image", id=f"sha256:{2:064x}", size=20 * MIB, freed=15 * MIB),
        UsedSpace(kind="image", id=f"sha256:{3:064x}", size=30 * MIB, freed=30 * MIB),
        UsedSpace(kind="volume", id="data", size=7 * MIB, freed=7 * MIB),
    ),
)


def file(name: str, path: str, **fields: Any) -> VolumeFile:
    """An entry of a volume."""
    return VolumeFile(**{"name": name, "path": path.encode().hex(), "kind": "file", "size": 1234, "mode": 0o640,
                         "uid": 999, "gid": 999, "changed": NOW - DAY, **fields})  # fmt: skip


FOLDERS = {
    "": VolumeFolder(path="", shown="/", files=(
        file("sub", "sub", kind="folder", mode=0o755), file("[red]conf[/]", "[red]conf[/]"),
        file("out", "out", kind="link", link="/etc"),
    )),
    b"sub".hex(): VolumeFolder(path=b"sub".hex(), shown="/sub", files=(file("deep", "sub/deep"),)),
}  # fmt: skip


class ResourceClient(StillClient):
    """An agent that is asked about resources."""

    def __init__(self, state: FleetState, server: str) -> None:
        super().__init__(state, server)
        self.server = server
        self.asked: list[str] = []
        self.resources_now = list(RESOURCES[server])

    async def resources(self) -> list[Resource]:
        """What it has."""
        self.asked.append("resources")
        return list(self.resources_now)

    async def resource(self, kind: str, resource_id: str) -> ResourceDetail:
        """A document with a secret in it."""
        return ResourceDetail(inspect={"Id": resource_id, "Config": {"Env": ["DB_PASSWORD=hunter2"]}})

    async def disk_usage(self) -> DiskUsage:
        """The same everywhere."""
        self.asked.append("disk_usage")
        return USAGE

    async def volume_folder(self, name: str, path: str = "") -> VolumeFolder:
        """A folder; db-01 has an agent that may not look."""
        if self.server == "db-01":
            raise RefusedError("the agent runs as uid 1000 and cannot look into /x", hint="run the agent as root")
        return FOLDERS[path]


class ResourceLink(StillLink):
    """A link to one."""

    def __init__(self, state: FleetState, name: str) -> None:
        super().__init__(state, name)
        self.agent = ResourceClient(state, name)

    async def client(self, timeout: float = 0.0) -> ResourceClient:
        """At once."""
        return self.agent


def make_app(
    folder: Path, settings: Settings | None = None
) -> tuple[KomodoApp, StillExecutor, dict[str, ResourceLink]]:
    """The app on the Resources tab, its executor, and the links to its agents."""
    runtime = still_runtime(folder, settings)
    executor = furnish(runtime)
    links = {name: ResourceLink(runtime.fleet.state, name) for name in runtime.fleet.state.servers}
    runtime.fleet.link = links.__getitem__
    return KomodoApp(runtime, tab="resources", now=lambda: NOW), executor, links
