"""``repo pushes``: what was pushed to repos, and what became of it; ``repo push``: the same by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode
from komodo_tui.domain.units import time_text
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.pushes.by_hand import push_by_hand
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.store.pushes import PushStore

if TYPE_CHECKING:
    from komodo_tui.domain.pushes import Push, SeenBranch
    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.headless.output import Tone
    from komodo_tui.headless.session import Session

_TONES: dict[str, Tone] = {"pending": "warn", "running": "warn", "done": "good", "failed": "bad"}
_COLUMNS = (
    Column("REPO"), Column("SEEN"), Column("BY"), Column("BRANCH"), Column("COMMIT"), Column("RESULT"), Column("RUN"),
    Column("SUBJECT", flexible=True),
)  # fmt: skip


async def pushes(session: Session) -> int:
    """The newest pushes, and which repos are looked at."""
    async with session.runtime() as runtime:
        known = RepoDefinitions(runtime.definitions).known()
        name = session.arguments.name
        if name:
            RepoDefinitions(runtime.definitions).stored(name)
        store = PushStore(runtime.state_dir.pushes)
        try:
            found, seen = store.recent(name, session.arguments.limit), store.seen()
        finally:
            store.close()
    if name:
        seen = {repo: one for repo, one in seen.items() if repo == name}
    if session.out.json:
        session.out.document({"pushes": found, "branches": list(seen.values())})
        return ExitCode.DONE
    session.out.table(_COLUMNS, [_row(push) for push in found])
    for one in seen.values():
        session.out.line(_line(one, known.get(one.repo)))
    return ExitCode.DONE


async def push(session: Session) -> int:
    """Set off what a push would, by hand."""
    async with session.runtime() as runtime:
        repo = RepoDefinitions(runtime.definitions).stored(session.arguments.name).value
        watched = await asyncio.to_thread(
            push_by_hand, runtime.state_dir, repo, runtime.actor, read_only=runtime.settings.read_only
        )
    acts = ", then ".join(action.text for action in repo.on_push)
    session.out.say(f"{repo.name}: {acts}: {'the watch does it now' if watched else 'waits for komodo-tui watch'}")
    return ExitCode.DONE


def _row(push: Push) -> list[Cell]:
    result = f"{push.state}: {push.note}" if push.note else push.state
    count = f" (+{push.count - 1})" if push.count > 1 else ""
    return [
        Cell(push.repo), Cell(time_text(push.seen)), Cell(push.source), Cell(push.branch or "(main)"),
        Cell(f"{push.commit[:10] or '-'}{count}"), Cell(result, _TONES[push.state]), Cell(push.run),
        Cell(f"{push.who}: {push.subject}" if push.who else push.subject),
    ]  # fmt: skip


def _line(seen: SeenBranch, repo: RepoDefinition | None) -> str:
    if seen.problem:
        return f"{seen.repo}: ! since {time_text(seen.since)}: {seen.problem}"
    how = f"every {repo.poll}" if repo is not None and repo.poll else "by webhooks"
    return f"{seen.repo}: {seen.commit[:10]}, looked at {how}, last {time_text(seen.checked)}"
