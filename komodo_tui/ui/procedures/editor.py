"""The editor of a procedure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.procedures.check import check
from komodo_tui.domain.units import count_text
from komodo_tui.store.fleet_files import FleetFile
from komodo_tui.store.yaml_files import parse_yaml
from komodo_tui.ui.modals.yaml_editor import Checked, YamlEditor

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.procedures.model import ProcedureDefinition


class ProcedureEditor(YamlEditor["ProcedureDefinition"]):
    """Its result is the definition, once it could run."""

    def __init__(self, title: str, text: str, find: Callable[[str], ProcedureDefinition | None]) -> None:
        """``find`` gives other procedures by name."""
        super().__init__(title, text, lambda typed: read_procedure(typed, find))


def read_procedure(text: str, find: Callable[[str], ProcedureDefinition | None]) -> Checked[ProcedureDefinition]:
    """The one procedure of a text. Raises UsageError."""
    found = parse_yaml(text.encode(), FleetFile, name="text").procedures
    if len(found) != 1:
        raise UsageError(f"there are {len(found)} procedures", hint="one: procedures: [{name: …, stages: …}]")
    definition = found[0]
    check(definition, lambda name: definition if name == definition.name else find(name))
    steps = sum(len(stage.steps) for stage in definition.stages)
    return Checked(definition, f"{definition.name} could run: {count_text(steps, 'step')}")
