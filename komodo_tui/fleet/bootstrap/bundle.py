"""What is sent to a server: the agent's code and all it needs, in one compressed tar."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import komodo_agent

if TYPE_CHECKING:
    from komodo_tui.fleet.bootstrap.parts import Parts

_TIME = 1_000_000_000
"""The modification time of every file: the same files are the same bundle, whenever it is made."""
_COMPRESSION = 6


class Bundle(msgspec.Struct, frozen=True):
    """A tar of what goes below ``lib``."""

    id: str
    """The agent's version and a digest of all files: equal for equal content."""
    version: str
    """The agent's version."""
    archive: bytes
    sha256: str
    """Of the archive."""
    size: int
    """Bytes of the files once unpacked."""


def make_bundle(parts: Parts) -> Bundle:
    """Gather all files and pack them. Takes a second of CPU: call it in a thread."""
    files = dict(sorted([*parts.files(), *_agent_files()]))
    digest = hashlib.sha256()
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=_COMPRESSION, mtime=_TIME) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for name, content in files.items():
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(content), _TIME, 0o644
            tar.addfile(info, io.BytesIO(content))
    archive = buffer.getvalue()
    version = komodo_agent.__version__
    return Bundle(
        id=f"{version}-{digest.hexdigest()[:10]}",
        version=version,
        archive=archive,
        sha256=hashlib.sha256(archive).hexdigest(),
        size=sum(map(len, files.values())),
    )


def _agent_files() -> list[tuple[str, bytes]]:
    """The agent's own package, as this program has it."""
    package = Path(komodo_agent.__file__).parent
    return [
        (f"{package.name}/{path.relative_to(package).as_posix()}", path.read_bytes()) for path in package.rglob("*.py")
    ]
