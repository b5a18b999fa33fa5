"""What a build gives its image, whichever builder makes it: arguments and labels. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..wire.builds import LABEL

if TYPE_CHECKING:
    from ..wire.builds import BuildJob

_VERSION_ARGUMENT = re.compile(r"^\s*ARG\s+(?:\S+\s+)*VERSION\b", re.IGNORECASE | re.MULTILINE)


def arguments_of(job: BuildJob, text: str) -> dict[str, str]:
    """The build arguments, and the version where the Dockerfile (``text``) wants it."""
    found = dict(job.arguments)
    if job.version and "VERSION" not in found and _VERSION_ARGUMENT.search(text):
        found["VERSION"] = job.version
    return found


def labels_of(job: BuildJob, commit: str) -> dict[str, str]:
    """The build's own, and what tells later where an image came from."""
    found = {LABEL: job.name}
    if job.version:
        found["org.opencontainers.image.version"] = job.version
    if commit:
        found["org.opencontainers.image.revision"] = commit
    return {**found, **job.labels}
