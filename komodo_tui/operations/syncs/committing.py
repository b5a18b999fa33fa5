"""What was changed here, brought back into the files of a sync's repository as one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_agent.wire.repos import RepoChange
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.repos import RepoOperation
from komodo_tui.domain.syncs import difference
from komodo_tui.operations.definition_files import KINDS
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.store.yaml_edit import add_entry, replace_entry
from komodo_tui.store.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from komodo_tui.domain.syncs import Item, SyncDefinition
    from komodo_tui.operations.syncs.looking import Pending
    from komodo_tui.store.definitions import DefinitionStore

_PLURALS = {kind.word: kind.plural for kind in KINDS}


def refuse_folder(sync: SyncDefinition) -> None:
    """Raises UsageError where there is no repository: a folder takes no commits."""
    if sync.folder:
        raise UsageError(
            f"sync {sync.name} reads a folder: there is nothing to commit to", hint="komodo-tui export writes files"
        )


def commit_back(
    sync: SyncDefinition,
    pending: Pending,
    items: Sequence[Item],
    definitions: DefinitionStore,
    *,
    message: str,
    author: str = "",
) -> RepoOperation:
    """The commit that makes the files say what is here. Reads the stores; changes nothing.

    Raises:
        UsageError: the sync has no repository, or an entry cannot be edited in its file.
    """
    refuse_folder(sync)
    if not items:
        raise UsageError(f"sync {sync.name}: nothing was changed here", hint="komodo-tui sync plan lists differences")
    above, alone = sync.path, ""
    if sync.path.endswith((".yaml", ".yml")):
        above, _, alone = sync.path.rpartition("/")
    texts: Mapping[str, str | None] = (
        _stack_texts(pending, items) if sync.stack else _definition_texts(pending, items, alone)
    )
    top = f"{above}/" if above else ""
    changes = tuple(
        RepoChange(path=top + name, text=text, digest=pending.source.digests.get(name, ""))
        for name, text in texts.items()
    )
    diffs = [f"{item.kind} {item.name}\n{difference(item, yaml_text, back=True)}" for item in items]
    return RepoOperation(
        verb="commit", repo=RepoDefinitions(definitions).stored(sync.repo).value, servers=(pending.source.server,),
        changes=changes, message=message or _message(items), author=author, diff="\n".join(diffs),
    )  # fmt: skip


def _definition_texts(pending: Pending, items: Sequence[Item], alone: str) -> Mapping[str, str]:
    """``alone``: the one file that the sync reads; empty = a folder of them."""
    texts: dict[str, str] = {}
    for item in items:
        plural, place = _PLURALS[item.kind], pending.places.get(item.key)
        if place is None:
            if item.here is None:
                raise UsageError(f"{item.kind} {item.name} is in no file")
            if alone:
                texts[alone] = add_entry(texts.get(alone, pending.source.texts[alone]), plural, item.here)
                continue
            name = f"{item.kind}-{item.name}.yaml"
            if name in pending.source.texts:
                raise UsageError(f"{name} is there already, without {item.kind} {item.name}")
            texts[name] = yaml_text({plural: [item.here]})
            continue
        before = texts.get(place, pending.source.texts[place])
        texts[place] = replace_entry(before, plural, item.name, item.here)
    return texts


def _stack_texts(pending: Pending, items: Sequence[Item]) -> Mapping[str, str | None]:
    """The files of the one stack, where they differ; None: it has no such file here."""
    (item,) = items
    here = item.here
    if here is None:
        raise UsageError(f"{item.kind} {item.name} is not here any more")
    files = {pending.places[item.key]: here.get("compose", ""), **here.get("attached", {})}
    changed: dict[str, str | None] = {n: text for n, text in files.items() if pending.source.texts.get(n) != text}
    return changed | {name: None for name in pending.source.texts if name not in files}


def _message(items: Sequence[Item]) -> str:
    """``Change stack shop and 2 more``."""
    first = f"{items[0].kind} {items[0].name}"
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    return f"Change {first}{more}"
