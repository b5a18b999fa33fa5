"""Definitions kept equal to files of a repository: what a sync is, and what one finds to do. Pure.

Three versions of each definition count: what the files say, what is here, and the **base**, which is what the files
said when both were equal last. From them follows who changed it: the files, somebody here, or both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from komodo_agent.wire.repo_checks import wrong_path
from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.names import check_plain_name
from komodo_tui.domain.units import count_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

ItemState = Literal["new", "changed", "gone", "here", "conflict", "guarded"]
"""Of one definition: new or changed in the files; gone from them; changed or gone here alone; both changed; gone from
the files, and kept by a guard."""
OnChangeHere = Literal["keep", "revert"]
Plain = dict[str, Any]
"""A definition in maps and lists, without what stands at its default."""
Key = tuple[str, str]
"""Kind and name: ``("stack", "shop")``."""

KINDS = (
    "server", "variable", "repo", "build", "stack", "deployment", "alerter", "maintenance", "log_rule", "procedure",
    "sync",
)  # fmt: skip
_SHORTEST = 10.0


class SyncDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A folder of a repository, or of this machine, and what is kept equal to it."""

    name: str
    repo: str = ""
    """A repo of ours: its clone on the first of its servers that is there is pulled and read."""
    folder: str = ""
    """Instead of a repo: an absolute folder of this machine."""
    path: str = ""
    """A folder or file below; empty = all of it."""
    stack: str = ""
    """The folder has the files of this stack; empty = it has definitions as YAML."""
    kinds: tuple[str, ...] = ()
    """Only these: ``stack``, ``procedure``…; empty = all."""
    tags: tuple[str, ...] = ()
    """Only definitions with one of these tags; empty = all."""
    delete: bool = False
    """Whether definitions that went from the files go here, too. Others are never touched."""
    most_deleted: float = 0.25
    """The share of the definitions it has brought that may go at once; when more are gone, none goes by itself."""
    automatic: bool = False
    """Apply by itself, in ``komodo-tui watch``."""
    every: str = "5m"
    """How often ``watch`` looks."""
    on_change_here: OnChangeHere = "keep"
    """What the automatic mode does with what was changed here alone: leave it and tell, or make it as the files say."""
    deploy: bool = False
    """Deploy the stacks and deployments it has brought, where what runs is not what they say."""
    description: str = ""


class DefineSyncOperation(msgspec.Struct, frozen=True, kw_only=True, tag="define_sync", tag_field="operation"):
    """Change a sync's definition. Nothing else is touched."""

    verb: Literal["add", "edit", "remove"]
    name: str
    definition: SyncDefinition | None = None
    """For add and edit."""
    rev: int | None = None
    """For edit and remove: the revision it was based on."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One definition in which files and definitions differ."""

    kind: str
    name: str
    state: ItemState
    files: Plain | None
    """As the files have it; None = they do not."""
    here: Plain | None
    """As it is here; None = it is not."""
    note: str = ""
    """Why it is not applied by itself."""
    held: bool = False
    """The sync deletes, and a guard keeps this one all the same."""

    @property
    def key(self) -> Key:
        """What tells it from others."""
        return self.kind, self.name

    @property
    def verb(self) -> Literal["add", "edit", "remove"]:
        """What applying it does here."""
        if self.files is None:
            return "remove"
        return "add" if self.here is None else "edit"

    def __str__(self) -> str:
        return f"{self.verb} {self.kind} {self.name}"


