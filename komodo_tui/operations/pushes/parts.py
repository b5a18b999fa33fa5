"""What runs of pushes work with: as other runs, in the name of who pushed, with a procedure made for the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from komodo_tui.operations.procedures.parts import RunParts

if TYPE_CHECKING:
    from komodo_tui.domain.operations import Actor
    from komodo_tui.domain.procedures.model import ProcedureDefinition


@dataclass(frozen=True, kw_only=True)
class PushParts(RunParts):
    """Of one run."""

    who: Actor
    own: ProcedureDefinition | None = None
    """What the push became; None = it is in the journal already."""

    @property
    def unplanned(self) -> bool:
        """A push is to be deployed as soon as it is told of."""
        return True

    @property
    def actor(self) -> Actor:
        """Who pushed, or told of it."""
        return self.who

    def find(self, name: str) -> ProcedureDefinition | None:
        """A procedure by its name."""
        return self.own if self.own is not None and self.own.name == name else super().find(name)
