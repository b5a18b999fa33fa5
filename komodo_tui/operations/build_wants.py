"""What is to follow a build, as its definition says: ship, push, redeploy, in this order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.builds import pushed_name
from komodo_tui.domain.resources import ResourceOperation, ResourceTarget
from komodo_tui.domain.servers import named_servers
from komodo_tui.operations.ship_plans import prepare_ship

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from komodo_tui.domain.builds import BuildDefinition
    from komodo_tui.domain.operations import Operation
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.build_history import BuildRun
    from komodo_tui.operations.deployment_definitions import Deployables
    from komodo_tui.operations.stack_prepare import StackPreparer

    Prepare = Callable[[], Awaitable[Operation]]


class Wanted(NamedTuple):
    """One thing."""

    what: str
    """In a few words; it is known by them again."""
    prepare: Prepare
    """Asks the servers what it would do now. Raises KomodoError."""


class BuildWants:
    """Reads definitions."""

    def __init__(
        self,
        fleet: FleetManager,
        preparer: StackPreparer,
        deployables: Deployables,
        known: Callable[[], Mapping[str, ServerDefinition]],
    ) -> None:
        """``known`` reads the servers' definitions."""
        self._fleet = fleet
        self._preparer = preparer
        self._deployables = deployables
        self._known = known

    def places(self, build: BuildDefinition) -> tuple[str, ...]:
        """The servers that are needed then. Blocks. Raises UsageError, NotFoundError."""
        return tuple(dict.fromkeys((*self._shipped_to(build), *self._deployed_on(build))))

    def wanted(self, build: BuildDefinition, run: BuildRun) -> list[Wanted]:
        """All of it. Blocks. Raises UsageError, NotFoundError."""
        return list(self._wanted(build, run, self._shipped_to(build)))

    def _wanted(self, build: BuildDefinition, run: BuildRun, shipped: Sequence[str]) -> Iterator[Wanted]:
        servers = [server for server in shipped if server != run.server]
        if servers:
            yield Wanted(
                f"ship to {', '.join(servers)}",
                lambda: prepare_ship(self._fleet, run.image, servers, run.server, tags=run.references),
            )
        if build.registries:
            domains = ", ".join(registry.domain for registry in build.registries)
            yield Wanted(f"push to {domains}", lambda: _push(build, run))
        for name in build.redeploy_on_build:
            yield Wanted(f"redeploy {name}", lambda name=name: self._redeploy(name))  # type: ignore[misc]

    def _shipped_to(self, build: BuildDefinition) -> tuple[str, ...]:
        """Those that are named; and where the image is in no registry, those that are to run it."""
        named = named_servers(f"build {build.name}: ship", build.ship, self._known())
        return named if build.registries else tuple(dict.fromkeys((*named, *self._deployed_on(build))))

    def _deployed_on(self, build: BuildDefinition) -> Iterator[str]:
        for name in build.redeploy_on_build:
            yield from self._preparer.places(self._deployables.find(name))

    async def _redeploy(self, name: str) -> Operation:
        return await self._preparer.deploy(await asyncio.to_thread(self._deployables.find, name))


async def _push(build: BuildDefinition, run: BuildRun) -> Operation:
    tags = [reference.rpartition(":")[2] for reference in run.references]
    names = [pushed_name(build, registry) for registry in build.registries]
    target = ResourceTarget(kind="image", server=run.server, id=run.image, name=run.references[0] if tags else "")
    return ResourceOperation(
        verb="push", targets=(target,), references=tuple(f"{name}:{tag}" for name in names for tag in tags)
    )
