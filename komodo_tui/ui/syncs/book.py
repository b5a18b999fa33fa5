"""What the Syncs page knows: definitions and last looks read in threads, and the looks that were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.syncs import by_itself
from komodo_tui.operations.sync_definitions import SyncDefinitions
from komodo_tui.operations.syncs.applying import Drift, SyncApplier, deployed_with
from komodo_tui.operations.syncs.looking import Pending, SyncLooker
from komodo_tui.ui.definitions.asking import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from komodo_tui.domain.syncs import Item, SyncBase, SyncDefinition
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_AGAIN = 5.0
"""Seconds after which what a watch may have found is read again while somebody looks."""


class Looked(NamedTuple):
    """What a look of this program found."""

    pending: Pending | None
    drifts: tuple[Drift, ...] = ()
    problem: str = ""
    drifted: tuple[str, ...] = ()
    """As it was noted then."""


class SyncRow(NamedTuple):
    """A sync, how it stood when anybody looked last, and what this program found."""

    definition: SyncDefinition
    base: SyncBase
    looked: Looked | None
    busy: bool

    @property
    def items(self) -> list[Item]:
        """What differs, as far as this program has looked."""
        return self.looked.pending.items if self.looked is not None and self.looked.pending is not None else []

    @property
    def outdated(self) -> bool:
        """Whether somebody else has looked since and found it otherwise: a watch, say."""
        if self.looked is None or self.busy:
            return False
        if self.looked.pending is None:
            return not self.base.problem
        ours, now = self.looked.pending.base, self.base
        found = (ours.seen, ours.pending, ours.conflicts, ours.kept, self.looked.drifted)
        return now.looked > ours.looked and found != (now.seen, now.pending, now.conflicts, now.kept, now.drifted)

    @property
    def drifts(self) -> list[Drift]:
        """What a deploy would change, of what is not kept otherwise than the files have it."""
        if self.looked is None or self.looked.pending is None:
            return []
        return deployed_with(self.looked.drifts, self.looked.pending, by_itself(self.definition, self.items))


class SyncBook:
    """Nobody waits for a look. ``changed`` is called when there is news."""

    def __init__(self, runtime: Runtime, shell: Shell, changed: Callable[[], None]) -> None:
        self._runtime = runtime
        self._shell = shell
        self._changed = changed
        self._definitions = SyncDefinitions(runtime.definitions)
        self.looker = SyncLooker(runtime, runtime.fleet, runtime.state_dir)
        self.applier = SyncApplier(runtime, runtime.executor, runtime.preparer, self.looker)
        self._reading = Reading(shell, self._read, self._take)
        self._read_at = 0.0
        self._known: dict[str, tuple[SyncDefinition, SyncBase]] = {}
        self._looks: dict[str, Looked] = {}
        self._busy: set[str] = set()
        self.read = False

    def look(self) -> None:
        """Read the definitions and what is known of them."""
        self._read_at = self._shell.now()
        self._reading.look()

    def tick(self, changes: Changes) -> None:
        """A watch may have looked meanwhile."""
        if self._shell.now() - self._read_at >= _AGAIN:
            self.look()

    def rows(self) -> Mapping[str, SyncRow]:
        """Every sync, by name."""
        return {
            name: SyncRow(definition, base, self._looks.get(name), name in self._busy)
            for name, (definition, base) in self._known.items()
        }

    def look_at(self, name: str) -> None:
        """Read its files now, and compare."""
        if name in self._known and name not in self._busy:
            self._busy.add(name)
            self._shell.work(self._look_at(self._known[name][0]))
            self._changed()

    async def _look_at(self, sync: SyncDefinition) -> None:
        try:
            pending = await self.looker.look(sync)
            drifts = tuple(await self.applier.drifts(pending, pending.items)) if sync.deploy else ()
            drifted = await self.applier.drifted(sync, pending, drifts) if sync.deploy else ()
            self._looks[sync.name] = Looked(pending, drifts, drifted=drifted)
        except KomodoError as error:
            self._looks[sync.name] = Looked(None, (), str(error))
        finally:
            self._busy.discard(sync.name)
        self.look()
        self._changed()

    def _read(self) -> dict[str, tuple[SyncDefinition, SyncBase]]:
        return {name: (sync, self.looker.bases.shown(name)) for name, sync in self._definitions.known().items()}

    def _take(self, known: dict[str, tuple[SyncDefinition, SyncBase]]) -> None:
        self._known, self.read = known, True
        self._looks = {name: looked for name, looked in self._looks.items() if name in known}
        self._changed()
