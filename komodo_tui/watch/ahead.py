"""What would run by itself, and when: told where it is asked whether somebody watches. Blocks; call it in a thread."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple, Protocol

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.procedures.figures import next_time, schedule_of
from komodo_tui.domain.units import count_text, duration_text
from komodo_tui.operations.alerts.definitions import AlerterDefinitions
from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.operations.sync_definitions import SyncDefinitions
from komodo_tui.store.pushes import PushStore
from komodo_tui.store.slots import SlotStore

if TYPE_CHECKING:
    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.domain.pushes import Push
    from komodo_tui.store.definitions import DefinitionStore
    from komodo_tui.store.paths import StateDirectory
    from komodo_tui.watch.turn import Holder


class Runtime(Protocol):
    """Where it is read from."""

    @property
    def state_dir(self) -> StateDirectory: ...
    @property
    def definitions(self) -> DefinitionStore: ...


class Ahead(NamedTuple):
    """All that waits for somebody who watches."""

    schedules: int = 0
    """Procedures with a schedule."""
    next: tuple[str, float] | None = None
    """The procedure that is due first, and when (Unix time)."""
    caught_up: tuple[str, ...] = ()
    """Procedures whose last time was missed and that would be run at once."""
    polled: int = 0
    """Repos that are looked at for pushes."""
    hooks: int = 0
    """Repos whose pushes are told by webhooks."""
    pushes: int = 0
    """Pushes that wait, or were left half-way."""
    acting: int = 0
    """Pushes that somebody acts on, or was acting on."""
    syncs: tuple[str, ...] = ()
    """Syncs that are applied by themselves."""
    looked: int = 0
    """Syncs that are only looked at."""
    alerters: int = 0
    """Where alerts are sent."""

    @property
    def anything(self) -> bool:
        """Whether something would not happen while nobody watches."""
        return bool(self.schedules or self.polled or self.hooks or self.pushes or self.syncs or self.looked)


def ahead(runtime: Runtime, now: float) -> Ahead:
    """All of it, as the definitions are now. Raises StoreError."""
    scheduled = [d for d in ProcedureDefinitions(runtime.definitions).known().values() if d.schedule]
    due = [(at, d.name) for d in scheduled if (at := next_time(d, now)) is not None]
    repos = RepoDefinitions(runtime.definitions).known().values()
    syncs = SyncDefinitions(runtime.definitions).known().values()
    first, pushes = min(due, default=None), _waiting(runtime)
    return Ahead(
        schedules=len(scheduled),
        next=(first[1], first[0]) if first is not None else None,
        caught_up=_caught_up(runtime, scheduled, now),
        polled=sum(bool(repo.poll) and not repo.commit for repo in repos),
        hooks=sum(bool(repo.webhook) for repo in repos),
        pushes=len(pushes),
        acting=sum(push.state == "running" for push in pushes),
        syncs=tuple(sync.name for sync in syncs if sync.automatic),
        looked=sum(not sync.automatic for sync in syncs),
        alerters=sum(alerter.enabled for alerter in AlerterDefinitions(runtime.definitions).known().values()),
    )


def _caught_up(runtime: Runtime, scheduled: list[ProcedureDefinition], now: float) -> tuple[str, ...]:
    wished = [definition for definition in scheduled if definition.catch_up == "last"]
    if not wished:
        return ()
    found = []
    with closing(SlotStore(runtime.state_dir.runs / "slots.db")) as slots:
        for definition in wished:
            last = slots.last(definition.name, now)
            try:
                if last is not None and schedule_of(definition).due(last.at, now):
                    found.append(definition.name)
            except UsageError:
                continue
    return tuple(found)


def _waiting(runtime: Runtime) -> list[Push]:
    path = runtime.state_dir.pushes
    if not path.exists():
        return []
    with closing(PushStore(path)) as store:
        return [push for push in store.newest().values() if push.state in ("pending", "running")]


def parts_text(ahead: Ahead) -> str:
    """``3 schedules, 2 repos, 1 sync``: what there is, in a line."""
    repos = max(ahead.polled, ahead.hooks)
    counts = ((ahead.schedules, "schedule"), (repos, "repo"), (len(ahead.syncs) + ahead.looked, "sync"))
    return ", ".join(count_text(number, what) for number, what in counts if number)


def next_text(ahead: Ahead, now: float) -> str:
    """``next: nightly in 2h``; empty where no time is known."""
    return f"next: {ahead.next[0]} in {duration_text(max(ahead.next[1] - now, 0))}" if ahead.next else ""


def standing_lines(holder: Holder | None, ahead: Ahead, now: float, *, ours: bool = False) -> list[str]:
    """Who watches, and what comes next; ``ours``: it is this program."""
    following = next_text(ahead, now)
    if holder is None:
        if not ahead.anything:
            return ["nobody watches, and nothing would run by itself"]
        lines = [f"nobody watches: {parts_text(ahead)} would not run", f"{following} would be missed"]
        return lines if following else lines[:1]
    who = "this program watches" if ours else f"watched by {holder}"
    if holder.stalled(now):
        who = f"{who}, which has given no sign of life for {duration_text(now - holder.seen)}"
    return [who, following] if following else [who]
