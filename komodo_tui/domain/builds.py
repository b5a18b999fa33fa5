"""Builds of images as the user defines them: their source, version, tags, and what happens to the image. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_agent.wire.builds import BuildJob, BuildSource, wrong_build, wrong_image, wrong_tag
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.repos import RepoDefinition, check_repo
from komodo_tui.domain.servers import named_servers
from komodo_tui.domain.stacks import split_command
from komodo_tui.domain.values import check_name, registry_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.servers import ServerDefinition

Bump = Literal["patch", "minor", "major", "none"]

_VERSION = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")
_REGISTRY = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?")
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9]+(?:/[a-z0-9.]+)?")
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(?P<image>\S+)", re.IGNORECASE | re.MULTILINE)
FIRST_VERSION = "0.1.0"


class BuildTags(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tags an image gets."""

    latest: bool = True
    version: bool = True
    """``1.4.2``"""
    minor: bool = True
    """``1.4``"""
    major: bool = True
    """``1``"""
    commit: bool = True
    """The first digits of the commit, where the source is a repo."""
    postfix: str = ""
    """At the end of each: ``-arm`` makes ``latest-arm``."""


class BuildRegistry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A registry that an image is pushed to; its login is kept by ``registry login``."""

    domain: str
    """``registry.example``, ``127.0.0.1:5000``."""
    organization: str = ""
    """Before the image's name."""


class BuildDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an image comes to be, and where it goes."""

    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    server: str = ""
    """Where it is built: a name, or ``tag:TAG`` for the least loaded of those; empty = the least loaded of all."""
    repo: str = ""
    """The name of a repo: its files, from a clone of the build's own."""
    branch: str = ""
    """Instead of the repo's."""
    commit: str = ""
    """Stay at this commit."""
    folder: str = ""
    """Instead of ``repo``: a folder on the build server."""
    dockerfile: str = ""
    """The Dockerfile, written here; with a repo or folder, instead of theirs."""
    path: str = ""
    """The build's folder among the files."""
    file: str = "Dockerfile"
    """The Dockerfile, from that folder."""
    target: str = ""
    """The stage to build."""
    build_args: dict[str, str] = msgspec.field(default_factory=dict)
    """May have ``[[NAME]]`` of variables; not of secrets, since an image's history tells build arguments."""
    secrets: dict[str, str] = msgspec.field(default_factory=dict)
    """For ``RUN --mount=type=secret,id=…``: the id → the name of a secret."""
    logins: tuple[str, ...] = ()
    """Registries that base images come from, where they want a login."""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    cache_from: tuple[str, ...] = ()
    extra_args: tuple[str, ...] = ()
    """More words for ``docker build``."""
    pre_build: tuple[str, ...] = ()
    """Commands run among the files before, on the build server; no shell reads them."""
    pull: bool = False
    """Look for newer base images."""
    no_cache: bool = False
    image: str = ""
    """Its name without a tag; empty = the build's own in small letters."""
    image_tags: BuildTags = BuildTags()
    version: str = FIRST_VERSION
    """The first version, and a later one to go on from."""
    bump: Bump = "patch"
    """What grows with each build that succeeds."""
    ship: tuple[str, ...] = ()
    """Servers (or ``tag:TAG``) that the image is brought to."""
    registries: tuple[BuildRegistry, ...] = ()
    redeploy_on_build: tuple[str, ...] = ()
    """Stacks and deployments that are deployed again after a build that succeeded, in this order."""
    timeout: float = 4 * 3600.0
    """Seconds after which a build is ended."""

    @property
    def image_name(self) -> str:
        """Its image, without a tag."""
        return self.image or re.sub(r"[^a-z0-9._-]", "-", self.name.lower())

    @property
    def followed(self) -> bool:
        """Whether anything is to be done after a build."""
        return bool(self.ship or self.registries or self.redeploy_on_build)

    @property
    def destination(self) -> str:
        """Where the image goes, in a few words."""
        parts = [f"shipped to {', '.join(self.ship)}"] if self.ship else []
        parts += [f"pushed to {', '.join(registry.domain for registry in self.registries)}"] if self.registries else []
        if self.redeploy_on_build:  # it is shipped to the servers of those
            parts.append(f"run by {', '.join(self.redeploy_on_build)}")
        return "; ".join(parts) or "kept"

    @property
    def source_words(self) -> str:
        """Where the files come from, in a few words."""
        if self.repo:
            where = f", {self.branch}" if self.branch else ""
            return f"repo {self.repo}{where}{f' at {self.commit[:12]}' if self.commit else ''}"
        return f"folder {self.folder}" if self.folder else "its own Dockerfile"


class BuildOperation(msgspec.Struct, frozen=True, kw_only=True, tag="build", tag_field="operation"):
    """Build an image on one server."""

    build: BuildDefinition
    server: str
    version: str
    after: str | None = None
    """The version that was built last when this one was chosen; None = it was chosen by a person."""
    repo: RepoDefinition | None = None
    """The repo it names, as it is to be built: with the build's own branch and commit."""
    arguments: dict[str, str] = msgspec.field(default_factory=dict)
    """The build arguments with their values in place."""
    follow_up: bool = False
    """Whether what the definition says is to follow is done after it."""


class DefineBuildOperation(msgspec.Struct, frozen=True, kw_only=True, tag="define_build", tag_field="operation"):
    """Change a build's definition. Nothing on a server is touched."""

    verb: Literal["add", "edit", "remove"]
    name: str
    definition: BuildDefinition | None = None
    """For add and edit."""
    rev: int | None = None
    """For edit and remove: the revision it was based on."""


