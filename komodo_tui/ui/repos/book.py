"""What the Repos page knows: definitions read in threads, clones asked of agents while somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.errors import KomodoError, UsageError
from komodo_tui.domain.repos import UNKNOWN_HEAD, BranchHead, newest_head, news_of, servers_of, standing
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.store.pushes import PushStore
from komodo_tui.ui.definitions.asking import PATIENCE, Answers, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.repos import RepoDetail, RepoState
    from komodo_tui.domain.pushes import Push, SeenBranch
    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.fleet.client import AgentClient
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_PUSHES_AGAIN = 2.0
"""Seconds after which the queue of pushes is read again while somebody looks."""
_PUSHES_SHOWN = 300
Key = tuple[str, str]
"""Server and repo."""


class Place(NamedTuple):
    """A repo on one server."""

    definition: RepoDefinition
    server: str
    state: RepoState | None
    """What its agent said last; None: no clone, or nothing was said yet."""
    away: str = ""
    """Why nothing newer is known."""
    known: bool = True
    """Whether the agent has said which clones it has."""
    head: BranchHead = UNKNOWN_HEAD
    """What is known of the branch, by whoever looked last."""

    @property
    def standing(self) -> tuple[str, str]:
        """How it stands in a few words, and their tone."""
        if self.away and self.state is None:
            return self.away, "bad"
        return standing(self.definition, self.state, self.head) if self.known else ("asking", "dim")

    @property
    def remote(self) -> str:
        """The id of the newest commit that is known to be in the branch; empty: nothing is known."""
        if news_of(self.definition, self.state, self.head):
            return self.head.commit
        return self.state.remote.id if self.state is not None and self.state.remote is not None else ""

    @property
    def cloned(self) -> bool:
        """Whether a pull can bring it up to date."""
        return self.state is not None and not self.state.problem and self.state.url == self.definition.url


class RepoRow(NamedTuple):
    """A repo, where it is, and what was pushed to it."""

    definition: RepoDefinition
    places: tuple[Place, ...]
    problem: str = ""
    """Why it is nowhere."""
    pushes: tuple[Push, ...] = ()
    """The newest, newest first."""
    seen: SeenBranch | None = None
    """What its branch was when it was looked at last."""


class Pushed(NamedTuple):
    """What the queue of pushes holds."""

    pushes: dict[str, tuple[Push, ...]]
    seen: dict[str, SeenBranch]


class RepoBook:
    """Asks each server at most one question at a time; nobody waits. ``changed`` is called when there is news."""

    def __init__(self, runtime: Runtime, shell: Shell, changed: Callable[[], None]) -> None:
        self._runtime = runtime
        self._shell = shell
        self._changed = changed
        self._reading_detail: set[Key] = set()
        self._clones: Answers[dict[str, RepoState]] = Answers(runtime, shell, _clones, changed)
        self._pushed = Pushed({}, {})
        self._pushes = Reading(shell, self._read_pushes, self._take_pushes)
        self._pushes_read = 0.0
        self._definitions = Reading(shell, RepoDefinitions(runtime.definitions).known, self._take)
        self.read = False
        self.definitions: dict[str, RepoDefinition] = {}
        self.states = self._clones.given
        """By server, then by repo."""
        self.details: dict[Key, RepoDetail | str] = {}
        """What was said of one clone, or why nothing was."""

    def look(self) -> None:
        """Read the definitions and ask all servers that have a repo."""
        self._clones.forget_when()
        self.details = {key: told for key, told in self.details.items() if not isinstance(told, str)}
        self._definitions.look()
        self._pushes_read = 0.0

    def tick(self, changes: Changes) -> None:
        """Ask the servers not asked for a while, and read what others have written: pushes, definitions."""
        self._ask_due()
        if self._shell.now() - self._pushes_read >= _PUSHES_AGAIN:
            self._pushes_read = self._shell.now()
            self._pushes.look()
            self._definitions.look()

    def _read_pushes(self) -> Pushed:
        path = self._runtime.state_dir.pushes
        if not path.exists():
            return Pushed({}, {})
        store = PushStore(path)
        try:
            found: dict[str, list[Push]] = {}
            for push in store.recent(limit=_PUSHES_SHOWN):
                found.setdefault(push.repo, []).append(push)
            newest = {name: [push] for name, push in store.newest().items()}
            return Pushed({name: tuple(pushes) for name, pushes in {**newest, **found}.items()}, store.seen())
        finally:
            store.close()

    def _take_pushes(self, found: Pushed) -> None:
        if found != self._pushed:
            self._pushed = found
            self._changed()

    def _ask_due(self) -> None:
        live = self._runtime.fleet.state.servers
        for server in {place.server for row in self.rows().values() for place in row.places}:
            if server in live and live[server].live and self._clones.late(server):
                self._clones.ask(server)

    def _take(self, found: dict[str, RepoDefinition]) -> None:
        new = not self.read or found != self.definitions
        self.definitions, self.read = found, True
        if new:
            self._changed()
        self._ask_due()

    def rows(self) -> dict[str, RepoRow]:
        """Every repo, by name."""
        known = {name: live.definition for name, live in self._runtime.fleet.state.servers.items()}
        found = {}
        for name, definition in self.definitions.items():
            try:
                servers, problem = servers_of(definition, known), ""
            except UsageError as error:
                servers, problem = (), error.message.removeprefix(f"repo {name}: ").removeprefix(f"repo {name} ")
            pushes, seen = self._pushed.pushes.get(name, ()), self._pushed.seen.get(name)
            head = newest_head(definition, (self.states.get(server, {}).get(name) for server in servers), seen)
            places = tuple(self._place(definition, server, head) for server in servers)
            found[name] = RepoRow(definition, places, problem, pushes, seen)
        return found

    def _place(self, definition: RepoDefinition, server: str, head: BranchHead) -> Place:
        live = self._runtime.fleet.state.servers[server]
        away = self._clones.problems.get(server, "") if live.live else "server is not reachable"
        state = self.states.get(server, {}).get(definition.name)
        return Place(definition, server, state, away, server in self.states, head)

    def want(self, place: Place) -> None:
        """Ask for the log and changes of a clone, where they are not known as it stands now."""
        key = (place.server, place.definition.name)
        if place.state is None or key in self._reading_detail:
            return
        known = self.details.get(key)
        if known is None or (not isinstance(known, str) and known.state != place.state):
            self._reading_detail.add(key)
            self._shell.work(self._ask_detail(key))

    async def _ask_detail(self, key: Key) -> None:
        server, name = key
        answer: RepoDetail | str
        try:
            answer = await (await self._runtime.fleet.link(server).client(PATIENCE)).repo(name)
        except KomodoError as error:
            answer = error.message
        finally:
            self._reading_detail.discard(key)
        self.details[key] = answer
        if not isinstance(answer, str):
            self.states.setdefault(server, {})[name] = answer.state
        self._changed()


async def _clones(client: AgentClient) -> dict[str, RepoState]:
    return {state.name: state for state in await client.repos()}
