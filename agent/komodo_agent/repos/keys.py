"""A private key for ssh that is in no file: it lives in memory that the kernel names, for one act."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..in_memory import lent

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def lent_key(text: str) -> Iterator[str]:
    """A path that ssh can read the key at, as long as the block runs and this process lives; empty for no key.

    Raises:
        AgentError: there is no memory for it.
    """
    with lent({"key": f"{text.strip()}\n"} if text else {}) as paths:
        yield paths.get("key", "")