def parse_version(text: str) -> tuple[int, int, int]:
    """``1.4.0`` -> (1, 4, 0). Raises UsageError."""
    found = _VERSION.fullmatch(text)
    if not found:
        raise UsageError(f"{text[:40]!r} is no version", hint="three numbers with dots between: 1.4.0")
    return int(found[1]), int(found[2]), int(found[3])


def next_version(build: BuildDefinition, built: str) -> str:
    """The version of the build to come; ``built`` is that of the last one that succeeded, empty = none has.

    The definition's version is taken where it is newer than the one built: so it is both the first version, and the
    way to go on from another one. Raises UsageError.
    """
    wanted = parse_version(build.version)
    if not built or build.bump == "none" or wanted > parse_version(built):
        return build.version
    major, minor, patch = parse_version(built)
    grown = {
        "patch": (major, minor, patch + 1), "minor": (major, minor + 1, 0), "major": (major + 1, 0, 0),
    }[build.bump]  # fmt: skip
    return ".".join(map(str, grown))


def tags_of(tags: BuildTags, version: str) -> tuple[str, ...]:
    """The tags of one build, without the commit's. Raises UsageError."""
    major, minor, _ = parse_version(version)
    found = [version] if tags.version else []
    found += [f"{major}.{minor}"] if tags.minor else []
    found += [str(major)] if tags.major else []
    found += ["latest"] if tags.latest else []
    return tuple(f"{tag}{tags.postfix}" for tag in found)


def job_of(operation: BuildOperation) -> BuildJob:
    """What the server's agent is asked to do; tokens and secrets come later. Raises UsageError."""
    build = operation.build
    return BuildJob(
        name=build.name,
        source=BuildSource(
            repo=operation.repo.source if operation.repo is not None else None,
            folder=build.folder, dockerfile=build.dockerfile,
        ),
        image=build.image_name,
        tags=tags_of(build.image_tags, operation.version),
        commit_tag=build.image_tags.commit, postfix=build.image_tags.postfix, version=operation.version,
        path=build.path, file=build.file, target=build.target,
        arguments=operation.arguments or build.build_args, secret_names=build.secrets, labels=build.labels,
        logins=dict.fromkeys((*login_hosts(build), *build.logins), ""),
        platforms=build.platforms, cache_from=build.cache_from, pull=build.pull, no_cache=build.no_cache,
        extra=build.extra_args, before=tuple(split_command(line, f"build {build.name}") for line in build.pre_build),
        timeout=build.timeout,
    )  # fmt: skip


def check_build(build: BuildDefinition) -> BuildDefinition:
    """Return it, or raise :class:`UsageError` saying which field is wrong and what it takes."""
    name = f"build {build.name}"
    if build.repo and build.folder:
        raise UsageError(f"{name}: give either repo or folder")
    if not build.repo and (build.branch or build.commit):
        raise UsageError(f"{name}: branch and commit go with repo")
    parse_version(build.version)
    tags = build.image_tags
    if tags.postfix and wrong_tag(f"a{tags.postfix}"):
        raise UsageError(f"{name}: image_tags: postfix {tags.postfix!r} can stand in no tag", hint="like -arm")
    stand_in = RepoDefinition(name="a", url="/srv/a", branch=build.branch, commit=build.commit) if build.repo else None
    wrong = wrong_build(job_of(BuildOperation(build=build, server="", version=build.version, repo=stand_in)))
    if wrong:
        raise UsageError(f"{name}: {wrong}")
    if stand_in is not None:
        check_repo(stand_in)
    for secret in build.secrets.values():
        check_name(secret)
    for platform in build.platforms:
        if not _PLATFORM.fullmatch(platform):
            raise UsageError(f"{name}: {platform!r} is no platform", hint="like linux/amd64")
    _check_ways(build, name)
    return build


def _check_ways(build: BuildDefinition, name: str) -> None:
    for host in build.logins:
        if not _REGISTRY.fullmatch(host):
            raise UsageError(f"{name}: logins: {host!r} is no registry", hint="like registry.example or host:5000")
    for registry in build.registries:
        if not _REGISTRY.fullmatch(registry.domain):
            raise UsageError(f"{name}: {registry.domain!r} is no registry", hint="like registry.example or host:5000")
        wrong = wrong_image(pushed_name(build, registry))
        if wrong:
            raise UsageError(f"{name}: registries: {wrong}")
    if not build.timeout > 0:
        raise UsageError(f"{name}: timeout is seconds, more than 0")


def pushed_name(build: BuildDefinition, registry: BuildRegistry) -> str:
    """What the image is called in a registry, without a tag."""
    return "/".join(filter(None, (registry.domain, registry.organization, build.image_name)))


def login_hosts(build: BuildDefinition) -> tuple[str, ...]:
    """The registries a build may want a login of besides those of ``logins``, as far as its definition tells."""
    found = [registry_of(match["image"]) for match in _FROM.finditer(build.dockerfile)]
    return tuple(dict.fromkeys((*found, *map(registry_of, build.cache_from))))


def builders_of(build: BuildDefinition, known: Mapping[str, ServerDefinition]) -> tuple[str, ...]:
    """The servers it may be built on. Raises UsageError where there is none."""
    if not build.server:
        return tuple(known)
    found = named_servers(f"build {build.name}", (build.server,), known)
    if not found:
        raise UsageError(f"build {build.name}: no server has the tag of {build.server!r}")
    return found
