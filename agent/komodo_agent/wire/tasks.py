"""Commands as jobs: a process in a container or on the host that ends on the agent, whatever happens to the client."""

from __future__ import annotations

import msgspec


class ExecTask(msgspec.Struct, frozen=True, kw_only=True, tag="exec", tag_field="kind"):
    """Run a command in a running container, without terminal and input."""

    container: str
    """Full id."""
    command: tuple[str, ...]
    user: str = ""
    workdir: str = ""
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    """Values may be secrets: never logged, never in a job's state."""
    secret_keys: tuple[str, ...] = ()
    """Those of the environment whose values are taken out of all that the command writes."""
    timeout: float = 0.0
    """Seconds after which it is ended and counts as failed; 0 = none."""


class RunTask(msgspec.Struct, frozen=True, kw_only=True, tag="run", tag_field="kind"):
    """Run a command on the host, as the user who asks (or ``user``, by ``sudo -n``)."""

    command: tuple[str, ...]
    script: str = ""
    """Its standard input."""
    user: str = ""
    directory: str = ""
    """Empty = the user's home."""
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    secret_keys: tuple[str, ...] = ()
    timeout: float = 0.0


class ClearLog(msgspec.Struct, frozen=True, kw_only=True, tag="clear_log", tag_field="kind"):
    """Empty a container's json-file log, rotated files included."""

    container: str
    larger_than: int = 0
    """Bytes: a smaller log is left alone."""


TaskJob = ExecTask | RunTask | ClearLog
"""All of these end with ``result["exit"]`` and ``result["output"]`` (the tail of what was written)."""
