"""What a push sets off, set off by a person: after a failure, say."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ReadOnlyError, UsageError
from komodo_tui.domain.pushes import Push, SeenBranch
from komodo_tui.store.locks import is_held
from komodo_tui.store.pushes import PushStore

if TYPE_CHECKING:
    from komodo_tui.domain.operations import Actor
    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.store.paths import StateDirectory


def push_by_hand(paths: StateDirectory, repo: RepoDefinition, actor: Actor, *, read_only: bool) -> bool:
    """Let the watch do what the repo's ``on_push`` says, all of it; returns whether a watch is there. Blocks.

    Raises:
        ReadOnlyError, UsageError: nothing was entered; the repo says nothing of pushes.
        StoreError: the queue cannot be written.
    """
    if read_only:
        raise ReadOnlyError(f"repo {repo.name}: refused, read-only mode is on", hint="start without --read-only")
    if not repo.on_push:
        raise UsageError(f"repo {repo.name}: a push sets nothing off", hint="name it in its definition: on_push")
    store = PushStore(paths.pushes)
    try:
        push = Push(repo=repo.name, branch=repo.branch, source="hand", who=str(actor), subject="asked for by hand")
        seen = SeenBranch(repo=repo.name, url=repo.url, branch=repo.branch)
        store.delivered(push, seen, (f"hand:{uuid.uuid4()}",), time.time())
    finally:
        store.close()
    return is_held(paths.root / "watch.lock")
