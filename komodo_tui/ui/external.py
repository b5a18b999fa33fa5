"""The person's own editor, on the terminal that the program gives up meanwhile."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ActError

if TYPE_CHECKING:
    from textual.app import App


async def edit_outside(app: App[object], text: str, *, suffix: str = ".txt") -> str:
    """Edit a text in ``$VISUAL``, ``$EDITOR`` or vi; returns what was saved.

    The event loop goes on meanwhile, with all that runs by itself; the driver writes nothing (:class:`PaneDriver`).

    Raises:
        ActError: the editor cannot be started or failed; the text is then as before.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="komodo-tui-") as folder:
        path = Path(folder) / f"edit{suffix}"
        path.write_text(text, "utf-8")
        try:
            with app.suspend():
                done = await asyncio.to_thread(subprocess.run, [*shlex.split(editor), str(path)], check=False)
        except (OSError, ValueError) as error:
            raise ActError(f"the editor {editor!r} cannot be started: {error}", hint="set $EDITOR") from error
        if done.returncode:
            raise ActError(f"{editor} ended with status {done.returncode}; nothing was taken over")
        return path.read_text("utf-8", "replace")
