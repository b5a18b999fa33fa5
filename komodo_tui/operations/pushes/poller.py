"""Looks at the branches of repos for pushes, by the agents: they have the network, the keys and git."""

from __future__ import annotations

import asyncio
import random
import time
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import ActError, KomodoError, NotFoundError, UnreachableError, UsageError
from komodo_tui.domain.pushes import SHORTEST_POLL, SeenBranch
from komodo_tui.domain.repos import servers_of
from komodo_tui.operations.repo_plans import source_with_token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from komodo_agent.wire.repos import RemoteHead
    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.values import StoredValues
    from komodo_tui.store.pushes import PushStore

_LOOK = 5.0
"""Seconds after which definitions are read again."""
_AT_ONCE = 16
"""Looks under way at the same time, in all."""
_SPREAD = 10.0
"""Seconds over which first looks are spread."""
_JITTER = 0.1
"""Of the interval, by which a look comes early: many repos do not stay in step."""
_CLIENT = 5.0
_LONGEST = 900.0
_HOST_FAILURES = 3
"""Failed looks in a row after which a host is left alone for a while."""
_HOST_PAUSE = 15.0


class Poller:
    """Looks at each repo as often as it says. A host that fails is asked less and less, as is a repo."""

    def __init__(
        self,
        fleet: FleetManager,
        repos: Callable[[], Mapping[str, RepoDefinition]],
        servers: Callable[[], Mapping[str, ServerDefinition]],
        values: StoredValues,
        store: PushStore,
        pushed: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        """``pushed`` is called when there is a push to act on; ``say`` is told what begins to fail, in one line."""
        self._fleet = fleet
        self._repos = repos
        self._servers = servers
        self._values = values
        self._store = store
        self._pushed = pushed
        self._say = say
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._next: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._hosts: dict[str, tuple[int, float]] = {}
        self._chosen: dict[str, int] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._told: set[str] = set()
        """Repos of which it was said where they stood when looking began."""

    async def run(self) -> None:
        """Look until cancelled."""
        polled: dict[str, RepoDefinition] = {}
        read = -_LOOK
        try:
            while True:
                now = time.monotonic()
                if now - read >= _LOOK:
                    polled, read = await asyncio.to_thread(self._polled), now
                    self._forget(polled)
                for name, repo in polled.items():
                    if name not in self._looking and self._next.setdefault(name, now + self._first(repo)) <= now:
                        self._begin(repo, now)
                due = min((at for at in self._next.values() if at > now), default=now + _LOOK)
                await asyncio.sleep(min(max(0.05, due - now), _LOOK))
        finally:
            for task in self._looking.values():
                task.cancel()
            await asyncio.gather(*self._looking.values(), return_exceptions=True)

    async def once(self) -> None:
        """Look at all of them now."""
        polled = await asyncio.to_thread(self._polled)
        await asyncio.gather(*map(self._in_turn, polled.values()))

    async def look(self, repo: RepoDefinition) -> bool:
        """Look at one now; True when that was a push. What goes wrong is kept as the repo's problem."""
        seen = SeenBranch(repo=repo.name, url=repo.url, branch=repo.branch)
        problem, began = "", time.time()
        try:
            head = await self._head(repo)
            if not head.commit:
                problem = f"there is no branch {repo.branch or '(main)'} at {repo.url}, or nothing in it"
        except KomodoError as error:
            problem = str(error)
        self._count(repo, failed=bool(problem))
        now = time.time()
        if problem:
            if await asyncio.to_thread(self._store.failed_look, seen, problem[:500], now):
                self._say(f"repo {repo.name}: {problem}")
            return False
        found = msgspec.structs.replace(seen, commit=head.commit)
        pushed = await asyncio.to_thread(partial(self._store.looked, found, head.branch, now, began=began))
        if pushed:
            self._say(f"repo {repo.name}: {head.branch or repo.branch} is at {head.commit[:12]} now")
            self._pushed()
        elif repo.name not in self._told:
            branch = head.branch or repo.branch
            self._say(f"repo {repo.name}: {branch} is at {head.commit[:12]}; what comes after counts")
        self._told.add(repo.name)
        return pushed

    def _polled(self) -> dict[str, RepoDefinition]:
        return {name: repo for name, repo in self._repos().items() if repo.poll and not repo.commit}

    def _forget(self, polled: Mapping[str, RepoDefinition]) -> None:
        for gone in self._next.keys() - polled.keys():
            for known in (self._next, self._failures, self._chosen):
                known.pop(gone, None)
            self._told.discard(gone)

    def _first(self, repo: RepoDefinition) -> float:
        return random.uniform(0, min(_SPREAD, _interval(repo)))

    def _begin(self, repo: RepoDefinition, now: float) -> None:
        pause = self._hosts.get(_host(repo.url), (0, 0.0))[1]
        if pause > now:
            self._next[repo.name] = pause + random.uniform(0, _HOST_PAUSE)
            return
        wait = min(_interval(repo) * 2 ** self._failures.get(repo.name, 0), max(_LONGEST, _interval(repo)))
        self._next[repo.name] = now + wait * random.uniform(1 - _JITTER, 1)
        task = asyncio.create_task(self._in_turn(repo), name=f"look at {repo.name}")
        self._looking[repo.name] = task
        task.add_done_callback(lambda _: self._looking.pop(repo.name, None))

    async def _in_turn(self, repo: RepoDefinition) -> None:
        async with self._turns:
            try:
                await self.look(repo)
            except KomodoError as error:
                self._say(f"repo {repo.name}: {error}")  # the queue cannot be written: the next look tries again

    async def _head(self, repo: RepoDefinition) -> RemoteHead:
        """Ask by one of the repo's servers, by another where that one is away. Raises KomodoError."""
        names = self._places(repo)
        start = self._chosen.get(repo.name, 0)
        away: KomodoError | None = None
        for number in range(min(len(names), 3)):
            name = names[(start + number) % len(names)]
            source = await asyncio.to_thread(source_with_token, repo.name, repo.source, name, self._values)
            try:
                client = await self._fleet.link(name).client(_CLIENT)
                head = await client.remote_head(source)
            except NotFoundError as error:
                hint = "install it again (server install-agent)"
                raise ActError("the agent is too old to look for pushes", hint=hint, server=name) from error
            except UnreachableError as error:
                away = error
                continue
            except KomodoError:
                self._chosen[repo.name] = start + number + 1  # that server may be what is wrong
                raise
            self._chosen[repo.name] = (start + number) % len(names)
            return head
        raise away or UsageError(f"repo {repo.name} is on no server that is there", hint="name servers in it")

    def _places(self, repo: RepoDefinition) -> tuple[str, ...]:
        """Its servers that are connected, else all of them; where it names none, this machine, else any."""
        known = self._servers()
        names = servers_of(repo, known) if repo.servers else ("local",) if "local" in known else tuple(known)
        states = self._fleet.state.servers
        there = tuple(name for name in names if name in states)
        return tuple(name for name in there if states[name].live) or there

    def _count(self, repo: RepoDefinition, *, failed: bool) -> None:
        host, now = _host(repo.url), time.monotonic()
        if not failed:
            self._failures.pop(repo.name, None)
            self._hosts.pop(host, None)
            return
        self._failures[repo.name] = min(self._failures.get(repo.name, 0) + 1, 16)
        count = self._hosts.get(host, (0, 0.0))[0] + 1
        over = min(count - _HOST_FAILURES, 6)
        self._hosts[host] = (count, now + _HOST_PAUSE * 2**over if over >= 0 else 0.0)


def _interval(repo: RepoDefinition) -> float:
    return max(parse_duration(repo.poll), SHORTEST_POLL)


def _host(url: str) -> str:
    """Whose patience a look costs."""
    _, slashes, rest = url.partition("://")
    place = rest.partition("/")[0] if slashes else url.partition(":")[0]
    return place.rpartition("@")[2]
