"""Takes pushes from the queue and makes a run of each: a push that was begun is gone on with, never begun again."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError, LockedError, NotFoundError, StoreError
from komodo_tui.domain.operations import Actor
from komodo_tui.domain.procedures.journal import TargetEnded
from komodo_tui.domain.pushes import run_of, wanted
from komodo_tui.domain.repos import RepoOperation, servers_of
from komodo_tui.operations.procedures.start import new_run_id, resumed, started
from komodo_tui.operations.pushes.parts import PushParts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from komodo_tui.domain.procedures.journal import RunEnded
    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.domain.pushes import OnPush, Push
    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.operations.procedures.parts import RunParts, Runtime
    from komodo_tui.operations.procedures.runner import Runner
    from komodo_tui.store.pushes import PushStore
    from komodo_tui.store.runs import RunStore

_AT_ONCE = 8
"""Runs of pushes under way at the same time; of one repo there is one."""
_LOOK = 2.0
"""Seconds after which the queue is looked at, though nobody said that there is something: others write it too."""
_CONNECT = 10.0
"""Seconds a server may take to be connected before a run begins without it."""
_AGAIN = (30.0, 120.0, 600.0, 1800.0, 3600.0)
"""Seconds until a push is tried again of which a server was away."""
_LOCKED = 5.0
_PRUNE = 86400.0
"""Seconds after which old deliveries are forgotten again."""
_FILES = 2000


class PushWorker:
    """The one who empties the queue; the lock of ``watch`` keeps others out."""

    def __init__(
        self,
        store: PushStore,
        repos: Callable[[], Mapping[str, RepoDefinition]],
        runtime: Runtime,
        runs: RunStore,
        say: Callable[[str], None],
    ) -> None:
        """``say`` is told, in one line, what begins and how it ends."""
        self._store = store
        self._repos = repos
        self._runtime = runtime
        self._runs = runs
        self._say = say
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None
        self._pruned = -_PRUNE
        self._told: dict[str, tuple[str, ...]] = {}
        """Files of each repo that webhooks say were changed by pushes that wait: kept no longer than this process."""

    def wake(self) -> None:
        """There is something in the queue."""
        self._wake.set()

    def told(self, repo: str, files: Sequence[str]) -> None:
        """A webhook told of a push, which is in the queue, and of some files that it changed."""
        self._told[repo] = (*self._told.get(repo, ()), *files)[-_FILES:]
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. Runs under way are left as they are then; the next worker goes on with them."""
        try:
            await self._resume()
            while True:
                self._wake.clear()
                await self._fill()
                await self._pause()
        finally:
            await self._leave()

    async def once(self) -> None:
        """Do what waits now, and what was left open, to its end."""
        try:
            await self._resume()
            await self._fill()
            while self._tasks:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                await self._fill()
        finally:
            await self._leave()

    async def _resume(self) -> None:
        for push in await asyncio.to_thread(self._store.running):
            self._begin(push, again=True)

    async def _fill(self) -> None:
        """Begin what waits, as far as there is room."""
        if self._broken is not None:
            raise self._broken  # a fault of this program: the push stays open, the next worker finds it
        if time.monotonic() - self._pruned >= _PRUNE:
            self._pruned = time.monotonic()
            await asyncio.to_thread(lambda: self._store.prune(self._repos(), time.time()))
        while len(self._tasks) < _AT_ONCE:
            push = await asyncio.to_thread(self._store.claim, new_run_id(), time.time())
            if push is None:
                return
            self._begin(push, again=False)

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_LOOK):
                await self._wake.wait()
        except TimeoutError:
            return

    def _begin(self, push: Push, *, again: bool) -> None:
        task = asyncio.create_task(self._act(push, again=again), name=f"push to {push.repo}")
        self._tasks.add(task)

        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if not task.cancelled() and task.exception() is not None:
                self._broken = task.exception()
            self._wake.set()

        task.add_done_callback(over)

    async def _act(self, push: Push, *, again: bool) -> None:
        """See one push through; how it ended is in the queue then."""
        repo = (await asyncio.to_thread(self._repos)).get(push.repo)
        good, note = False, ""
        try:
            if repo is None:
                note = f"there is no repo {push.repo} any more"
            elif again:
                good, note = await self._resumed(push, repo)
            else:
                good, note = await self._fresh(push, repo)
        except KomodoError as error:
            note = str(error)
        away = [] if good or repo is None else await asyncio.to_thread(self._away, push, repo)
        again_at = 0.0
        if away and push.tries <= len(_AGAIN):
            again_at = time.time() + _AGAIN[push.tries - 1]
            note = f"{note}; it is tried again, {', '.join(away[:3])} being away"
        self._say(f"push to {push.repo}: {'done' if good else note}")
        try:
            await asyncio.to_thread(
                self._store.ended, push, good=good, note=note[:500], now=time.time(), again_at=again_at
            )
        except StoreError as error:
            self._say(f"push to {push.repo}: how it ended cannot be kept: {error}")

    async def _fresh(self, push: Push, repo: RepoDefinition) -> tuple[bool, str]:
        await self._connected(repo)
        changed = await self._changed(push, repo)
        actions = [action for action in repo.on_push if wanted(action, changed)]
        beside = await asyncio.to_thread(self._without_clones, repo, actions)
        definition = run_of(repo.name, actions, pull=bool(repo.servers), beside=beside)
        parts = self._parts(push, definition)
        count = f" ({push.count} pushes)" if push.count > 1 else ""
        self._say(f"push to {push.repo}: {push.commit[:12] or push.branch}{count}, run {push.run}")
        given = {"repo": repo.name, "branch": push.branch or repo.branch, "commit": push.commit}
        async with started(parts, definition.name, given, run=push.run) as runner:
            return await _to_its_end(runner)

    async def _resumed(self, push: Push, repo: RepoDefinition) -> tuple[bool, str]:
        said = False
        while True:
            try:
                summary = await asyncio.to_thread(self._runs.get, push.run)
            except NotFoundError:
                return await self._fresh(push, repo)  # it was taken from the queue, and no more
            if summary.ended is not None:
                return summary.outcome == "success", summary.summary
            if not said:
                self._say(f"push to {push.repo}: going on with run {push.run}")
                await self._connected(repo)
                said = True
            try:
                async with resumed(self._parts(push), push.run) as runner:
                    return await _to_its_end(runner)
            except LockedError:
                await asyncio.sleep(_LOCKED)  # somebody goes on with it by hand, and may bring it to its end

    def _parts(self, push: Push, definition: ProcedureDefinition | None = None) -> RunParts:
        return PushParts(runtime=self._runtime, runs=self._runs, who=_actor(push), own=definition)

    async def _connected(self, repo: RepoDefinition) -> None:
        """Wait for the repo's servers, as long as is reasonable: right after the start they are being connected."""

        async def one(server: str) -> None:
            try:
                await self._runtime.fleet.link(server).client(_CONNECT)
            except KomodoError:
                return  # the run says which server is away

        await asyncio.gather(*map(one, self._servers(repo)))

    async def _changed(self, push: Push, repo: RepoDefinition) -> Sequence[str] | None:
        """Which files the push changed, where somebody asks for that; None = not known.

        What the sender told is enough where every filter has its file among them. It may not have told all: whether
        something is to be left out is asked of git.
        """
        told = self._told.pop(push.repo, ())
        if not push.before or not push.commit or not any(action.paths for action in repo.on_push):
            return None
        if all(wanted(action, told) for action in repo.on_push):
            return told
        executor = self._runtime.executor
        for server in self._servers(repo):
            try:
                operation = RepoOperation(verb="fetch", repo=repo, servers=(server,))
                plan = executor.plan(operation)
                await executor.submit(plan, _actor(push), given=plan.phrase or True)
                client = await self._runtime.fleet.link(server).client(_CONNECT)
                found = await client.changed_paths(repo.name, push.before, push.commit)
            except KomodoError:
                continue
            if found.known and not found.cut:
                return found.paths
        return None

    def _without_clones(self, repo: RepoDefinition, actions: Sequence[OnPush]) -> bool:
        """Whether the first thing to do needs no clone of the repo: a stack that gets it from git by itself. Blocks."""
        if not actions or not actions[0].deploy:
            return False
        stack = self._runtime.stacks.known().get(actions[0].deploy)
        return stack is not None and stack.git is not None and stack.git.repo == repo.name

    def _servers(self, repo: RepoDefinition) -> tuple[str, ...]:
        states = self._runtime.fleet.state.servers
        if not repo.servers:
            return ()
        return servers_of(repo, {name: live.definition for name, live in states.items()})

    def _away(self, push: Push, repo: RepoDefinition) -> list[str]:
        """The servers that are away, of those that have its clones and those on which the run failed. Blocks."""
        states = self._runtime.fleet.state.servers
        names: list[str] = []
        with suppress(KomodoError):
            names += self._servers(repo)
        with suppress(KomodoError):
            runs = (push.run, *self._runs.within(push.run))
            entries = [entry for run in runs for _, _, entry in self._runs.entries(run)]
            names += [one.target.server for one in entries if isinstance(one, TargetEnded) and one.end != "success"]
        return [name for name in dict.fromkeys(names) if name in states and not states[name].live]


def _actor(push: Push) -> Actor:
    own = {"poll": "push", "hand": push.who}
    return Actor(name=own.get(push.source, f"webhook:{push.delivery or push.source}"), via="watch")


async def _to_its_end(runner: Runner) -> tuple[bool, str]:
    end: RunEnded = await runner.run()
    return end.outcome == "success", end.summary
