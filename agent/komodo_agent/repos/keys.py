"""A private key for ssh that is in no file: it lives in memory that the kernel names, for one act."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def lent_key(text: str) -> Iterator[str]:
    """A path that ssh can read the key at, as long as the block runs and this process lives; empty for no key.

    ssh closes the descriptors it inherits, so it is pointed at ours: ``/proc/<pid>/fd/<number>``, which only this user
    may open. See memfd_create(2) and proc_pid_fd(5).

    Raises:
        AgentError: the kernel gives none.
    """
    if not text:
        yield ""
        return
    try:
        descriptor = os.memfd_create("key", os.MFD_CLOEXEC)
    except OSError as error:
        raise AgentError("failed", f"there is no room to lend the ssh key: {error.strerror}") from error
    try:
        os.fchmod(descriptor, 0o600)  # ssh refuses a key that others could read
        os.write(descriptor, f"{text.strip()}\n".encode())
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)
