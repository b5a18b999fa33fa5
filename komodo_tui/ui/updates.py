"""The mark of images that their registries have replaced, for every list that shows images."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_agent.wire.models import Container
    from komodo_tui.operations.image_updates import ImageUpdates
    from komodo_tui.ui.look import Look
    from komodo_tui.ui.render.cells import Cell


class UpdateMarks:
    """What one list shows of updates."""

    def __init__(self, updates: ImageUpdates | None, look: Look) -> None:
        """``updates`` is None where nobody asks registries."""
        self._updates = updates
        self._sign = "^ " if look.glyphs.ascii else "⇡ "
        self._seen = 0

    def tick(self) -> bool:
        """Let what is due be asked. Returns whether something is known that was not at the last tick."""
        if self._updates is None:
            return False
        self._updates.look()
        before, self._seen = self._seen, self._updates.changes
        return before != self._seen

    def container(self, server: str, container: Container) -> bool:
        """Whether the image it runs was replaced."""
        return self._updates is not None and self._updates.outdated(server, container)

    def any(self, server: str, containers: Iterable[Container]) -> bool:
        """Whether that of one of them was."""
        return any(self.container(server, container) for container in containers)

    def image(self, server: str, image_id: str) -> bool:
        """Whether an image was replaced under a name that a container has of it."""
        return self._updates is not None and self._updates.replaced(server, image_id)

    def cell(self, text: str, outdated: bool) -> Cell:
        """A name, marked."""
        return ((self._sign, "warn"), (text, "")) if outdated else text