class SyncBase(msgspec.Struct, frozen=True, kw_only=True):
    """What a sync has brought, and how its last look went; kept beside the definitions."""

    base: dict[str, dict[str, Plain]] = msgspec.field(default_factory=dict)
    """By kind and name."""
    commit: str = ""
    """Of the last apply; empty = of no repository, or none yet."""
    applied: float = 0.0
    looked: float = 0.0
    """When the files were read last, whether that worked or not."""
    seen: str = ""
    """The commit that was read then."""
    pending: tuple[str, ...] = ()
    """What it found: ``edit stack shop``."""
    conflicts: int = 0
    kept: int = 0
    """What is gone from the files and would be removed here, did no guard keep it."""
    problem: str = ""
    """Why they could not be read, or could not be applied."""
    drifted: tuple[str, ...] = ()
    """Stacks and deployments it brought that do not run as they are defined: ``shop@web-1``."""

    def of(self, key: Key) -> Plain | None:
        """One definition as the files had it when both were equal last."""
        return self.base.get(key[0], {}).get(key[1])

    def brought(self) -> frozenset[Key]:
        """All it has brought."""
        return frozenset((kind, name) for kind, names in self.base.items() for name in names)


def standing(base: SyncBase) -> tuple[str, Literal["ok", "warn", "bad", "dim"]]:
    """How a sync stands, in words and with their tone."""
    if base.problem:
        return base.problem, "bad"
    if not base.looked:
        return "not looked at", "dim"
    if base.conflicts:
        return count_text(base.conflicts, "conflict"), "bad"
    if base.pending or base.kept:
        counts = [f"{len(base.pending)} pending"] * bool(base.pending) + [f"{base.kept} kept"] * bool(base.kept)
        return ", ".join(counts), "warn"
    if base.drifted:
        return f"does not run as defined: {', '.join(base.drifted)}", "warn"
    return "equal", "ok"


def check_sync(sync: SyncDefinition) -> SyncDefinition:
    """Return it, or raise :class:`UsageError` saying which field is wrong and what it takes."""
    check_plain_name("sync", sync.name)
    if bool(sync.repo) == bool(sync.folder):
        raise UsageError(f"sync {sync.name}: name either a repo or a folder", hint="repo: the name of a repo of yours")
    if sync.folder and not sync.folder.startswith("/"):
        raise UsageError(f"sync {sync.name}: {sync.folder!r} is no absolute folder")
    wrong = wrong_path(sync.path) if sync.path else ""
    if wrong:
        raise UsageError(f"sync {sync.name}: {wrong}", hint="a path below the repository's top, like fleet/prod")
    strange = [kind for kind in sync.kinds if kind not in KINDS]
    if strange:
        raise UsageError(f"sync {sync.name}: there is no kind {strange[0]!r}", hint=f"known: {', '.join(KINDS)}")
    if sync.stack and (sync.kinds or sync.tags or sync.delete):
        raise UsageError(f"sync {sync.name}: kinds, tags and delete are for definitions, not for a stack's files")
    if not 0 < sync.most_deleted <= 1:
        raise UsageError(f"sync {sync.name}: most_deleted is a share, above 0 and at most 1")
    if parse_duration(sync.every) < _SHORTEST:
        raise UsageError(f"sync {sync.name}: every is too often", hint="10s at the least")
    return sync


def compare(
    sync: SyncDefinition, files: Mapping[Key, Plain], here: Mapping[Key, Plain], known: SyncBase,
    others: Mapping[Key, str] | None = None,
) -> list[Item]:  # fmt: skip
    """What differs, in the order of the files, then what is gone from them.

    ``files`` and ``here`` hold only what the sync is about. Nothing that it did not bring is ever gone. ``others``:
    what other syncs have brought, with their names.
    """
    items = [found for key, wanted in files.items() if (found := _differs(key, wanted, here.get(key), known.of(key)))]
    keys = sorted(key for key in known.brought() if key not in files and key in here)
    gone = [_gone(sync, key, here[key], known.of(key), (others or {}).get(key, "")) for key in keys]
    return items + _guarded(sync, gone, len(known.brought()), empty=not files)


def outside(sync: SyncDefinition, base: SyncBase) -> set[Key]:
    """What it has brought and is not about any more, by its kinds and tags."""
    return {
        (kind, name)
        for kind, names in base.base.items()
        for name, plain in names.items()
        if (sync.kinds and kind not in sync.kinds) or (sync.tags and not set(plain.get("tags", ())) & set(sync.tags))
    }


