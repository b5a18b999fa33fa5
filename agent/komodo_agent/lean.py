"""Import the agent's parts without what they would load and never use: a sixth of its memory."""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_METADATA = "importlib.metadata"
_HASHES = (
    "_md5",
    "_sha1",
    "_sha3",
    "_blake2",
    *(("_sha2",) if sys.version_info >= (3, 12) else ("_sha256", "_sha512")),
)
"""Python's own hashes, which hashlib takes where there is no OpenSSL; some distributions leave them out."""


@contextmanager
def lean_imports() -> Iterator[None]:
    """Import as on a Python built without OpenSSL, which asyncio, aiohttp and hashlib allow for.

    The agent speaks over Unix sockets only. OpenSSL and the machine's certificates, which aiohttp loads at once, would
    be a sixth of its memory. Where somebody has loaded ``ssl`` already, everything is imported as usual.
    """
    if "ssl" in sys.modules:
        yield
        return
    hidden = ["ssl"]
    if "hashlib" not in sys.modules and all(find_spec(name) is not None for name in _HASHES):
        hidden.append("_hashlib")
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # the documented way to make an import fail
    try:
        importlib.import_module("aiohttp.web")
        sys.modules["ssl"] = ModuleType("ssl")  # aiodocker does not allow for it, but only names it in annotations
        with _without_metadata():
            yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def _without_metadata() -> Iterator[None]:
    """Import with nothing known of installed packages.

    aiodocker alone asks, for its own version, and a megabyte of parsers would be loaded to answer it.
    """
    if _METADATA in sys.modules:
        yield
        return
    unknown = ModuleType(_METADATA)
    unknown.PackageNotFoundError = LookupError  # type: ignore[attr-defined]
    unknown.version = _no_version  # type: ignore[attr-defined]
    sys.modules[_METADATA] = unknown
    try:
        yield
    finally:
        del sys.modules[_METADATA]


def _no_version(package: str) -> str:
    raise LookupError(package)
