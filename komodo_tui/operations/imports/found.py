"""What an import comes to: definitions as files have them, and notes of all that has no match."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.interpolation import references
from komodo_tui.domain.masking import mask_env
from komodo_tui.domain.text import clean
from komodo_tui.operations.definition_files import KINDS
from komodo_tui.store.fleet_files import FleetFile, check_definition

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from komodo_tui.domain.syncs import Plain


@dataclass
class Imported:
    """Filled piece by piece."""

    definitions: dict[str, list[Plain]] = field(default_factory=dict)
    """By plural, as ``apply`` takes them."""
    notes: list[str] = field(default_factory=list)

    def note(self, what: str, text: str) -> None:
        """Something of ``what`` (``stack shop``) has no match, or wants a hand."""
        self.notes.append(clean(f"{what}: {text}"))

    def note_secrets(self, what: str, environment: Mapping[str, str]) -> None:
        """A note of the variables whose values look like secrets; the values stand in no note."""
        plain = {name: value for name, value in environment.items() if not references(value)}
        names = [name for name, value in plain.items() if mask_env(name, value) != value]
        if names:
            how = "keep it by `komodo-tui secret set NAME`, and write [[NAME]]"
            self.note(what, f"{', '.join(names)}: what looks like a secret stands in its environment; {how}")

    def add(self, plural: str, definition: Plain) -> None:
        """Add a definition, without what is empty, unless it cannot be used; a name that is there already wins."""
        kept = {key: value for key, value in definition.items() if value not in ("", (), [], {}, None)}
        what = f"{plural.removesuffix('s')} {kept.get('name', '')}"
        if any(other["name"] == kept.get("name") for other in self.definitions.get(plural, [])):
            self.note(what, "left out: there is one of that name already")
            return
        try:
            whole = msgspec.convert({plural: [kept]}, FleetFile)
            check_definition("import", plural, getattr(whole, plural)[0])
        except (msgspec.ValidationError, UsageError) as error:
            self.note(what, f"left out: {str(error).removeprefix('import: ')}")
            return
        self.definitions.setdefault(plural, []).append(kept)

    def in_order(self) -> dict[str, list[Plain]]:
        """The definitions, what others name first."""
        return {kind.plural: self.definitions[kind.plural] for kind in KINDS if kind.plural in self.definitions}

    def unmatched(self, what: str, config: Mapping[str, Any], known: Collection[str], usual: Mapping[str, Any]) -> None:
        """A note for each key of a configuration that nothing here was made of, unless it only says what is usual."""
        for key, value in config.items():
            if key not in known and value not in ("", [], {}, False, None) and usual.get(key) != value:
                self.note(what, f"{key} has no match here and was left out")
