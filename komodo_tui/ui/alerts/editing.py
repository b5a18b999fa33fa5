"""New, edited and forgotten alerters and maintenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from komodo_tui.domain.alerters import Alerter, check_alerter
from komodo_tui.domain.alerts import DefineAlertingOperation
from komodo_tui.domain.maintenance import MaintenanceDefinition, check_maintenance
from komodo_tui.domain.units import duration_text
from komodo_tui.operations.alerts.definitions import AlerterDefinitions, MaintenanceDefinitions
from komodo_tui.ui.definitions.editing import Editing
from komodo_tui.ui.definitions.text import definition_text, read_one
from komodo_tui.ui.modals.yaml_editor import Checked, YamlEditor

if TYPE_CHECKING:
    from collections.abc import Callable

_NEW_ALERTER = """\
alerters:
  - name: phone
    # as Apprise has it; [[NAME]] is a secret: komodo-tui secret set NAME
    url: ntfys://[[NTFY_TOPIC]]
    # warning or critical: from which on
    level: warning
    # only these: unreachable, disk, down, ...; empty: all
    kinds: []
    # names with * and ?
    servers: ["*"]
    # also eased, acknowledged
    on: [opened, escalated, resolved]
"""
_NEW_MAINTENANCE = """\
maintenance:
  - name: backups
    # when it begins, and for how long
    when: every sunday 02:00 for 2h
    # like Europe/Berlin; empty: the zone of this machine
    zone: ""
    # names with * and ?
    servers: ["*"]
    # servers with one of these; empty: all
    tags: []
    # only these: cpu, load, down, ...; empty: all
    kinds: []
"""


class AlerterEditing(Editing[Alerter]):
    """Where alerts go."""

    NOUN = "alerter"

    @property
    def kept(self) -> AlerterDefinitions:
        """Where they are kept."""
        return AlerterDefinitions(self.runtime.definitions)

    def text(self, definition: Alerter) -> str:
        """A definition as people write it."""
        return definition_text("alerters", definition, Alerter(name="", url=""), shown=("name", "url", "level"))

    def editor(self, title: str, text: str) -> YamlEditor[Alerter]:
        """The dialog."""

        def read(typed: str) -> Checked[Alerter]:
            alerter = check_alerter(read_one(typed, "alerters", "name: …, url: …"))
            return Checked(alerter, f"{alerter.name} can be saved; t in its menu sends a message")

        return YamlEditor(title, text, read)

    def operation(
        self, verb: Literal["add", "edit", "remove"], name: str, definition: Alerter | None, rev: int | None
    ) -> DefineAlertingOperation:
        """The change of a definition."""
        return _operation("alerter", verb, name, definition, rev)

    async def beginning(self) -> str:
        """An example."""
        return _NEW_ALERTER


class MaintenanceEditing(Editing[MaintenanceDefinition]):
    """When alerts press nobody."""

    NOUN = "maintenance"

    def __init__(self, *given: Any, now: Callable[[], float]) -> None:
        super().__init__(*given)
        self._now = now

    @property
    def kept(self) -> MaintenanceDefinitions:
        """Where they are kept."""
        return MaintenanceDefinitions(self.runtime.definitions)

    def text(self, definition: MaintenanceDefinition) -> str:
        """A definition as people write it."""
        usual = MaintenanceDefinition(name="", when="")
        return definition_text("maintenance", definition, usual, shown=("name", "when", "zone", "servers"))

    def editor(self, title: str, text: str) -> YamlEditor[MaintenanceDefinition]:
        """The dialog; it says when it is on next."""

        def read(typed: str) -> Checked[MaintenanceDefinition]:
            found = check_maintenance(read_one(typed, "maintenance", "name: …, when: …"))
            begins, _ = found.span(self._now())
            soon = "on now" if begins <= self._now() else f"next in {duration_text(begins - self._now())}"
            return Checked(found, f"{found.what()}: {soon}")

        return YamlEditor(title, text, read)

    def operation(
        self, verb: Literal["add", "edit", "remove"], name: str, definition: MaintenanceDefinition | None,
        rev: int | None,
    ) -> DefineAlertingOperation:  # fmt: skip
        """The change of a definition."""
        return _operation("maintenance", verb, name, definition, rev)

    async def beginning(self) -> str:
        """An example."""
        return _NEW_MAINTENANCE


def _operation(
    kind: Literal["alerter", "maintenance"], verb: Literal["add", "edit", "remove"], name: str,
    definition: msgspec.Struct | None, rev: int | None,
) -> DefineAlertingOperation:  # fmt: skip
    plain = msgspec.to_builtins(definition) if definition is not None else None
    return DefineAlertingOperation(verb=verb, kind=kind, name=name, definition=plain, rev=rev)
