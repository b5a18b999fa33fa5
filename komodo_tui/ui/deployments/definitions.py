"""Deployments of one container: the form that makes one, and their definitions as YAML."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.run_options import parse_command, parse_variable
from komodo_tui.domain.single import (
    DefineDeploymentOperation,
    DeploymentDefinition,
    HealthCheck,
    Limits,
    check_deployment,
)
from komodo_tui.domain.single_compose import as_stack
from komodo_tui.domain.stacks import servers_of
from komodo_tui.operations.deployment_definitions import definition_of
from komodo_tui.ui.containers.create import offers, run_fields
from komodo_tui.ui.definitions.editing import Editing
from komodo_tui.ui.definitions.text import definition_text, read_one
from komodo_tui.ui.finder import Entry, find
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.modals.pick import PickDialog
from komodo_tui.ui.modals.yaml_editor import Checked
from komodo_tui.ui.stacks.editing import StackEditor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.domain.stacks import StackDefinition
    from komodo_tui.operations.deployment_definitions import DeploymentDefinitions
    from komodo_tui.ui.modals.form import Values

_NOT_ASKED = frozenset({"tty", "start", "pull"})
"""Fields of a new container that a deployment's form does without."""
_SHORT = frozenset({"name", "image", "servers"})
_EXAMPLE = """\
deployments:
  - name: my-service
    image: nginx:stable
    servers: [{server}]
    ports: ["8080:80"]
    environment: {{TOKEN: "[[API_TOKEN]]"}}
    volumes: ["my-data:/data"]
    limits: {{memory: 512m}}
    health_check: {{command: curl -f http://127.0.0.1 || exit 1, interval: 10}}
"""


class DeploymentEditing(Editing[DeploymentDefinition]):
    """New deployments, edited ones, copies and forgotten ones. What a forgotten one deployed keeps running."""

    NOUN = "deployment"

    @property
    def kept(self) -> DeploymentDefinitions:
        """Where they are kept."""
        return self.runtime.deployments

    def text(self, definition: DeploymentDefinition) -> str:
        """A definition as people write it."""
        usual = DeploymentDefinition(name="", image="")
        return definition_text("deployments", definition, usual, shown=("name", "image", "servers"))

    def editor(self, title: str, text: str) -> StackEditor[DeploymentDefinition]:
        """The dialog."""
        known = self._servers()
        return StackEditor(
            self.runtime, self.shell, title, text, lambda typed: read_deployment(typed, known), self._stack
        )  # fmt: skip

    def operation(
        self, verb: Literal["add", "edit", "remove"], name: str, definition: DeploymentDefinition | None,
        rev: int | None,
    ) -> DefineDeploymentOperation:  # fmt: skip
        """The change of a definition."""
        return DefineDeploymentOperation(verb=verb, name=name, definition=definition, rev=rev)

    async def beginning(self) -> str | None:
        """An example, on the first server that is there."""
        return _EXAMPLE.format(server=self._first())

    async def filled_in(self, server: str) -> str | None:
        """The form; returns the name of what was defined. ``server`` is proposed."""
        images, networks = await offers(self.runtime, server)
        fields = _fields(run_fields(self.runtime.fleet.state, server, images, networks))
        known = await asyncio.to_thread(self.runtime.deployables.known)

        def check(values: Values) -> dict[str, str]:
            try:
                found = read_form(values)
            except UsageError as error:
                return _told(error, values)
            return {"name": "there is a stack or deployment of this name"} if found.name in known else {}

        values = await self.shell.ask(FormDialog("New deployment", fields, verb="next", check=check))
        if values is None:
            return None
        definition = read_form(values)
        record = await self.shell.acts.run(self.operation("add", definition.name, definition, None))
        return definition.name if record is not None and record.outcome == "success" else None

    async def from_container(self) -> str | None:
        """Pick a container that belongs to no project, and edit what it is; returns the name of what was defined.

        Raises:
            KomodoError: its server cannot be asked, or no deployment can be like it.
        """
        state = self.runtime.fleet.state
        alone = {f"{c.name}@{name}": (name, c) for name, live in state.servers.items()
                 for c in live.containers.values() if not c.stack}  # fmt: skip
        if not alone:
            self.shell.flash("every container belongs to a project", "warn")
            return None
        entries = [Entry(label, help=container.image) for label, (_, container) in sorted(alone.items())]
        picked = await self.shell.ask(
            PickDialog("Define a deployment like", lambda query, most: find(query, entries, most))
        )
        if picked is None:
            return None
        server, container = alone[picked.label]
        client = await self.runtime.fleet.link(server).client()
        definition = await definition_of(client, server, container)
        return await self._edit(f"A deployment like {container.name}", self.text(definition), "", None)

    def _stack(self, definition: DeploymentDefinition) -> StackDefinition:
        return as_stack(self.runtime.deployables.with_image(definition))

    def _servers(self) -> dict[str, ServerDefinition]:
        return {name: live.definition for name, live in self.runtime.fleet.state.servers.items()}

    def _first(self) -> str:
        servers = self.runtime.fleet.state.servers
        return next((name for name, live in servers.items() if live.engine_live), next(iter(servers), "my-server"))


