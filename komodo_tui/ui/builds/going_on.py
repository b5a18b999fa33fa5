"""Goes on with what is to follow builds whose program has ended, as long as this one is open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_LATER = 3.0
"""Seconds after the start before anything is looked for."""


async def go_on_with_builds(runtime: Runtime, shell: Shell) -> None:
    """Until cancelled. In read-only mode nothing is gone on with."""
    await asyncio.sleep(_LATER)
    if runtime.settings.read_only:
        return
    from komodo_tui.operations.build_keeper import FollowKeeper  # late: the first screen does without

    await FollowKeeper(runtime, lambda text: shell.flash(text, "busy")).run()
