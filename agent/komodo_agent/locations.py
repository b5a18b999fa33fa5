"""Where the agent listens and keeps its files when it is not told. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path


def default_socket() -> Path:
    """The socket of this user's agent."""
    if os.geteuid() == 0:
        return Path("/run/komodo/agent.sock")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        return Path(runtime) / "komodo" / "agent.sock"
    return Path.home() / ".local" / "state" / "komodo" / "agent.sock"


def default_state() -> Path:
    """The folder of the agent's job logs."""
    if os.geteuid() == 0:
        return Path("/var/lib/komodo-agent")
    return Path.home() / ".local" / "state" / "komodo-agent"
