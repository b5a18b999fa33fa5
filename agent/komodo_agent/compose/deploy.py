"""A deploy: check → lock → place → pull → record → up → health → last good revision, and back when it is not well."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ..engine.pull import pull
from ..problems import AgentError
from ..wire.compose import ComposeDeploy, Revision
from .cli import find_cli
from .folder import StackFolder
from .ground import grounded
from .observe import containers_of, hash_of
from .placing import Placing
from .preview import look, up_words
from .project import pins, placed_calls, source_of
from .record import Record, pinned_images
from .revisions import defined_by, last_good
from .runner import Runner
from .unplanned import goes_on, leave

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..engine.client import Engine
    from ..jobs import JobContext
    from ..wire.compose import ComposeRollback, ComposeSource, RevisionOutcome
    from .cli import Cli
    from .found import FoundFolders
    from .preview import Look
    from .project import ComposeCalls

_ATTEMPTS = 3
"""At a return."""
_PAUSE = 1.0


class Host(NamedTuple):
    """Where deploys happen."""

    engine: Engine
    root: Path
    """The folder of all projects."""
    found: FoundFolders

    def kept(self, project: str) -> StackFolder:
        """The folder of one; raises AgentError ``bad_request`` for a name that is none."""
        return StackFolder(self.root, project)


async def deploy(host: Host, context: JobContext, spec: ComposeDeploy) -> None:
    """Make the project be what the source says.

    Raises:
        AgentError: refused, with nothing changed; or failed, with what became of it in the job's result.
    """
    kept = host.kept(spec.source.project)
    with kept.lock() as fd:
        kept.settle()
        cli = await find_cli()
        context.log(f"{cli}: checking {spec.source.project}")
        async with grounded(kept, spec.source) as ground:
            if spec.unplanned and ground.wants:
                leave(context, f"values for {', '.join(ground.wants)}")
                return
            seen = await look(cli, host.engine, kept, ground, (fd,))
        spec = msgspec.structs.replace(spec, source=ground.source)
        if spec.unplanned and not goes_on(context, spec, seen.preview):
            good = last_good(kept.revisions())
            if good is not None and not seen.preview.changes:
                kept.save(defined_by(good, spec.definition))
            return
        await Deployment(host, context, kept, cli, fd, spec, seen).run()


async def rollback(host: Host, context: JobContext, spec: ComposeRollback) -> None:
    """Deploy a revision again, with the images it ran.

    Raises:
        AgentError: as for :func:`deploy`; ``not_found``: there is no such revision.
    """
    kept = host.kept(spec.project)
    with kept.lock() as fd:
        kept.settle()
        cli = await find_cli()
        revision = kept.revision(spec.revision)
        source = source_of(spec.project, revision, spec.environment, spec.secret_keys)
        context.log(f"{cli}: checking revision {spec.revision} of {spec.project}")
        async with grounded(kept, source) as ground:
            seen = await look(cli, host.engine, kept, ground, (fd,))
        as_deploy = ComposeDeploy(
            source=ground.source, fingerprint=spec.fingerprint, health=spec.health, commit=revision.summary.commit,
            keep=spec.keep, definition=revision.summary.definition,
        )  # fmt: skip
        await Deployment(host, context, kept, cli, fd, as_deploy, seen, revision).run()


class Deployment:
    """One run. The lock is held by the caller."""

    def __init__(
        self,
        host: Host,
        context: JobContext,
        kept: StackFolder,
        cli: Cli,
        fd: int,
        spec: ComposeDeploy,
        seen: Look,
        brings_back: Revision | None = None,
    ) -> None:
        """``seen``: what the source would do; ``brings_back``: the revision that the source is of."""
        self._engine = host.engine
        self._context = context
        self._kept = kept
        self._cli = cli
        self._spec = spec
        self._seen = seen
        self._brings_back = brings_back
        self._before = kept.revisions()
        self._good = last_good(self._before)
        self._runner = Runner(host.engine, context, spec.source.project, fd)
        self._placing = Placing(kept, context, fd, self._before)
        self._touched = False
        """Whether a container may have been."""
        number = brings_back.summary.number if brings_back else 0
        self._record = Record(kept, spec, seen, context.actor, number)

    async def run(self) -> None:
        """See it through; every way out leaves a revision with its outcome.

        Raises:
            AgentError: it was refused or failed.
        """
        self._refuse()
        self._record.save()
        self._context.result(revision=str(self._record.number))
        try:
            await self._forward()
        except AgentError as error:
            await self._failed(error)
        except asyncio.CancelledError:
            await self._cancelled(f"cancelled at: {self._runner.step}")
            raise
        else:
            self._succeeded()
        finally:
            self._kept.prune(self._spec.keep)

    def _refuse(self) -> None:
        """Raise AgentError ``conflict`` when this is not what was confirmed, or cannot be."""
        preview = self._seen.preview
        if self._spec.fingerprint and self._spec.fingerprint != preview.fingerprint:
            raise AgentError(
                "conflict",
                f"{preview.project} is not as it was when the plan was made: nothing was changed",
                hint="look at the new plan and confirm that",
            )
        if preview.conflicts:
            raise AgentError("conflict", f"{'; '.join(preview.conflicts)}: nothing was changed")
        absent = [s.image for s in preview.services if not s.present and not s.builds and s.verb != "remove"]
        if absent and self._spec.pull == "never":
            raise AgentError("conflict", f"not on this server, and not to be pulled: {', '.join(absent)}")

    async def _forward(self) -> None:
        spec, runner = self._spec, self._runner
        await runner.tidy()
        pinned = await pinned_images(self._engine, self._brings_back) if self._brings_back else {}
        runner.step = "place files"
        await self._placing.place(spec.source)
        calls = self._calls(spec.source, pinned)
        await self._pull(calls)
        for name, image in (await self._record.take_images(self._engine, self._seen.model)).items():
            self._context.log(f"image of {name}: {self._seen.model.services[name].image} is {image[:19]}")
        await runner.commands("pre-deploy", spec.pre_deploy, calls)
        if spec.build:
            await runner.compose(calls, "build", "build")
        ran = await self._runs()
        self._touched = True
        await runner.compose(calls, "up", *up_words(self._seen.model, self._cli), *spec.extra_args)
        expected = {name: service.replicas for name, service in self._seen.model.services.items()}
        await runner.well(calls, expected, spec.health, changed=await self._runs() != ran)
        await runner.commands("post-deploy", spec.post_deploy, calls)
        there = await containers_of(self._engine, spec.source.project)
        self._record.runs({c.service: c.image_id for c in there}, {c.service: hash_of(c) for c in there})

    async def _runs(self) -> set[tuple[str, float]]:
        """Which containers there are, and since when they run: differs when one was made or started anew."""
        return {(c.id, c.started) for c in await containers_of(self._engine, self._spec.source.project)}

    async def _pull(self, calls: ComposeCalls) -> None:
        """All images first, so that ``up`` does not stop half-way for one that cannot be had."""
        if self._brings_back is not None or self._spec.pull == "never":
            return
        wanted = {
            s.service: s.image for s in self._seen.preview.services
            if s.verb != "remove" and s.image and not s.builds
            and (self._spec.pull == "always" or s.service in self._spec.refresh or not s.present)
        }  # fmt: skip
        self._runner.step = "pull"
        for image in dict.fromkeys(image for image in wanted.values() if image in self._spec.logins):
            await pull(self._engine, self._context, image, self._spec.logins[image])
        others = [service for service, image in wanted.items() if image not in self._spec.logins]
        if others:  # with the logins that the agent's own user has
            await self._runner.compose(calls, "pull", "pull", *others)

    def _calls(self, source: ComposeSource, pinned: Mapping[str, str]) -> ComposeCalls:
        more = (self._kept.write_pins(pins(pinned)),) if pinned else ()
        return placed_calls(self._cli, self._engine, self._kept, source, *more)

    def _succeeded(self) -> None:
        """Keep the revision, unless it is the last good one over again."""
        good = self._good
        if good is not None and self._record.same_as(good) and self._before[0] is good:
            now = self._record.revision
            self._kept.forget(self._record.number)
            good = defined_by(good, self._spec.definition)
            self._kept.save(msgspec.structs.replace(good, hashes=now.hashes, configs=now.configs))
            self._context.log(f"nothing to change: revision {good.summary.number} runs")
            self._context.result(outcome="success", revision=str(good.summary.number), unchanged="yes")
            return
        self._close("success")

    async def _cancelled(self, words: str) -> None:
        self._close("cancelled", words)
        if not self._touched:
            await self._placing.put_back(self._spec.source)

    async def _failed(self, error: AgentError) -> None:
        """Do what the policy says, and raise the job's error."""
        self._context.log(error.sentence())
        if not self._touched:
            await self._placing.put_back(self._spec.source)
            self._close("failed", error.message)
            raise AgentError("failed", f"{error.message}: no container was touched", hint=error.hint) from error
        at = self._runner.step
        try:
            outcome, words = await self._afterwards()
        except AgentError as second:
            self._context.log(second.sentence())
            outcome, words = "rollback_failed", f"what was to follow failed too: {second.message}"
        except asyncio.CancelledError:
            await self._cancelled(f"{error.message}; cancelled on the way back")
            raise
        self._runner.step = at
        self._close(outcome, f"{error.message}; {words}")
        hint = "look at the server" if outcome == "rollback_failed" else ""
        raise AgentError("failed", f"{error.message}; {words}", hint=hint) from error

    async def _afterwards(self) -> tuple[RevisionOutcome, str]:
        """What the policy wants: returns the outcome, and what was done."""
        await self._runner.tidy()
        good, policy = self._good, self._spec.health.on_failure
        if policy == "keep" or self._brings_back is not None:
            return "failed", "left as it is"
        values = self._spec.fallback if good is None or good.templates else self._spec.fallback or {}
        if policy == "rollback" and good is not None and values is not None:
            await self._return(good, values)
            return "rolled_back", f"returned to revision {good.summary.number}"
        await self._runner.compose(self._calls(self._spec.source, {}), "stop", "stop")
        return "failed", "stopped" + ("" if policy == "stop" else ": there is no good revision to return to")

    async def _return(self, good: Revision, values: Mapping[str, str]) -> None:
        number = good.summary.number
        self._context.log(f"returning to revision {number}")
        source = source_of(self._spec.source.project, good, values, self._spec.fallback_secret_keys)
        pinned = await pinned_images(self._engine, good)
        source = await self._placing.bring_back(source, self._spec.source)
        calls = self._calls(source, pinned)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self._runner.compose(calls, f"return to revision {number}", "up", "-d", "--remove-orphans")
                break
            except AgentError as error:
                # what a compose that was cut off had asked for may have come about only after we tidied
                if attempt == _ATTEMPTS:
                    raise
                self._context.log(error.sentence())
                await asyncio.sleep(_PAUSE)
                await self._runner.tidy()
        await self._runner.well(calls, dict.fromkeys(good.hashes, 1), self._spec.health)
        # held to images, its containers bear other hashes than before
        there = await containers_of(self._engine, source.project)
        self._kept.save(msgspec.structs.replace(good, hashes={c.service: hash_of(c) for c in there}))
        self._context.result(returned_to=str(number))

    def _close(self, outcome: RevisionOutcome, error: str = "") -> None:
        step = "" if outcome == "success" else self._runner.step
        self._record.close(outcome, step, error)
        self._context.result(outcome=outcome, **({"step": step} if step else {}))
