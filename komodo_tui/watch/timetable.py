"""All that runs by itself, line by line: when it ran last, how that ended, when it runs next. Blocks."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING, Literal, NamedTuple

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.procedures.figures import schedule_of
from komodo_tui.domain.syncs import standing
from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.operations.sync_definitions import SyncDefinitions
from komodo_tui.store.pushes import PushStore
from komodo_tui.store.runs import RunStore
from komodo_tui.store.slots import SlotStore
from komodo_tui.store.sync_bases import SyncBases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.domain.pushes import Push, SeenBranch
    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.domain.syncs import SyncDefinition
    from komodo_tui.watch.ahead import Runtime

MISSED_DAYS = 30
"""How far back missed times are counted."""
_RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


class Entry(NamedTuple):
    """One line."""

    kind: Literal["procedure", "repo", "sync"]
    name: str
    when: str
    """As it was defined, with its zone."""
    next: float | None = None
    """Unix time; None where it is not known, or nobody can say."""
    last: float | None = None
    """Unix time; None = never."""
    result: str = ""
    """What became of the last time."""
    run: str = ""
    """The run that was."""
    good: bool = True
    """Whether that was as it should be."""
    problem: str = ""
    """Why it does not run."""
    missed: int = 0
    """Times of the last days that nobody was there for."""


def timetable(runtime: Runtime, now: float) -> list[Entry]:
    """Procedures with a schedule, repos whose pushes are looked for or told of, syncs. Raises StoreError."""
    found: list[Entry] = []
    scheduled = [d for d in ProcedureDefinitions(runtime.definitions).known().values() if d.schedule]
    if scheduled:
        runs = RunStore(runtime.state_dir.runs)
        with closing(SlotStore(runtime.state_dir.runs / "slots.db")) as slots:
            found += [_procedure(definition, slots, runs, now) for definition in scheduled]
    return [*found, *_repos(runtime), *_syncs(runtime, now)]


def is_run(result: str) -> bool:
    """Whether what became of a slot is a run, and not why there was none."""
    return bool(_RUN.fullmatch(result))


def _procedure(definition: ProcedureDefinition, slots: SlotStore, runs: RunStore, now: float) -> Entry:
    following, problem = None, ""
    try:
        following = schedule_of(definition).after(now)
    except UsageError as error:
        problem = str(error)
    last = slots.last(definition.name, now)
    result = last.result if last else ""
    run = result if is_run(result) else ""
    if run:
        result = _ended(runs, run)
    later = f"up to {definition.jitter} later" if definition.jitter else ""
    when = ", ".join(filter(None, (f"{definition.schedule} {definition.timezone}".strip(), later)))
    return Entry(
        "procedure", definition.name, when, following,
        last.at if last else None, result, run, result in ("", "success", "running", run), problem,
        missed=slots.missed(definition.name, now - MISSED_DAYS * 86400),
    )  # fmt: skip


def _ended(runs: RunStore, run: str) -> str:
    """How a run went; its id where that is not known any more."""
    try:
        found = runs.get(run)
    except NotFoundError:
        return run
    return found.outcome or ("running" if runs.alive(run) else "interrupted")


def _repos(runtime: Runtime) -> list[Entry]:
    repos = RepoDefinitions(runtime.definitions).known()
    wanted = {name: repo for name, repo in repos.items() if repo.poll or repo.webhook}
    if not wanted:
        return []
    with closing(PushStore(runtime.state_dir.pushes)) as store:
        pushes, seen = store.newest(), store.seen()
    return [_repo(repo, pushes.get(name), seen.get(name)) for name, repo in wanted.items()]


def _repo(repo: RepoDefinition, push: Push | None, seen: SeenBranch | None) -> Entry:
    how = " and ".join(filter(None, (f"look every {repo.poll}" if repo.poll else "", "hook" if repo.webhook else "")))
    looked = seen.checked if seen is not None else 0.0
    last = push.seen if push is not None else looked
    return Entry(
        "repo", repo.name, how, looked + parse_duration(repo.poll) if repo.poll and looked else None, last or None,
        f"push {push.commit[:8]} {push.state}" if push is not None else "no push yet" if looked else "",
        good=push is None or push.state not in ("pending", "running", "failed"),
        problem=seen.problem if seen is not None else "",
    )  # fmt: skip


def _syncs(runtime: Runtime, now: float) -> Iterator[Entry]:
    bases = SyncBases(runtime.state_dir.syncs)
    for sync in SyncDefinitions(runtime.definitions).known().values():
        yield _sync(sync, bases, now)


def _sync(sync: SyncDefinition, bases: SyncBases, now: float) -> Entry:
    how = f"{'apply' if sync.automatic else 'look'} every {sync.every}"
    base = bases.shown(sync.name)
    words, tone = standing(base)
    following = max(base.looked + parse_duration(sync.every), now) if base.looked else None
    return Entry(
        "sync", sync.name, how, following, base.looked or None, words if base.looked else "",
        good=tone in ("ok", "dim"), problem=base.problem,
    )  # fmt: skip
