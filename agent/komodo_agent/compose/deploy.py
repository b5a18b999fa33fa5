"""A deploy: check → lock → pull → record → place → up → health → last good revision, and back when it is not well."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ..problems import AgentError
from ..wire.compose import ComposeDeploy, ComposeSource, HealthPolicy, Revision, RevisionSummary, StackFile
from .cli import find_cli, stream
from .folder import StackFolder, last_good, placed_files
from .health import until_well
from .observe import containers_of, fingerprint, images, tidy
from .preview import look
from .project import pins, placed_calls, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..engine.client import Engine
    from ..jobs import JobContext
    from ..wire.compose import ComposeRollback, RevisionOutcome
    from .cli import Cli
    from .preview import Look
    from .project import ComposeCalls

_ATTEMPTS = 3
"""At a return."""
_PAUSE = 1.0
_TAIL = "30"
"""Lines of a broken service's log that go into the job's."""


class Host(NamedTuple):
    """Where deploys happen."""

    engine: Engine
    root: Path
    """The folder of all projects."""

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
        seen = await look(cli, host.engine, kept, spec.source, (fd,))
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
        seen = await look(cli, host.engine, kept, source, (fd,))
        as_deploy = ComposeDeploy(
            source=source, fingerprint=spec.fingerprint, health=spec.health, commit=revision.summary.commit,
            keep=spec.keep,
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
        self._engine = host.engine
        self._context = context
        self._kept = kept
        self._cli = cli
        self._fd = fd
        self._spec = spec
        self._seen = seen
        self._brings_back = brings_back
        self._project = spec.source.project
        self._before = kept.revisions()
        self._good = last_good(self._before)
        self._step = "check"
        self._overwritten: tuple[StackFile, ...] = ()
        self._touched = False
        """Whether a container may have been."""
        self._revision = self._first_revision()

    async def run(self) -> None:
        """See it through; every way out leaves a revision with its outcome."""
        self._refuse()
        self._kept.save(self._revision)
        self._context.result(revision=str(self._revision.summary.number))
        try:
            await self._forward()
        except AgentError as error:
            await self._failed(error)
        except asyncio.CancelledError:
            self._close("cancelled", f"cancelled at: {self._step}")
            if not self._touched:
                self._put_back()
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
                f"{self._project} is not as it was when the plan was made: nothing was changed",
                hint="look at the new plan and confirm that",
            )
        if preview.conflicts:
            raise AgentError("conflict", f"{'; '.join(preview.conflicts)}: nothing was changed")
        absent = [s.image for s in preview.services if not s.present and not s.builds and s.verb != "remove"]
        if absent and self._spec.pull == "never":
            raise AgentError("conflict", f"not on this server, and not to be pulled: {', '.join(absent)}")

    async def _forward(self) -> None:
        await self._tidy()
        source = self._spec.source
        pinned = await self._pinned(self._brings_back) if self._brings_back else {}
        self._place(source)
        calls = self._calls(source, pinned)
        await self._pull(calls)
        await self._record()
        await self._commands("pre-deploy", self._spec.pre_deploy, calls)
        if self._spec.build:
            await self._compose(calls, "build", "build")
        self._touched = True
        await self._up(calls, self._spec.extra_args)
        await self._well(calls, source, self._spec.health, self._seen)
        await self._commands("post-deploy", self._spec.post_deploy, calls)
        await self._learn(calls if pinned else None)

    async def _tidy(self) -> None:
        for line in await tidy(self._engine, self._project):
            self._context.log(line)

    async def _pull(self, calls: ComposeCalls) -> None:
        """All images first, so that ``up`` does not stop half-way for one that cannot be had."""
        if self._brings_back is not None or self._spec.pull == "never":
            return
        wanted = [
            s.service for s in self._seen.preview.services
            if s.verb != "remove" and s.image and not s.builds and (self._spec.pull == "always" or not s.present)
        ]  # fmt: skip
        if wanted:
            await self._compose(calls, "pull", "pull", *wanted)

    async def _pinned(self, revision: Revision) -> dict[str, str]:
        """The services whose tag means another image now than the revision ran, with what names the right one.

        Raises:
            AgentError: an image is gone and cannot be had again.
        """
        ran = revision.summary.images
        references = {service: revision.references.get(service, "") for service in ran}
        found = await images(self._engine, [*references.values(), *ran.values()])
        pinned = {}
        for service, image_id in ran.items():
            if str((found.get(references[service]) or {}).get("Id")) == image_id:
                continue
            if image_id in found:
                pinned[service] = image_id
            elif service in revision.repo_digests:
                pinned[service] = revision.repo_digests[service]
            else:
                raise AgentError(
                    "failed",
                    f"the image of {service} in revision {revision.summary.number} is not on this server any more",
                    hint="build or load it again",
                )
        return pinned

    async def _record(self) -> None:
        """Write down which images the services are about to run."""
        wanted = {name: service.image for name, service in self._seen.model.services.items() if service.image}
        found = await images(self._engine, wanted.values())
        ids = {name: str(found[ref]["Id"]) for name, ref in wanted.items() if ref in found}
        digests = {name: _repo_digest(found[ref]) for name, ref in wanted.items() if ref in found}
        self._revise(
            images=ids, references=wanted, repo_digests={name: digest for name, digest in digests.items() if digest}
        )
        for name, image_id in ids.items():
            self._context.log(f"image of {name}: {wanted[name]} is {image_id[:19]}")

    def _place(self, source: ComposeSource) -> None:
        self._step = "place files"
        if not source.folder:
            self._overwritten = self._kept.snapshot(source.files)
            self._kept.place(source.files, placed_files(self._before))
        elif source.files:
            self._kept.place_returned(source.files)

    def _put_back(self) -> None:
        """The files that were there, since no container has seen the new ones."""
        if self._step != "check" and not self._spec.source.folder:
            self._kept.place(self._overwritten, self._spec.source.files)

    def _calls(self, source: ComposeSource, pinned: Mapping[str, str]) -> ComposeCalls:
        more = (self._kept.write_pins(pins(pinned)),) if pinned else ()
        return placed_calls(self._cli, self._engine, self._kept, source, *more)

    async def _commands(self, step: str, commands: tuple[tuple[str, ...], ...], calls: ComposeCalls) -> None:
        for words in commands:
            if words:
                await self._run(step, list(words), calls.masked(" ".join(words)), calls)

    async def _up(self, calls: ComposeCalls, extra: tuple[str, ...]) -> None:
        builds = any(service.builds for service in self._seen.model.services.values())
        never = () if builds else ("--pull", "never")
        await self._compose(calls, "up", "up", "-d", "--remove-orphans", *never, *extra)

    async def _compose(self, calls: ComposeCalls, step: str, *words: str) -> None:
        await self._run(step, calls.words(*words, plain=True), calls.shown(*words), calls)

    async def _run(self, step: str, words: list[str], shown: str, calls: ComposeCalls) -> None:
        """Run a command, its output into the job's log; raises AgentError when it fails."""
        self._step = step
        self._context.command(shown)
        self._context.progress(step)
        said: list[str] = []

        def line(text: str) -> None:
            text = calls.masked(text)
            self._context.log(text)
            said.append(text)
            del said[:-20]

        code = await stream(words, environment=calls.environment, folder=calls.folder, line=line, pass_fds=(self._fd,))
        if code:
            raise AgentError("failed", f"{step} failed (exit code {code}): {calls.complaint(_last_words(said))}")

    async def _well(self, calls: ComposeCalls, source: ComposeSource, policy: HealthPolicy, seen: Look | None) -> None:
        """Wait until the services are well; raises AgentError when they do not become so."""
        self._step = "health"
        expected = (
            {name: service.replicas for name, service in seen.model.services.items()}
            if seen is not None
            else {name: 1 for name in (self._good.hashes if self._good else {})}
        )
        changed = seen is None or any(s.verb != "keep" for s in seen.preview.services)
        verdict = await until_well(
            self._engine, self._context, self._project, expected, source.ignore_services, policy, changed=changed
        )
        if verdict.good:
            return
        for service in verdict.services[:3]:
            self._context.log(f"the last lines of {service}:")
            await stream(
                calls.words("logs", "--no-color", "--no-log-prefix", "--tail", _TAIL, service),
                environment=calls.environment, folder=calls.folder, line=lambda t: self._context.log(calls.masked(t)),
            )  # fmt: skip
        raise AgentError("failed", f"not healthy: {verdict.words}")

    async def _learn(self, pinned: ComposeCalls | None) -> None:
        """What runs now is what this revision is."""
        there = await containers_of(self._engine, self._project)
        self._revise(images={c.service: c.image_id for c in there if c.service})
        if pinned is not None:
            self._revise(hashes=await pinned.hashes((self._fd,)))

    async def _failed(self, error: AgentError) -> None:
        """Do what the policy says, and raise the job's error."""
        self._context.log(error.sentence())
        if not self._touched:
            self._put_back()
            self._close("failed", error.message)
            raise AgentError("failed", f"{error.message}: no container was touched", hint=error.hint) from error
        at, policy = self._step, self._spec.health.on_failure
        try:
            outcome, words = await self._afterwards(policy)
        except AgentError as second:
            self._context.log(second.sentence())
            self._step = at
            self._close("rollback_failed", f"{error.message}; then {second.message}")
            raise AgentError(
                "failed", f"{error.message}; the return failed too: {second.message}", hint="look at the server"
            ) from error
        except asyncio.CancelledError:
            self._close("cancelled", f"{error.message}; cancelled on the way back")
            raise
        self._step = at
        self._close(outcome, error.message)
        raise AgentError("failed", f"{error.message}; {words}") from error

    async def _afterwards(self, policy: str) -> tuple[RevisionOutcome, str]:
        await self._tidy()
        good = self._good
        if policy == "keep" or self._brings_back is not None:
            return "failed", "left as it is"
        values = self._spec.fallback if good is None or good.templates else self._spec.fallback or {}
        if policy == "rollback" and good is not None and values is not None:
            await self._return(good, values)
            return "rolled_back", f"returned to revision {good.summary.number}"
        calls = self._calls(self._spec.source, {})
        await self._compose(calls, "stop", "stop")
        return "failed", "stopped" + ("" if policy == "stop" else ": there is no good revision to return to")

    async def _return(self, good: Revision, values: Mapping[str, str]) -> None:
        number = good.summary.number
        self._context.log(f"returning to revision {number}")
        source = source_of(self._project, good, values, self._spec.fallback_secret_keys)
        pinned = await self._pinned(good)
        if source.folder:
            self._kept.place_returned(source.files)
        else:
            self._kept.place(good.files, self._spec.source.files)
        calls = self._calls(source, pinned)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self._compose(calls, f"return to revision {number}", "up", "-d", "--remove-orphans")
                break
            except AgentError as error:
                # what a compose that was cut off had asked for may have come about only after we tidied
                if attempt == _ATTEMPTS:
                    raise
                self._context.log(error.sentence())
                await asyncio.sleep(_PAUSE)
                await self._tidy()
        await self._well(calls, source, self._spec.health, None)
        self._context.result(returned_to=str(number))

    def _first_revision(self) -> Revision:
        source, spec = self._spec.source, self._spec
        digest = fingerprint(
            [[f.path, f.content] for f in self._seen.files], source.profiles, self._kept.prints(source.environment)
        )
        return Revision(
            summary=RevisionSummary(
                number=self._kept.next_number(),
                stack=source.stack,
                actor=self._context.actor,
                started=time.time(),
                commit=spec.commit,
                digest=digest,
                rollback_of=self._brings_back.summary.number if self._brings_back else 0,
            ),
            files=self._seen.files,
            folder=source.folder,
            compose_files=source.compose_files,
            templates=source.templates,
            prints=self._kept.prints(source.environment),
            profiles=source.profiles,
            ignore_services=source.ignore_services,
            hashes=self._seen.hashes,
        )

    def _succeeded(self) -> None:
        """Keep the revision, unless it is the last good one over again."""
        good, now = self._good, self._revision.summary
        same = good is not None and (good.summary.digest, good.summary.images) == (now.digest, now.images)
        if good is not None and same and self._before[0].summary.number == good.summary.number:
            self._kept.forget(now.number)
            self._context.log(f"nothing to change: revision {good.summary.number} runs")
            self._context.result(outcome="success", revision=str(good.summary.number), unchanged="yes")
            return
        self._close("success")

    def _revise(self, *, images: dict[str, str] | None = None, **changes: object) -> None:
        summary = self._revision.summary
        if images is not None:
            summary = msgspec.structs.replace(summary, images={**summary.images, **images})
        self._revision = msgspec.structs.replace(self._revision, summary=summary, **changes)
        self._kept.save(self._revision)

    def _close(self, outcome: RevisionOutcome, error: str = "") -> None:
        step = "" if outcome == "success" else self._step
        summary = msgspec.structs.replace(
            self._revision.summary, outcome=outcome, finished=time.time(), step=step, error=error
        )
        self._revision = msgspec.structs.replace(self._revision, summary=summary)
        self._kept.save(self._revision)
        self._context.result(outcome=outcome, **({"step": step} if step else {}))


def _repo_digest(image: Mapping[str, object]) -> str:
    digests = image.get("RepoDigests")
    return str(digests[0]) if isinstance(digests, list) and digests else ""


def _last_words(lines: list[str]) -> str:
    """What compose says of a failure: its last line that says something."""
    return next((line for line in reversed(lines) if line.strip()), "")
