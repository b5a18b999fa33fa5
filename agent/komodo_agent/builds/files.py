"""The files of a build: brought from its repository, or found in a folder, and looked at before docker sees them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ..compose.disk import write_whole
from ..problems import AgentError
from ..repos.acts import RepoAct, check
from ..repos.git import GitFailedError
from ..repos.lent import give_back
from ..repos.look import git_of
from ..repos.said import explained
from ..wire.repos import RepoJob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..jobs import JobContext
    from ..wire.builds import BuildJob
    from ..wire.repos import RepoSource
    from .place import Place

_LARGEST_DOCKERFILE = 1 << 20


class Files(NamedTuple):
    """What is built."""

    context: Path
    dockerfile: Path
    text: str
    """Of the Dockerfile."""
    commit: str = ""


async def bring(context: JobContext, job: BuildJob, place: Place, lock: int, roots: Sequence[Path]) -> tuple[Path, str]:
    """The folder with the files, and the commit they are of.

    Raises:
        AgentError: they cannot be had.
    """
    source = job.source
    if source.repo is not None:
        context.progress("bring the files")
        return place.source.files, await _clone(context, source.repo, place, lock, roots)
    if source.folder:
        if not await asyncio.to_thread(Path(source.folder).is_dir):
            raise AgentError("bad_request", f"there is no folder {source.folder} on this server")
        return Path(source.folder), ""
    return place.work / "empty", ""


async def _clone(context: JobContext, source: RepoSource, place: Place, lock: int, roots: Sequence[Path]) -> str:
    """Bring the build's own clone to what is asked for, with nothing else in it; returns the commit."""
    folder = place.source
    record = await asyncio.to_thread(folder.record)
    known = record is not None and record.url == source.url and await asyncio.to_thread(folder.git_dir.is_dir)
    spec = RepoJob(verb="pull" if known else "clone", name=place.name, source=source, discard=True)
    await asyncio.to_thread(check, spec, roots)
    await asyncio.to_thread(folder.tidy)
    try:
        try:
            await RepoAct(folder, context, spec, lock).run()
        except GitFailedError as error:  # of the clone itself: what a repository's server says comes explained
            if not known:
                raise
            context.log(f"git cannot read the build's clone, so it is cloned anew: {error.words[-200:]}")
            anew = msgspec.structs.replace(spec, verb="clone")
            await RepoAct(folder, context, anew, lock).run()
        git = git_of(folder)
        await git.write("clean", "-ffdxq", lock=lock)
        return (await git.read("rev-parse", "HEAD")).decode().strip()
    except GitFailedError as error:
        raise explained(error, source) from error
    finally:
        await asyncio.to_thread(folder.drop_unfinished)
        await give_back(source)


def prepared(job: BuildJob, place: Place, files: Path, commit: str) -> Files:
    """The build's folder and its Dockerfile. Blocks.

    Raises:
        AgentError: they are not there, or lead out of the files.
    """
    top = _inside(files, "", "the files")
    folder = _inside(top, job.path, "path")
    if not folder.is_dir():
        raise AgentError("bad_request", f"path {job.path or '.'!r} is no folder among the files")
    if job.source.dockerfile:
        dockerfile = place.work / "Dockerfile"
        write_whole(dockerfile, job.source.dockerfile.encode())
        return Files(folder, dockerfile, job.source.dockerfile, commit)
    dockerfile = _inside(folder, job.file, "file", top)
    try:
        if dockerfile.stat().st_size > _LARGEST_DOCKERFILE:
            raise AgentError("bad_request", f"{job.file} is larger than {_LARGEST_DOCKERFILE >> 20} MiB: no Dockerfile")
        text = dockerfile.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        what = "there is no" if isinstance(error, FileNotFoundError) else "this server cannot read the"
        raise AgentError(
            "bad_request", f"{what} Dockerfile {job.file!r} in {job.path or 'the top folder'!r}",
            hint="name it with 'file', and the build's folder with 'path'",
        ) from error  # fmt: skip
    return Files(folder, dockerfile, text, commit)


def _inside(base: Path, path: str, what: str, top: Path | None = None) -> Path:
    real = Path(os.path.realpath(base / path))
    outer = top or Path(os.path.realpath(base))
    if real != outer and outer not in real.parents:
        raise AgentError("bad_request", f"{what} {path!r} leads out of the files")
    return real
