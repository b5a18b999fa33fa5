"""This machine's agent, begun before anything that takes long to load. Light on purpose."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from komodo_tui.fleet.local import EmbeddedAgent, EmbeddedAgentError
from komodo_tui.store.paths import state_directory

if TYPE_CHECKING:
    from pathlib import Path


def begin_local_agent(home: Path | None = None) -> EmbeddedAgent | None:
    """Start the agent if it looks as though it will be needed; returns at once.

    The agent takes longer to start than the program takes to load the rest, so it goes first. A wrong guess costs
    only time: the fleet starts an agent that is missing, and one that nobody uses ends by itself.

    Raises:
        StoreError: the state directory cannot be used.
    """
    paths = state_directory(home)
    try:
        needed = b'"local"' in paths.definitions.read_bytes()
    except OSError:
        needed = True  # nothing is defined: this machine is there by itself
    if not needed:
        return None
    with contextlib.suppress(EmbeddedAgentError):  # the fleet tries again, and says why it fails
        agent = EmbeddedAgent(paths.runtime, paths.root / "agent")
        agent.begin()
        return agent
    return None