def read_deployment(text: str, known: Mapping[str, ServerDefinition]) -> Checked[DeploymentDefinition]:
    """The one deployment of a text. Raises UsageError."""
    found = check_deployment(read_one(text, "deployments", "name: …, image: …, servers: …"))
    try:
        places = servers_of(as_stack(found), known)
    except UsageError as error:
        return Checked(found, f"{found.name} can be saved", str(error).replace("stack ", "deployment ", 1))
    return Checked(found, f"{found.name} can be deployed to {', '.join(places)}")


def read_form(values: Values) -> DeploymentDefinition:
    """The definition that a form was filled in for. Raises UsageError."""

    def lines(name: str) -> tuple[str, ...]:
        return tuple(line.strip() for line in str(values[name]).splitlines() if line.strip())

    fields: dict[str, Any] = {
        "environment": dict(parse_variable(line, "environment") for line in lines("environment")),
        "labels": dict(parse_variable(line, "labels") for line in lines("labels")),
        "limits": Limits(memory=str(values["memory"]), cpus=_number(str(values["cpus"]))),
        "health_check": HealthCheck(command=str(values["health"]) or ()),
    }
    return check_deployment(
        DeploymentDefinition(
            name=str(values["name"]),
            image=str(values["image"]),
            servers=tuple(str(values["servers"]).split()),
            command=parse_command(str(values["command"])),
            ports=tuple(str(values["ports"]).replace(",", " ").split()),
            volumes=lines("volumes"),
            network=str(values["network"]),
            restart=str(values["restart"]) or "no",
            **fields,
        )
    )


def _fields(run: list[Field]) -> list[Field]:
    kept = [field for field in run if field.id not in _NOT_ASKED]
    name = next(field for field in kept if field.id == "name")
    kept[kept.index(name)] = Field("name", "name", check=name.check, help="of the deployment and its container")
    return [
        *kept,
        Field("memory", "memory", help="at most: 512m, 2g; empty: all there is"),
        Field("cpus", "CPUs", check=_cpus, help="at most: 0.5, 2; empty: all there are"),
        Field("health", "health check", help="a command that fails while it is not well; empty: the image's own"),
    ]


def _number(text: str) -> float:
    try:
        return float(text or 0)
    except ValueError as error:
        raise UsageError(f"limits: cpus: {text!r} is no number", hint="like 0.5 or 2") from error


def _cpus(text: str) -> str:
    try:
        return "" if _number(text) >= 0 else "0 or more"
    except UsageError as error:
        return str(error)


def _told(error: UsageError, values: Values) -> dict[str, str]:
    """The error at the field it speaks of, or at the name."""
    words = error.message.replace("limits: ", "").replace("health_check", "health")
    field = next((name for name in values if f"{name}:" in words), "name")
    return {field: error.message}
