"""A fleet whose agents say, always the same, what deploys would do. Stores, planner and preparer are the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from komodo_agent.wire.compose import (
    ComposePreview,
    ComposeProject,
    Revision,
    RevisionSummary,
    RunningService,
    StackFile,
)
from komodo_agent.wire.compose_changes import FileChange, KeyChange, Published, ServiceChange
from komodo_tui.domain.errors import NotFoundError
from komodo_tui.domain.stacks import StackDefinition
from komodo_tui.domain.values import VariableDefinition
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.deployment_definitions import Deployables, DeploymentDefinitions
from komodo_tui.operations.planner import Planner
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.operations.stack_definitions import StackDefinitions
from komodo_tui.operations.stack_prepare import StackPreparer
from komodo_tui.operations.stack_sources import StackSources
from komodo_tui.operations.values import StoredValues
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.secrets import SecretStore
from komodo_tui.ui.app import KomodoApp
from tests.ui.fleets import NOW, StillClient, StillExecutor, StillLink, furnish
from tests.ui.still import still_runtime

if TYPE_CHECKING:
    from pathlib import Path

    from komodo_agent.wire.compose import PreviewRequest
    from komodo_tui.domain.operations import Operation, Plan
    from komodo_tui.domain.settings import Settings
    from komodo_tui.fleet.live import FleetState

OLD = "services:\n  api:\n    image: shop/api:1.8\n"
NEW = "services:\n  api:\n    image: shop/api:1.9\n    labels: ['[bold]x[/]']\n"
SHOP = StackDefinition(
    name="shop", servers=("web-01", "db-01"), description="sells [red]things[/]", compose=NEW,
    environment={"HTTP_PORT": "8080", "DB_PASSWORD": "hunter2", "TAG": "[[TAG]]"},
)  # fmt: skip
STACKS = (
    SHOP,
    StackDefinition(name="edge", servers=("edge-03",), folder="/srv/edge", description="away"),
    StackDefinition(name="lost", servers=("moon",), folder="/srv/lost"),
)


def revision(number: int, **fields: Any) -> RevisionSummary:
    """A good one, as many hours before the seventh as it is below it."""
    started = NOW - 3600.0 * (8 - number)
    plain: dict[str, Any] = {"outcome": "success", "actor": "ana", "finished": started + 12, "digest": f"d{number}"}
    return RevisionSummary(number=number, stack="shop", started=started, **{**plain, **fields})


REVISIONS = (
    revision(7, outcome="rolled_back", step="health", error="api is [red]unhealthy[/]"),
    revision(6, images={"api": f"sha256:{9:064x}"}),
    revision(5, images={"api": f"sha256:{8:064x}"}),
)
SERVICES = (
    RunningService(service="api", image="shop/api:1.9", containers=("api-1",), state="running"),
    RunningService(service="worker", image="shop/wrk:1.9", containers=("worker-2",), state="running",
                   drift="its configuration is another one"),
)  # fmt: skip
PROJECTS = {
    "web-01": {
        "shop": ComposeProject(name="shop", services=SERVICES, managed=True, stack="shop", volumes=("shop_data",),
                               revisions=REVISIONS, fingerprint="f1"),
        "gone": ComposeProject(name="gone", managed=True, revisions=(revision(1),)),
    },
    "db-01": {
        "cache": ComposeProject(
            name="cache", working_dir="/srv/cache", config_files=("/srv/cache/compose.yaml",), fingerprint="f2",
            services=(RunningService(service="redis", image="redis:7", containers=("redis",), state="running"),),
        ),
    },
    "edge-03": {},
}  # fmt: skip
PREVIEW = ComposePreview(
    project="shop", fingerprint="p1", command="docker compose -p shop up -d", compose="docker compose 2.26.1",
    folder="/x",
    services=(
        ServiceChange(service="api", verb="recreate", image="shop/api:1.9", why="its configuration changed"),
        ServiceChange(service="db", verb="create", image="postgres:16", present=False),
        ServiceChange(service="worker", verb="keep", image="shop/wrk:1.9"),
    ),
    environment=(KeyChange(key="DB_PASSWORD", change="changed"),),
    files=(FileChange(path="compose.yaml", change="changed", before=OLD, after=NEW),),
    ports=(Published(service="api", port=8080),), new_volumes=("shop_db",), kept_volumes=("shop_data",),
    last_good=REVISIONS[1], current=REVISIONS[0],
)  # fmt: skip


class StackClient(StillClient):
    """An agent that is asked about stacks."""

    def __init__(self, state: FleetState, server: str) -> None:
        super().__init__(state, server)
        self.server = server
        self.preview = PREVIEW
        self.asked: list[PreviewRequest] = []

    async def compose_projects(self) -> list[ComposeProject]:
        """Those there are; as agents do, without their volumes."""
        return [msgspec.structs.replace(project, volumes=()) for project in PROJECTS[self.server].values()]

    async def compose_project(self, name: str) -> ComposeProject:
        """One of them."""
        found = PROJECTS[self.server].get(name)
        if found is None:
            raise NotFoundError(f"there is no project {name}")
        return found

    async def compose_preview(self, request: PreviewRequest) -> ComposePreview:
        """Always the same."""
        self.asked.append(request)
        return self.preview

    async def compose_revision(self, name: str, number: int) -> Revision:
        """The older one has the older file."""
        summary = next(r for r in PROJECTS[self.server][name].revisions if r.number == number)
        content = OLD if number == 5 else NEW
        return Revision(
            summary=summary, files=(StackFile(path="compose.yaml", content=content),), compose_files=("compose.yaml",),
            templates={"HTTP_PORT": "8080", "DB_PASSWORD": "hunter2"}, references={"api": "shop/api"},
            prints={"HTTP_PORT": "a", "DB_PASSWORD": str(number)},
        )  # fmt: skip


class StackLink(StillLink):
    """A link to one."""

    def __init__(self, state: FleetState, name: str) -> None:
        super().__init__(state, name)
        self.agent = StackClient(state, name)

    async def client(self, timeout: float = 0.0) -> StackClient:
        """At once."""
        return self.agent


class StackExecutor(StillExecutor):
    """One that knows the stacks."""

    stacks: StackDefinitions
    deployments: DeploymentDefinitions

    def plan(self, operation: Operation) -> Plan:
        """A real plan."""
        return Planner(
            self.state, dict, self.settings, stacks=self.stacks.known, deployments=self.deployments.known
        ).plan(operation)


class Servers:
    """Their definitions."""

    def __init__(self, state: FleetState) -> None:
        self._state = state

    def fleet(self) -> list[Any]:
        """All."""
        return [live.definition for live in self._state.servers.values()]


def make_app(
    folder: Path, tab: str, settings: Settings | None = None
) -> tuple[KomodoApp, StackExecutor, dict[str, StackLink]]:
    """The app on a tab, its executor, and the links to its agents."""
    runtime = still_runtime(folder, settings)
    furnish(runtime)
    state = runtime.fleet.state
    links = {name: StackLink(state, name) for name in state.servers}
    runtime.fleet.link = links.__getitem__
    definitions = DefinitionStore(folder / "definitions.json")
    for stack in STACKS:
        definitions.put("stack", stack.name, stack, None)
    definitions.put("variable", "TAG", VariableDefinition(name="TAG", value="1.9"), None)
    runtime.stacks = StackDefinitions(definitions)
    runtime.deployments = DeploymentDefinitions(definitions)
    runtime.deployables = Deployables(runtime.stacks, runtime.deployments, BuildDefinitions(definitions))
    runtime.values = StoredValues(definitions, SecretStore(runtime.state_dir.secrets, runtime.state_dir.identity))
    sources = StackSources(runtime.values, RepoDefinitions(definitions))
    runtime.preparer = StackPreparer(runtime.fleet, Servers(state), sources)  # type: ignore[arg-type]
    executor = StackExecutor(state, runtime.settings)
    executor.stacks = runtime.stacks
    executor.deployments = runtime.deployments
    runtime.executor = executor
    return KomodoApp(runtime, tab=tab, now=lambda: NOW), executor, links
