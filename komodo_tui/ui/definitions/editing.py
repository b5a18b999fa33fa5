"""New definitions, edited ones, copies, and those that are forgotten: the same way for every kind."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import msgspec

if TYPE_CHECKING:
    from komodo_tui.domain.operations import Operation
    from komodo_tui.operations.kept_definitions import KeptDefinitions
    from komodo_tui.ui.modals.yaml_editor import YamlEditor
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

D = TypeVar("D", bound=msgspec.Struct)


class Editing(ABC, Generic[D]):
    """From a key to a changed definition. A kind fills in what it is made of; the flows are here.

    The flows raise KomodoError: it was changed meanwhile, is gone, or was refused. Call them from a worker.
    """

    NOUN = ""
    """The kind in a word: ``stack``."""

    def __init__(self, runtime: Runtime, shell: Shell) -> None:
        self.runtime = runtime
        self.shell = shell

    # -- what a kind says ---------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def kept(self) -> KeptDefinitions[D, Any]:
        """Where they are kept."""

    @abstractmethod
    def text(self, definition: D) -> str:
        """A definition as people write it."""

    @abstractmethod
    def editor(self, title: str, text: str) -> YamlEditor[D]:
        """The dialog whose result is the definition, once it could be kept."""

    @abstractmethod
    def operation(self, verb: Literal["add", "edit", "remove"], name: str, definition: D | None, rev: int | None,
                  ) -> Operation:  # fmt: skip
        """The change of a definition; ``rev`` is the revision it was based on, None for add."""

    @abstractmethod
    async def beginning(self) -> str | None:
        """The text a new one begins with; None: the person left when asked where to begin."""

    def copied(self, definition: D, name: str) -> D:
        """A copy under this name, without what only one may have."""
        return msgspec.structs.replace(definition, name=name)

    # -- flows --------------------------------------------------------------------------------------------------

    async def new(self) -> str | None:
        """Choose where to begin, edit, save; returns the name."""
        text = await self.beginning()
        return None if text is None else await self._edit(f"New {self.NOUN}", text, "", None)

    async def edit(self, name: str) -> str | None:
        """Edit one; returns its name, which may be another one then: that makes a copy."""
        stored = await asyncio.to_thread(self.kept.stored, name)
        return await self._edit(f"Edit {name}", self.text(stored.value), name, stored.rev)

    async def copy(self, name: str) -> str | None:
        """Make another one of it, under another name."""
        stored = await asyncio.to_thread(self.kept.stored, name)
        return await self._edit(f"Copy of {name}", self.text(self.copied(stored.value, f"{name}-copy")), "", None)

    async def remove(self, name: str) -> None:
        """Forget one; what it made elsewhere stays."""
        stored = await asyncio.to_thread(self.kept.stored, name)
        await self.shell.acts.run(self.operation("remove", name, None, stored.rev))

    async def _edit(self, title: str, text: str, name: str, rev: int | None) -> str | None:
        definition = await self.shell.ask(self.editor(title, text))
        if definition is None:
            return None
        given: str = definition.name  # type: ignore[attr-defined]
        same = given == name
        operation = self.operation("edit" if same else "add", given, definition, rev if same else None)
        record = await self.shell.acts.run(operation)
        return given if record is not None and record.outcome == "success" else None
