"""Secrets lent to a program for as long as it runs: in memory alone, on no disk, no command line, no environment."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def lent(secrets: Mapping[str, str | bytes]) -> Iterator[dict[str, str]]:
    """A path for each secret, which only this user's processes can read; gone with the block or with the agent.

    ssh closes what it inherits, and the docker command's plugin inherits nothing, so the files are named through this
    process's folder: ``/proc/<pid>/fd/<number>``. See memfd_create(2) and proc_pid_fd(5).

    Raises:
        AgentError: there is no memory for them.
    """
    descriptors: list[int] = []
    try:
        paths = {}
        for name, value in secrets.items():
            try:
                descriptor = os.memfd_create("secret", os.MFD_CLOEXEC)
                descriptors.append(descriptor)
                os.fchmod(descriptor, 0o600)  # ssh refuses a key that others could read
                data = value.encode() if isinstance(value, str) else value
                while data:
                    data = data[os.write(descriptor, data) :]
            except OSError as error:
                raise AgentError("failed", f"secret {name} cannot be lent: {error.strerror}") from error
            paths[name] = f"/proc/{os.getpid()}/fd/{descriptor}"
        yield paths
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
