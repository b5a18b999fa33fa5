"""The command line of a build. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..problems import AgentError
from .buildkit.request import check_request
from .given import arguments_of, labels_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..wire.builds import BuildJob
    from .builder import Builder

_OURS = ("-t", "--tag", "--iidfile", "-q", "--quiet", "--progress", "-o", "--output", "--push", "--load",
         "--metadata-file", "--secret", "-f", "--file")  # fmt: skip


def check_words(job: BuildJob, builder: Builder, api: tuple[int, int]) -> None:
    """Refuse what this builder cannot do, and words that would say something else than the build does.

    ``api`` is the engine's.

    Raises:
        AgentError: ``bad_request``.
    """
    for word in job.extra:
        if word.partition("=")[0] in _OURS:
            raise AgentError("bad_request", f"extra argument {word[:80]}: that is said by the build itself")
    if builder.kind == "engine":
        check_request(job, api)
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
    for key, value in arguments_of(job, text).items():
        words += ["--build-arg", f"{key}={value}"]
    for key, path in secrets.items():
        words += ["--secret", f"id={key},src={path}"]
    for key, value in labels_of(job, commit).items():
        words += ["--label", f"{key}={value}"]
    for platform in job.platforms:
        words += ["--platform", platform]
    for source in job.cache_from:
        words += ["--cache-from", source]
    words += ["--target", job.target] if job.target else []
    words += ["--pull"] if job.pull else []
    words += ["--no-cache"] if job.no_cache else []
    return [*words, *job.extra, str(context)]
