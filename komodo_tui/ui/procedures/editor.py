"""The definition of a procedure as a text, checked and saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_tui.domain.operations import DefineProcedureOperation
from komodo_tui.domain.procedures.check import check
from komodo_tui.domain.units import count_text
from komodo_tui.store.yaml_text import yaml_text
from komodo_tui.ui.definitions.editing import Editing
from komodo_tui.ui.definitions.text import read_one
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.modals.yaml_editor import Checked, YamlEditor
from komodo_tui.ui.procedures.builder import ProcedureBuilder
from komodo_tui.ui.procedures.recipes import EMPTY, starters

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.operations.procedure_definitions import ProcedureDefinitions


def read_procedure(text: str, find: Callable[[str], ProcedureDefinition | None]) -> Checked[ProcedureDefinition]:
    """The one procedure of a text. Raises UsageError."""
    definition = _read(text)
    check(definition, lambda name: definition if name == definition.name else find(name))
    steps = sum(len(stage.steps) for stage in definition.stages)
    return Checked(definition, f"{definition.name} could run: {count_text(steps, 'step')}")


def _read(text: str) -> ProcedureDefinition:
    found: ProcedureDefinition = read_one(text, "procedures", "name: …, stages: …")
    return found


def procedure_text(definition: ProcedureDefinition) -> str:
    """A definition with all its fields."""
    return yaml_text({"procedures": [msgspec.to_builtins(definition)]})


class ProcedureEditing(Editing["ProcedureDefinition"]):
    """New, edited, copied and forgotten procedures. The journals of runs stay."""

    NOUN = "procedure"

    @property
    def kept(self) -> ProcedureDefinitions:
        """Where they are kept."""
        return self.runtime.procedures()

    def text(self, definition: ProcedureDefinition) -> str:
        """A definition as people write it."""
        return procedure_text(definition)

    def editor(self, title: str, text: str) -> YamlEditor[ProcedureDefinition]:
        """The dialog."""
        return ProcedureBuilder(
            title, text, lambda typed: read_procedure(typed, self.kept.find), _read, procedure_text, self._known
        )

    def _known(self) -> dict[str, list[str]]:
        """Names that fields of steps may want."""
        servers = self.runtime.fleet.state.servers
        containers = sorted({found.name for live in servers.values() for found in live.containers.values()})
        tags = sorted({tag for live in servers.values() for tag in live.definition.tags})
        return {
            "servers": [*servers, *(f"tag:{tag}" for tag in tags)],
            "match": containers, "container": containers, "healthy": containers, "containers": containers,
            "stack": sorted(self.runtime.deployables.known()), "procedure": sorted(self.kept.known()),
            "state": ["running", "exited", "paused", "restarting", "created", "dead"],
        }  # fmt: skip

    def operation(
        self, verb: Literal["add", "edit", "remove"], name: str, definition: ProcedureDefinition | None, rev: int | None
    ) -> DefineProcedureOperation:
        """The change of a definition."""
        plain = msgspec.to_builtins(definition) if definition is not None else None
        return DefineProcedureOperation(verb=verb, name=name, definition=plain, rev=rev)

    async def beginning(self) -> str | None:
        """An empty one, or a useful example."""
        known = starters()
        items = [MenuItem("", "empty", "e", "a stage with one step to change")]
        items += [MenuItem(s.name, s.name, str(n), s.description) for n, s in enumerate(known, 1)]
        picked = await self.shell.ask(MenuDialog("New procedure from", items))
        return None if picked is None else next((s.text for s in known if s.name == picked), EMPTY)
