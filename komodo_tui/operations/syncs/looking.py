"""What a sync finds: its files read, understood and compared with the definitions and with what it brought before."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from komodo_tui.domain.errors import KomodoError, NotFoundError, UsageError
from komodo_tui.domain.syncs import Item, Key, Plain, SyncBase, applied, compare, outside, without
from komodo_tui.operations.definition_files import KINDS, plain
from komodo_tui.operations.sync_definitions import SyncDefinitions
from komodo_tui.operations.syncs.reading import SourceReader
from komodo_tui.store.fleet_files import FleetFile, check_definition, parse_fleet
from komodo_tui.store.sync_bases import SyncBases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.syncs import SyncDefinition
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.definition_files import Parts
    from komodo_tui.operations.syncs.reading import SourceFiles
    from komodo_tui.store.paths import StateDirectory

_MOST_TOLD = 200


class Pending(NamedTuple):
    """What one look found."""

    source: SourceFiles
    wanted: FleetFile
    """What the files say, of what the sync is about."""
    items: list[Item]
    equal: dict[Key, Plain]
    """In which both agree."""
    places: dict[Key, str]
    """The file that has each definition."""
    base: SyncBase
    """As it was before the look."""


class SyncLooker:
    """Looks; changes nothing but the note of how the last look went."""

    def __init__(self, parts: Parts, fleet: FleetManager, state_dir: StateDirectory) -> None:
        self._parts = parts
        self._reader = SourceReader(fleet, parts.definitions, parts.values)
        self.bases = SyncBases(state_dir.syncs)

    async def look(self, sync: SyncDefinition, *, pull: bool = True) -> Pending:
        """Read and compare. How it went is kept, for lists and alerts.

        Raises:
            KomodoError: the files cannot be read, or something in them is wrong (file, line and key are named).
        """
        base = await asyncio.to_thread(self.bases.read, sync.name)
        try:
            source = await self._reader.read(sync, pull=pull)
            found = await asyncio.to_thread(self._compared, sync, source, base)
        except KomodoError as error:
            problem = str(error)[:500]
            await asyncio.to_thread(
                self.bases.update, sync.name, lambda now: replace(now, looked=time.time(), problem=problem)
            )
            raise

        def noted(now: SyncBase) -> SyncBase:
            if now.applied != base.applied:  # meanwhile somebody applied it: what we found is how it was before
                return replace(now, looked=time.time())
            return replace(
                now, base=applied(found.base, (), found.equal), looked=time.time(), seen=source.commit, problem="",
                pending=tuple(f"{item}" for item in found.items if item.state != "guarded")[:_MOST_TOLD],
                conflicts=sum(item.state == "conflict" for item in found.items),
                kept=sum(item.held for item in found.items),
            )  # fmt: skip

        return found._replace(base=await asyncio.to_thread(self.bases.update, sync.name, noted))

    def _compared(self, sync: SyncDefinition, source: SourceFiles, base: SyncBase) -> Pending:
        if sync.stack:
            wanted, places = self._stack_of(sync, source)
        else:
            wanted, found = parse_fleet((name, text.encode()) for name, text in source.texts.items())
            words = {kind.plural: kind.word for kind in KINDS}
            places = {(words[plural], name): file for (plural, name), file in found.items()}
        everything = {(kind.word, one.name) for kind in KINDS for one in getattr(wanted, kind.plural)}
        wanted = _narrowed(wanted, sync)
        files = _plains(wanted)
        # another tag, say: it is not gone from the files; nor is it this sync's any more
        base = without(base, (everything - set(files)) | outside(sync, base))
        here = self.here(set(files) | base.brought())
        items = compare(sync, files, here, base, self._others(sync) if base.brought() - set(files) else None)
        equal = {key: value for key, value in files.items() if here.get(key) == value}
        return Pending(source, wanted, items, equal, places, base)

    def _others(self, sync: SyncDefinition) -> dict[Key, str]:
        """What other syncs have brought, with the name of one that has. Reads the stores."""
        names = [name for name in SyncDefinitions(self._parts.definitions).known() if name != sync.name]
        return {key: name for name in names for key in self.bases.read(name).brought()}

    def here(self, keys: set[Key]) -> dict[Key, Plain]:
        """The definitions of these keys, as they are. Reads the stores."""
        found: dict[Key, Plain] = {}
        for kind in KINDS:
            names = {name for word, name in keys if word == kind.word}
            if names:
                known = kind.known(self._parts)
                found.update(((kind.word, name), plain(known[name])) for name in names if name in known)
        return found

    def _stack_of(self, sync: SyncDefinition, source: SourceFiles) -> tuple[FleetFile, dict[Key, str]]:
        """The stack with the source's files as its own."""
        stack = self._parts.stacks.known().get(sync.stack)
        if stack is None:
            raise NotFoundError(f"sync {sync.name}: there is no stack {sync.stack!r}", hint="define it first")
        if not source.texts:
            raise UsageError(f"sync {sync.name}: its folder has no files")
        first = stack.files[0]
        if first not in source.texts:
            raise UsageError(f"sync {sync.name}: its folder has no {first}", hint="the stack's `files` names it")
        attached = {name: text for name, text in source.texts.items() if name != first}
        wanted = replace(stack, compose=source.texts[first], attached=attached)
        check_definition(f"sync {sync.name}", "stacks", wanted)
        key = ("stack", sync.stack)
        return FleetFile(stacks=(wanted,)), {key: first}


def _narrowed(wanted: FleetFile, sync: SyncDefinition) -> FleetFile:
    """Only what the sync is about."""
    kept = {}
    for kind in KINDS:
        found = getattr(wanted, kind.plural)
        if (sync.kinds and kind.word not in sync.kinds) or (kind.word == "sync" and sync.stack):
            found = ()
        elif sync.tags:
            found = tuple(each for each in found if set(getattr(each, "tags", ())) & set(sync.tags))
        kept[kind.plural] = found
    return replace(wanted, **kept)


def _plains(wanted: FleetFile) -> Mapping[Key, Plain]:
    return {
        (kind.word, definition.name): plain(definition) for kind in KINDS for definition in getattr(wanted, kind.plural)
    }
