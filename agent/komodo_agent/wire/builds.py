"""Builds of images: what an agent is asked, and what a name, a tag or a path in one may be."""

from __future__ import annotations

import re

import msgspec

from .repos import RepoSource

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_IMAGE = re.compile(rf"(?:(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::\d{{1,5}})?/)?{_PART}(?:/{_PART})*")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_LONGEST_IMAGE = 200
COMMIT_DIGITS = 12
"""Of a commit, in a tag."""
LABEL = "komodo.build"
"""Of an image: the name of the build that made it. Containers inherit it, and images made from that one."""


class BuildSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where the files come from: a repository, a folder of the server, or nothing but the Dockerfile written here."""

    repo: RepoSource | None = None
    folder: str = ""
    dockerfile: str = ""
    """The Dockerfile's text; empty = the file that ``file`` names, among the files."""


class BuildJob(msgspec.Struct, frozen=True, kw_only=True, tag="build", tag_field="kind"):
    """Build an image, and give it its tags once it is whole."""

    name: str
    source: BuildSource
    image: str
    """The tags' repository: ``registry.example/shop/api``, ``api``."""
    tags: tuple[str, ...] = ()
    """Without the repository."""
    commit_tag: bool = False
    """Also a tag of the commit that was built, where the source is a repository."""
    postfix: str = ""
    """Of the commit's tag; ``tags`` have theirs already."""
    version: str = ""
    """Becomes the build argument VERSION where the Dockerfile has it, and a label."""
    path: str = ""
    """The build's folder among the files."""
    file: str = "Dockerfile"
    """The Dockerfile, from that folder."""
    target: str = ""
    arguments: dict[str, str] = msgspec.field(default_factory=dict)
    secret_names: dict[str, str] = msgspec.field(default_factory=dict)
    """What a build step knows a secret by → the name it is kept under."""
    secrets: dict[str, str] = msgspec.field(default_factory=dict)
    """The same → its value: never logged, never in a job's state, on no disk."""
    logins: dict[str, str] = msgspec.field(default_factory=dict)
    """Of registries that base images come from: host → as ``X-Registry-Auth`` has it. Secrets; empty in plans."""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    cache_from: tuple[str, ...] = ()
    pull: bool = False
    """Look for newer base images."""
    no_cache: bool = False
    extra: tuple[str, ...] = ()
    """More words for ``docker build``."""
    before: tuple[tuple[str, ...], ...] = ()
    """Commands run among the files before; no shell reads them."""
    timeout: float = 4 * 3600.0
    """Seconds after which it is ended and counts as failed."""


class BuildStep(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One step of a build, as its result keeps them."""

    name: str
    seconds: float
    state: str
    """``done``, ``cached``, ``failed``, ``cancelled``, ``running``."""


def wrong_build(job: BuildJob) -> str:
    """Why this cannot be built; empty = it can be tried."""
    source = job.source
    if not _NAME.fullmatch(job.name):
        return f"{job.name[:80]!r} is no name for a build"
    if source.repo is not None and source.folder:
        return "the files come either from a repo or from a folder"
    if source.repo is None and not source.folder and not source.dockerfile:
        return "there is nothing to build: name a repo or a folder, or write a Dockerfile"
    if source.folder and (not source.folder.startswith("/") or ".." in source.folder.split("/")):
        return f"folder {source.folder!r} is no absolute path"
    return (
        wrong_image(job.image)
        or next(filter(None, map(wrong_tag, job.tags)), "")
        or wrong_path(job.path, "path")
        or wrong_path(job.file, "file")
        or _wrong_words(job)
    )


def wrong_image(image: str) -> str:
    """Why this cannot be the name of an image, without a tag; empty = it can."""
    good = len(image) <= _LONGEST_IMAGE and _IMAGE.fullmatch(image)
    return "" if good else f"{image[:80]!r} is no name for an image (small letters, like shop/api; no tag)"


def wrong_tag(tag: str) -> str:
    """Why this cannot be a tag; empty = it can."""
    return "" if _TAG.fullmatch(tag) else f"{tag[:80]!r} is no tag for an image (letters, digits and . _ -)"


def wrong_path(path: str, what: str) -> str:
    """Why this is no path among the files; empty = it is one, or nothing."""
    parts = path.split("/")
    if path and (path.startswith(("/", "-")) or ".." in parts or not path.isprintable()):
        return f"{what} {path[:80]!r} is no path among the files (relative, without ..)"
    return ""


def _wrong_words(job: BuildJob) -> str:
    for what, keys in (("an argument", job.arguments), ("a label", job.labels), ("a secret", job.secret_names)):
        for key in keys:
            loose = bool(key) and "=" not in key and key.isprintable()
            if not (loose if what == "a label" else _KEY.fullmatch(key)):
                return f"{key[:80]!r} is no name for {what}"
    words = (job.target, *job.platforms, *job.cache_from)
    bad = next((word for word in words if word.startswith("-") or not word.isprintable()), "")
    if bad:
        return f"{bad[:80]!r} begins with a dash or has a control character"
    every = (*job.arguments.values(), *job.labels.values(), *job.extra, *(w for c in job.before for w in c))
    return "a value or word has a NUL character" if any("\0" in word for word in every) else ""
