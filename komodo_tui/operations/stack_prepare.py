"""Makes operations on stacks: looks values up, asks the agents what would happen, and puts the answers in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.compose import (
    ComposeAct,
    ComposeAdopt,
    ComposeDeploy,
    ComposeRollback,
    ComposeSource,
    PreviewRequest,
)
from komodo_agent.wire.compose_values import PREFIX, name_of
from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.stack_print import definition_print
from komodo_tui.domain.stacks import StackDefinition, StackOperation, StackTarget, check_stack, servers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_agent.wire.compose import (
        ComposePreview,
        ComposeProject,
        ComposeVerb,
        PullPolicy,
        Revision,
        RevisionSummary,
    )
    from komodo_tui.domain.stacks import StackVerb
    from komodo_tui.fleet.client import AgentClient
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.definitions import ServerDefinitions
    from komodo_tui.operations.stack_sources import StackSources

_ACTS: dict[str, ComposeVerb] = {
    "start": "start", "stop": "stop", "restart": "restart", "pause": "pause", "unpause": "unpause", "pull": "pull",
    "destroy": "down",
}  # fmt: skip


class StackPreparer:
    """Asks every server at once; one that cannot answer fails the whole, before anything is changed."""

    def __init__(self, fleet: FleetManager, servers: ServerDefinitions, sources: StackSources) -> None:
        self._fleet = fleet
        self._servers = servers
        self._sources = sources

    def places(self, stack: StackDefinition, only: Sequence[str] = ()) -> tuple[str, ...]:
        """The servers of a stack, or those of them that are named.

        Raises:
            UsageError: it runs on none, or not on one of those named.
        """
        known = {server.name: server for server in self._servers.fleet()}
        places = servers_of(stack, known)
        for name in only:
            if name not in places:
                raise UsageError(f"stack {stack.name} does not run on {name}", hint=f"it runs on {', '.join(places)}")
        return tuple(place for place in places if not only or place in only)

    async def deploy(
        self,
        stack: StackDefinition,
        only: Sequence[str] = (),
        *,
        pull: PullPolicy | None = None,
        refresh: Sequence[str] = (),
    ) -> StackOperation:
        """A deploy of this definition, saved or not. ``refresh``: services whose images are pulled in any case.

        Raises:
            UsageError: the definition is wrong, a value it wants is not set, or it has no such service.
            KomodoError: an agent refused it or cannot be asked.
        """
        await _check(stack)
        targets = await asyncio.gather(
            *(self._deploy_to(stack, server, pull or stack.pull) for server in self.places(stack, only))
        )
        if refresh:
            targets = [_refreshing(target, refresh) for target in targets]
        return StackOperation(verb="deploy", stack=stack.name, targets=tuple(targets))

    async def unplanned(self, stack: StackDefinition, server: str) -> StackOperation | None:
        """A deploy whose job makes its plan itself, on one server; None = it has to be planned.

        Nothing is asked of compose or of git here. What the job may need is taken from the last good revision there:
        where that is not enough, it says so and has done nothing.

        Raises:
            UsageError: the definition is wrong. KomodoError: the agent cannot be asked.
        """
        await _check(stack)
        client = await self._client(server)
        try:
            revisions = (await client.compose_project(stack.project_name)).revisions
            good = next(revision for revision in revisions if revision.outcome == "success")
            before = await client.compose_revision(stack.project_name, good.number)
        except (NotFoundError, StopIteration):
            return None
        try:
            spec = await asyncio.to_thread(self._unplanned_spec, stack, server, before)
        except UsageError:
            return None  # a value is not set: perhaps one that is not wanted any more
        return StackOperation(
            verb="deploy", stack=stack.name,
            targets=(StackTarget(server=server, project=spec.source.project, spec=spec),),
        )  # fmt: skip

    def _unplanned_spec(self, stack: StackDefinition, server: str, before: Revision) -> ComposeDeploy:
        wanted = [name_of(variable) for variable in before.templates if variable.startswith(PREFIX)]
        source = self._sources.source(stack, server, wanted)
        if source.git is not None:  # its token is put in last
            git = msgspec.structs.replace(source.git, repo=source.git.repo.bare)
            source = msgspec.structs.replace(source, git=git)
        words = self._sources.words(stack, server)
        number = before.summary.number
        fallback = self._sources.values_of(before.templates, stack.name, server, f"revision {number}")
        return ComposeDeploy(
            source=source, unplanned=True, pull=stack.pull, build=stack.build, extra_args=words.extra_args,
            pre_deploy=words.pre_deploy, post_deploy=words.post_deploy, health=stack.health,
            fallback=fallback.values, fallback_secret_keys=fallback.secret_keys, fallback_of=number,
            keep=stack.revisions, images=tuple(dict.fromkeys(before.references.values())),
            definition=definition_print(stack, server),
        )  # fmt: skip

    async def preview(self, stack: StackDefinition, server: str) -> ComposePreview:
        """What a deploy would do on one server; raises as :meth:`deploy` does."""
        await _check(stack)
        _, preview = await self._asked(stack, server)
        return preview

    async def rollback(self, stack: StackDefinition, only: Sequence[str] = (), revision: int = 0) -> StackOperation:
        """A return to a revision; 0 = the last good one before the one that is deployed.

        Raises:
            NotFoundError: there is none. UsageError: a value it wants is not set any more.
        """
        targets = await asyncio.gather(
            *(self._rollback_on(stack, server, revision) for server in self.places(stack, only))
        )
        return StackOperation(verb="rollback", stack=stack.name, targets=tuple(targets))

    async def act(
        self,
        verb: StackVerb,
        stack: str,
        project: str,
        servers: Sequence[str],
        *,
        services: tuple[str, ...] = (),
        volumes: bool = False,
    ) -> StackOperation:
        """Start, stop, restart, pause, unpause, pull or destroy what is there of a project, whoever made it.

        Raises:
            NotFoundError: there is nothing of it on one of the servers.
        """

        async def one(server: str) -> StackTarget:
            found = await (await self._client(server)).compose_project(project)
            if not found.fingerprint or found.found:
                raise NotFoundError(f"nothing of {project} is there", server=server)
            spec = ComposeAct(
                project=project, verb=_ACTS[verb], services=services, volumes=volumes, fingerprint=found.fingerprint,
                images=_images(found, services) if verb == "pull" else (),
            )  # fmt: skip
            return StackTarget(server=server, project=project, spec=spec, found=found)

        targets = await asyncio.gather(*(one(server) for server in dict.fromkeys(servers)))
        return StackOperation(verb=verb, stack=stack, targets=tuple(targets))

    async def adopt(self, server: str, project: str, name: str) -> tuple[StackOperation, StackDefinition]:
        """Take a running project over under this name: the act on the server, and the definition that follows it.

        Raises:
            NotFoundError: it does not run there. UsageError: its files are not where a stack's can be.
        """
        found = await (await self._client(server)).compose_project(project)
        if not found.fingerprint:
            raise NotFoundError(f"nothing of {project} runs there", server=server)
        folder = found.working_dir.rstrip("/")
        outside = [path for path in found.config_files if not path.startswith(f"{folder}/")]
        if not folder or not found.config_files or outside:
            raise UsageError(f"{project} was not made from files below one folder: it cannot be adopted as it is")
        files = tuple(path.removeprefix(f"{folder}/") for path in found.config_files)
        stack = check_stack(StackDefinition(name=name, servers=(server,), project=project, folder=folder, files=files))
        spec = ComposeAdopt(project=project, stack=name, fingerprint=found.fingerprint)
        target = StackTarget(server=server, project=project, spec=spec, found=found)
        return StackOperation(verb="adopt", stack=name, targets=(target,)), stack

    async def _deploy_to(self, stack: StackDefinition, server: str, pull: PullPolicy) -> StackTarget:
        source, preview = await self._asked(stack, server)
        words = await asyncio.to_thread(self._sources.words, stack, server)
        fallback, warnings = self._sources.fallback(stack.name, server, preview)
        spec = ComposeDeploy(
            source=source,
            fingerprint=preview.fingerprint,
            pull=pull,
            build=stack.build,
            extra_args=words.extra_args,
            pre_deploy=words.pre_deploy,
            post_deploy=words.post_deploy,
            health=stack.health,
            definition=definition_print(stack, server),
            fallback=fallback.values if fallback else None,
            fallback_secret_keys=fallback.secret_keys if fallback else (),
            keep=stack.revisions,
            images=tuple(dict.fromkeys(s.image for s in preview.services if s.image and not s.builds)),
        )
        return StackTarget(server=server, project=source.project, spec=spec, preview=preview, warnings=warnings)

    async def _asked(self, stack: StackDefinition, server: str) -> tuple[ComposeSource, ComposePreview]:
        """What the agent says of the stack, and the source to deploy: with the commit that was looked at."""
        client = await self._client(server)
        source = await asyncio.to_thread(self._sources.source, stack, server)
        preview = await client.compose_preview(PreviewRequest(source=source))
        if preview.wants:  # files that are there, or in git, refer to values
            source = await asyncio.to_thread(self._sources.source, stack, server, preview.wants)
            source = _at_commit(source, preview)
            preview = await client.compose_preview(PreviewRequest(source=source))
        return _at_commit(source, preview), preview

    async def _rollback_on(self, stack: StackDefinition, server: str, number: int) -> StackTarget:
        client = await self._client(server)
        project = stack.project_name
        if not number:
            number = to_return_to((await client.compose_project(project)).revisions)
            if not number:
                raise NotFoundError(f"{project} has no good revision to return to", server=server)
        revision = await client.compose_revision(project, number)
        values = self._sources.values_of(revision.templates, stack.name, server, f"revision {number} of {project}")
        source = ComposeSource(
            project=project, stack=stack.name, environment=values.values, secret_keys=values.secret_keys
        )
        preview = await client.compose_preview(PreviewRequest(source=source, revision=number))
        spec = ComposeRollback(
            project=project, revision=number, environment=values.values, secret_keys=values.secret_keys,
            fingerprint=preview.fingerprint, health=stack.health, keep=stack.revisions,
        )  # fmt: skip
        return StackTarget(server=server, project=project, spec=spec, preview=preview)

    async def _client(self, server: str) -> AgentClient:
        return await self._fleet.link(server).client()


def _images(found: ComposeProject, services: Sequence[str]) -> tuple[str, ...]:
    chosen = (s.image for s in found.services if s.image and (not services or s.service in services))
    return tuple(dict.fromkeys(chosen))


def _at_commit(source: ComposeSource, preview: ComposePreview) -> ComposeSource:
    """The source held to the commit of the preview; without the token, for that commit is on the server by now."""
    if preview.git is None or source.git is None:
        return source
    repo = source.git.repo.bare
    git = msgspec.structs.replace(source.git, repo=repo)
    return msgspec.structs.replace(source, git=git, commit=preview.git.target.id)


def _refreshing(target: StackTarget, services: Sequence[str]) -> StackTarget:
    """The same, with newer images of these services. Raises UsageError where it has no such service."""
    spec, preview = target.spec, target.preview
    assert isinstance(spec, ComposeDeploy)
    assert preview is not None
    known = {change.service for change in preview.services if change.verb != "remove"}
    strange = [name for name in services if name not in known]
    if strange:
        raise UsageError(f"{target.project} has no service {strange[0]!r}", hint=f"it has {', '.join(sorted(known))}")
    words = f"images of {', '.join(services)} are pulled anew: what is recreated shows only then"
    return msgspec.structs.replace(
        target, spec=msgspec.structs.replace(spec, refresh=tuple(services)), warnings=(*target.warnings, words)
    )


async def _check(stack: StackDefinition) -> None:
    """Raise UsageError where the definition is wrong; with line and column where its compose file is no YAML."""
    from komodo_tui.store.fleet_files import check_compose  # late: it loads the YAML parser

    await asyncio.to_thread(check_compose, check_stack(stack))


def to_return_to(revisions: Sequence[RevisionSummary]) -> int:
    """The revision that a rollback without a number means; 0 = there is none. They come newest first."""
    good = [revision for revision in revisions if revision.outcome == "success"]
    if good and revisions[0].outcome in ("success", "rolled_back"):  # the newest good one runs: one that differs
        runs = good[0]
        good = [r for r in good if (r.digest, r.images) != (runs.digest, runs.images)]
    return good[0].number if good else 0
