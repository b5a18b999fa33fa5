"""The revision of the deploy under way, on disk at each step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from ..problems import AgentError
from ..wire.compose import Revision, RevisionSummary
from .checkout import without_token
from .observe import fingerprint, images

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..engine.client import Engine
    from ..wire.compose import ComposeDeploy, RevisionOutcome, StackFile
    from .folder import StackFolder
    from .model import Model
    from .preview import Look


class Record:
    """One revision being made."""

    def __init__(self, kept: StackFolder, spec: ComposeDeploy, seen: Look, actor: str, rollback_of: int) -> None:
        self._kept = kept
        source = spec.source
        prints = kept.prints(source.environment)
        self.revision = Revision(
            summary=RevisionSummary(
                number=kept.next_number(),
                stack=source.stack,
                actor=actor,
                started=time.time(),
                commit=source.commit or spec.commit,
                definition=spec.definition,
                digest=digest(seen.files, (*source.profiles, *([source.commit] if source.git else [])), prints),
                rollback_of=rollback_of,
            ),
            files=seen.files,
            folder=source.folder,
            git=without_token(source.git),
            compose_files=source.compose_files,
            env_files=source.env_files,
            templates=source.templates,
            prints=prints,
            profiles=source.profiles,
            ignore_services=source.ignore_services,
            configs=seen.configs,
        )

    @property
    def number(self) -> int:
        """Of the revision."""
        return self.revision.summary.number

    def save(self) -> None:
        """Put it on disk; raises AgentError when the disk refuses."""
        self._kept.set_down(False)
        self._kept.save(self.revision)

    async def take_images(self, engine: Engine, model: Model) -> dict[str, str]:
        """Write down which images the services are about to run; returns their ids by service.

        Raises:
            AgentError: the engine did not answer.
        """
        wanted = {name: service.image for name, service in model.services.items() if service.image}
        found = await images(engine, wanted.values())
        ids = {name: str(found[reference]["Id"]) for name, reference in wanted.items() if reference in found}
        digests = {name: _repo_digest(found[reference]) for name, reference in wanted.items() if reference in found}
        self.revision = msgspec.structs.replace(
            self.revision, references=wanted, repo_digests={name: digest for name, digest in digests.items() if digest}
        )
        self.runs(ids)
        return ids

    def runs(self, ids: Mapping[str, str], hashes: dict[str, str] | None = None) -> None:
        """Write down what runs: images, and the hashes that compose gave containers, by service."""
        summary = self.revision.summary
        self.revision = msgspec.structs.replace(
            self.revision,
            summary=msgspec.structs.replace(summary, images={**summary.images, **ids}),
            hashes=self.revision.hashes if hashes is None else hashes,
        )
        self.save()

    def same_as(self, other: Revision | None) -> bool:
        """Whether it is this revision over again."""
        mine = self.revision.summary
        return other is not None and (other.summary.digest, other.summary.images) == (mine.digest, mine.images)

    def close(self, outcome: RevisionOutcome, step: str = "", error: str = "") -> None:
        """Enter how it ended, and at which step."""
        summary = msgspec.structs.replace(
            self.revision.summary, outcome=outcome, finished=time.time(), step=step, error=error
        )
        self.revision = msgspec.structs.replace(self.revision, summary=summary)
        self.save()


def digest(files: Iterable[StackFile], profiles: Iterable[str], prints: Mapping[str, str]) -> str:
    """Of what a revision is made of."""
    return fingerprint([[file.path, file.content] for file in files], list(profiles), dict(prints))


async def pinned_images(engine: Engine, revision: Revision) -> dict[str, str]:
    """The services whose tag means another image now than the revision ran, with what names the right one.

    Raises:
        AgentError: an image is gone and cannot be had again, or the engine did not answer.
    """
    ran = revision.summary.images
    references = {service: revision.references.get(service, "") for service in ran}
    found = await images(engine, [*references.values(), *ran.values()])
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


def _repo_digest(image: Mapping[str, object]) -> str:
    digests = image.get("RepoDigests")
    return str(digests[0]) if isinstance(digests, list) and digests else ""
