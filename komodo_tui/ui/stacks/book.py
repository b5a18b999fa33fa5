"""What the pages of stacks know: definitions read in threads, projects asked of agents, states of live data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.deployments import Deployment, after_deploys, deployments_on
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.stack_print import definition_print
from komodo_tui.domain.stacks import servers_of
from komodo_tui.ui.definitions.asking import Answers, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.compose import ComposeProject, RevisionSummary
    from komodo_tui.domain.errors import KomodoError
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.domain.stacks import StackDefinition
    from komodo_tui.fleet.client import AgentClient
    from komodo_tui.fleet.live import Changes, ServerLive
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

Key = tuple[str, str]
"""Server and project."""


class Place(NamedTuple):
    """A stack, or a project that no stack defines, on one server."""

    live: ServerLive | None
    """None: no server of this name is defined any more."""
    deployment: Deployment
    project: ComposeProject | None
    """What its agent said last; None where it knows of nothing, or was not asked yet."""

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.deployment.server, self.deployment.project

    @property
    def drift(self) -> dict[str, str]:
        """By service: how what runs differs from what was deployed.

        Nothing of a server that is away, and of what is down as a whole: its state tells that.
        """
        known = self.project is not None and self.deployment.state not in ("unknown", "down", "failed")
        services = self.project.services if known and self.project is not None else ()
        return {service.service: service.drift for service in services if service.drift}

    @property
    def revision(self) -> RevisionSummary | None:
        """The newest one."""
        return self.project.revisions[0] if self.project is not None and self.project.revisions else None

    @property
    def definition(self) -> str:
        """The fingerprint of the definition that was deployed well last; empty where that is not known."""
        revisions = self.project.revisions if self.project is not None else ()
        return next((revision.definition for revision in revisions if revision.outcome == "success"), "")

    @property
    def revision_text(self) -> str:
        """Its number, marked where it did not end well."""
        revision = self.revision
        if revision is None:
            return "-"
        return f"{revision.number}{'' if revision.outcome in ('success', 'running') else '!'}"


class StackRow(NamedTuple):
    """A stack and where it is."""

    definition: StackDefinition
    places: tuple[Place, ...]
    problem: str = ""
    """Why it runs nowhere."""
    edited: tuple[str, ...] = ()
    """Servers on which another definition was deployed last."""


class StackBook:
    """Asks each server at most one question at a time; nobody waits. ``changed`` is called when there is news."""

    def __init__(
        self, runtime: Runtime, shell: Shell, changed: Callable[[], None],
        read: Callable[[], dict[str, StackDefinition]] | None = None,
    ) -> None:  # fmt: skip
        """``read`` gives what is defined, in a thread; without it, that is the stacks."""
        self._runtime = runtime
        self._shell = shell
        self._changed = changed
        self._reading = Reading(shell, read or (lambda: runtime.stacks.known()), self._take)
        self._asked: Answers[dict[str, ComposeProject]] = Answers(runtime, shell, _projects, changed, _words)
        self._jobs: dict[str, tuple[str, ...]] = {}
        self.read = False
        """Whether the definitions were read."""
        self.definitions: dict[str, StackDefinition] = {}
        self.projects = self._asked.given
        """By server, then by project."""
        self._wanted: dict[str, dict[str, StackDefinition]] = {}
        self._wanted_of: object = None
        self._runs: dict[str, tuple[tuple[str, ...], str]] = {}
        """By stack: its servers, or why it has none."""
        self._prints: dict[Key, str] = {}
        """By server and stack: the fingerprint of its definition, where it was asked for."""
        self._here: dict[str, tuple[object, list[Deployment]]] = {}
        self._places: dict[str, tuple[tuple[object, ...], dict[Key, Place]]] = {}
        """By server, with what they were made of."""
        self.problems = self._asked.problems
        """By server: why nothing newer is known of its projects."""

    # -- asking -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Read the definitions and ask all servers that are there."""
        self._reading.look()
        for name, live in self._runtime.fleet.state.servers.items():
            if live.live:
                self.ask(name)

    def tick(self, changes: Changes) -> None:
        """Ask servers on which containers changed or jobs began or ended, and those not asked for a while."""
        moved = {server for server, _ in (*changes.containers, *changes.removed)}
        due = False
        for name, live in self._runtime.fleet.state.servers.items():
            late = self._asked.late(name)
            due = due or late
            jobs = _under_way(live)
            if self._jobs.get(name, jobs) != jobs:
                moved.add(name)
            self._jobs[name] = jobs
            if late or name in moved:
                self._here.pop(name, None)
            if live.live and (late or name in moved):
                self.ask(name)
        if due and not self._reading.under_way:
            self._reading.look()

    def ask(self, server: str) -> None:
        """Ask one server; while it is being asked, once more after that."""
        self._asked.ask(server)

    def _take(self, found: dict[str, StackDefinition]) -> None:
        new = not self.read or found != self.definitions
        self.definitions, self.read = found, True
        if new:
            self._changed()

    # -- telling ------------------------------------------------------------------------------------------------

    def places(self) -> dict[Key, Place]:
        """Every deployment there is or should be, on every server."""
        found: dict[Key, Place] = {}
        self._take_definitions()
        for name, live in self._runtime.fleet.state.servers.items():
            found.update(self._places_on(name, live))
        return found

    def _places_on(self, name: str, live: ServerLive) -> dict[Key, Place]:
        """Those of one server; the same objects as long as nothing of theirs is another one."""
        known = self.projects.get(name, {})
        here = self._deployments(name, live)
        made_of = (here, known, live, live.engine_live)
        before = self._places.get(name)
        if before is not None and all(a is b for a, b in zip(before[0], made_of, strict=True)):
            return before[1]
        seen = {deployment.project for deployment in here}
        gone = [_gone(name, project, live) for project in known.values() if project.name not in seen]
        old = before[1] if before is not None else {}
        found: dict[Key, Place] = {}
        for deployment in (*here, *gone):
            key = (name, deployment.project)
            project, was = known.get(deployment.project), old.get(key)
            told = after_deploys(deployment, project.revisions) if project is not None else deployment
            place = Place(live, told, project)
            found[key] = was if was == place else place  # the same object where nothing changed: quickly compared
        self._places[name] = (made_of, found)
        return found

    def _deployments(self, name: str, live: ServerLive) -> list[Deployment]:
        """Those of a server: made anew only when something of theirs is another one, for there may be thousands.

        Containers are never changed, only replaced, so comparing thousands of the same ones takes no time.
        """
        state = (live.engine_live, _under_way(live), self._wanted_of, list(live.containers.values()))
        before = self._here.get(name)
        if before is not None and before[0] == state:
            return before[1]
        here = deployments_on(
            name, live.containers.values(), known=live.engine_live, jobs=live.jobs.values(),
            stacks=self._wanted.get(name), now=self._shell.now(),
        )  # fmt: skip
        self._here[name] = (state, here)
        return here

    def _take_definitions(self) -> None:
        """Bring which stacks run on which servers in line with the definitions of both."""
        servers = {name: live.definition for name, live in self._runtime.fleet.state.servers.items()}
        wanted_of = (self.definitions, servers)
        if wanted_of == self._wanted_of:
            return
        self._wanted_of, self._wanted, self._runs, self._prints = wanted_of, {}, {}, {}
        for name, stack in self.definitions.items():
            self._runs[name] = self._servers(stack, servers)
            for server in self._runs[name][0]:
                self._wanted.setdefault(server, {})[name] = stack

    def _servers(self, stack: StackDefinition, known: dict[str, ServerDefinition]) -> tuple[tuple[str, ...], str]:
        try:
            return servers_of(stack, known), ""
        except UsageError as error:
            return (), error.message.removeprefix(f"stack {stack.name}: ").removeprefix(f"stack {stack.name} ")

    def rows(self) -> dict[str, StackRow]:
        """Every stack, by name."""
        if not self.definitions:
            return {}
        places = self.places()
        found = {}
        for name, stack in self.definitions.items():
            servers, problem = self._runs[name]
            project = stack.project_name
            here = tuple(p for server in servers if (p := places.get((server, project))) is not None)
            edited = tuple(p.deployment.server for p in here if self._is_edited(stack, p))
            found[name] = StackRow(stack, here, problem, edited)
        return found

    def _is_edited(self, stack: StackDefinition, place: Place) -> bool:
        """Whether the definition is another one than was deployed there; where that is not known, it is not."""
        deployed, key = place.definition, (place.deployment.server, stack.name)
        if deployed and key not in self._prints:
            self._prints[key] = definition_print(stack, place.deployment.server)
        return bool(deployed) and deployed != self._prints[key]


def _gone(server: str, project: ComposeProject, live: ServerLive) -> Deployment:
    """A project of which no container is there: it was deployed before, or its files were found."""
    why = f"compose files in {project.working_dir}, not deployed yet" if project.found else ""
    return Deployment(server=server, project=project.name, state="down" if live.engine_live else "unknown", why=why)


def _under_way(live: ServerLive) -> tuple[str, ...]:
    return tuple(job.id for job in live.jobs.values() if not job.ended)


async def _projects(client: AgentClient) -> dict[str, ComposeProject]:
    return {project.name: project for project in await client.compose_projects()}


def _words(error: KomodoError) -> str:
    return error.message + (f"; {error.hint}" if error.hint else "")
