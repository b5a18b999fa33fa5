"""The command line of a build. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..wire.builds import BuildJob
    from .builder import Builder

_OURS = ("-t", "--tag", "--iidfile", "-q", "--quiet", "--progress", "-o", "--output", "--push", "--load",
         "--metadata-file", "--secret", "-f", "--file")  # fmt: skip
_VERSION_ARGUMENT = re.compile(r"^\s*ARG\s+(?:\S+\s+)*VERSION\b", re.IGNORECASE | re.MULTILINE)


def check_words(job: BuildJob, builder: Builder) -> None:
    """Refuse what this builder cannot do, and words that would say something else than the build does.

    Raises:
        AgentError: ``bad_request``.
    """
    for word in job.extra:
        if word.partition("=")[0] in _OURS:
            raise AgentError("bad_request", f"extra argument {word[:80]}: that is said by the build itself")
    if builder.modern:
        return
    hint = "install docker-buildx on the server"
    if job.secret_names:
        raise AgentError("bad_request", f"build secrets need BuildKit; this server has {builder}", hint=hint)
    if len(job.platforms) > 1:
        raise AgentError("bad_request", f"several platforms need BuildKit; this server has {builder}", hint=hint)


def build_words(
    job: BuildJob, builder: Builder, context: Path, dockerfile: Path, text: str, iid: Path,
    *, secrets: Mapping[str, str], commit: str,
) -> list[str]:  # fmt: skip
    """The words; ``text`` is the Dockerfile's, ``secrets`` are paths."""
    words = [*builder.words, "--iidfile", str(iid), "--file", str(dockerfile)]
    words += ["--progress", "plain"] if builder.modern else ["--rm", "--force-rm"]
    words += ["--metadata-file", str(iid.with_name("metadata"))] if builder.kind == "buildx" else []
    arguments = dict(job.arguments)
    if job.version and "VERSION" not in arguments and _VERSION_ARGUMENT.search(text):
        arguments["VERSION"] = job.version
    for key, value in arguments.items():
        words += ["--build-arg", f"{key}={value}"]
    for key, path in secrets.items():
        words += ["--secret", f"id={key},src={path}"]
    for key, value in _labels(job, commit).items():
        words += ["--label", f"{key}={value}"]
    for platform in job.platforms:
        words += ["--platform", platform]
    for source in job.cache_from:
        words += ["--cache-from", source]
    words += ["--target", job.target] if job.target else []
    words += ["--pull"] if job.pull else []
    words += ["--no-cache"] if job.no_cache else []
    return [*words, *job.extra, str(context)]


def _labels(job: BuildJob, commit: str) -> dict[str, str]:
    """The build's own, and what tells later where an image came from."""
    found = {"komodo.build": job.name}
    if job.version:
        found["org.opencontainers.image.version"] = job.version
    if commit:
        found["org.opencontainers.image.revision"] = commit
    return {**found, **job.labels}