def without(base: SyncBase, keys: Collection[Key]) -> SyncBase:
    """The same as if it had not brought these: they are the files', and not this sync's any more."""
    kept = {kind: {name: plain for name, plain in names.items() if (kind, name) not in keys}
            for kind, names in base.base.items()}  # fmt: skip
    return msgspec.structs.replace(base, base={kind: names for kind, names in kept.items() if names})


def _differs(key: Key, wanted: Plain, here: Plain | None, base: Plain | None) -> Item | None:
    if wanted == here:
        return None
    state: ItemState
    if here is None:
        state = "new" if base is None else "here" if base == wanted else "conflict"
    elif base is None or here == base:
        state = "changed"
    else:
        state = "here" if wanted == base else "conflict"
    note = {
        "here": "changed here since it was applied", "conflict": "changed here and in the files",
    }.get(state, "")  # fmt: skip
    if state in ("here", "conflict") and here is None:
        note = "removed here" if state == "here" else "removed here and changed in the files"
    return Item(kind=key[0], name=key[1], state=state, files=wanted, here=here, note=note)


def _gone(sync: SyncDefinition, key: Key, here: Plain, base: Plain | None, other: str) -> Item:
    if here != base:
        return Item(kind=key[0], name=key[1], state="conflict", files=None, here=here,
                    note="gone from the files and changed here")  # fmt: skip
    state: ItemState = "gone" if sync.delete and not other else "guarded"
    note = f"gone from the files; kept: sync {other} has brought it, too" if other else ""
    note = note if sync.delete else "gone from the files; kept: the sync does not delete"
    return Item(kind=key[0], name=key[1], state=state, files=None, here=here, note=note)


def _guarded(sync: SyncDefinition, gone: list[Item], brought: int, *, empty: bool) -> list[Item]:
    """The same, none of it to go where the source looks as if it were not meant so."""
    going = [item for item in gone if item.state == "gone"]
    if empty and going:
        why = "kept: the source has no definitions at all; what shall go is removed by hand"
    elif len(going) > max(1.0, brought * sync.most_deleted):
        why = (
            f"kept: {len(going)} of {brought} would go at once, more than {sync.most_deleted:.0%}; "
            "most_deleted: 1 in the sync lets them go, or remove them by hand"
        )
    else:
        return gone
    return [msgspec.structs.replace(i, state="guarded", note=why, held=True) if i.state == "gone" else i for i in gone]


def by_itself(sync: SyncDefinition, items: Iterable[Item]) -> list[Item]:
    """Those that the automatic mode applies."""
    states = {"new", "changed", "gone"} | ({"here"} if sync.on_change_here == "revert" else set())
    return [item for item in items if item.state in states]


def applied(known: SyncBase, items: Iterable[Item], equal: Mapping[Key, Plain]) -> dict[str, dict[str, Plain]]:
    """The base after these were applied; ``equal`` are those in which files and definitions agree anyway."""
    base = {kind: dict(names) for kind, names in known.base.items()}
    for (kind, name), plain in equal.items():
        base.setdefault(kind, {})[name] = plain
    for item in items:
        if item.files is None:
            base.get(item.kind, {}).pop(item.name, None)
        else:
            base.setdefault(item.kind, {})[item.name] = item.files
    return {kind: names for kind, names in base.items() if names}


def difference(item: Item, text_of: Any, *, back: bool = False) -> str:
    """A unified diff from what is here to what the files say, or ``back``; ``text_of`` makes YAML of a definition."""
    import difflib  # late: few look at differences

    sides = [(text_of(plain) if plain is not None else "", name)
             for plain, name in ((item.here, "here"), (item.files, "files"))]  # fmt: skip
    (before, old), (after, new) = reversed(sides) if back else sides
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), old, new, lineterm="")
    return "\n".join(lines)
