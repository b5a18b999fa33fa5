"""The hash chain of the history: each row's HMAC covers the row and the HMAC of the row before.

HMAC-SHA256 (RFC 2104) under a key of this state directory. A row changed, removed or put in between breaks the chain at
its place. Whoever can read the key can forge a whole chain; copying its head elsewhere guards against that.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

GENESIS = "0" * 64
"""Stands before the very first row."""


def load_key(path: Path, *, create: bool) -> bytes:
    """The key; made, mode 0600, where there is none and ``create`` allows it.

    Raises:
        StoreError: it cannot be read or made.
    """
    try:
        if create and not path.exists():
            temporary = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(secrets.token_bytes(32))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(temporary, path)  # of two processes that make one, the first wins
            except FileExistsError:
                pass
            finally:
                os.unlink(temporary)
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"the history's key {path} cannot be used: {error.strerror}",
            hint="put it back; without it, move the history folder away and a new one begins",
        ) from error
    if len(key) != 32:
        raise StoreError(
            f"the history's key {path} is damaged", hint="restore it from a backup: without it no row verifies"
        )
    return key


def link(key: bytes, before: str, content: str) -> str:
    """The hash of a row, in hexadecimal."""
    return hmac.new(key, f"{before}\n{content}".encode(), hashlib.sha256).hexdigest()
