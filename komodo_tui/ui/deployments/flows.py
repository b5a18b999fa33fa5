"""From a key to an act on deployments: what has to be asked before it can be planned."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.compose import ComposeAct
from komodo_tui.domain.errors import ReadOnlyError, UsageError
from komodo_tui.domain.stacks import DefineStackOperation, StackDefinition, StackOperation, StackTarget, check_stack
from komodo_tui.ui.deployments.acts import ACTS
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.stacks.flows import deploy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_agent.wire.models import Container
    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.ui.deployments.acts import DeploymentAct
    from komodo_tui.ui.deployments.definitions import DeploymentEditing
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.stacks.book import Place, StackBook


def names(places: Sequence[Place]) -> str:
    """``shop@web-1``, or how many."""
    if len(places) == 1:
        return f"{places[0].deployment.project}@{places[0].deployment.server}"
    return f"{len(places)} deployments"


async def act_on(
    runtime: Runtime, shell: Shell, act: DeploymentAct, places: Sequence[Place], services: tuple[str, ...] = ()
) -> ActionRecord | None:
    """Plan, confirm and follow one act on these deployments, or on these services of theirs.

    Raises:
        KomodoError: it cannot be planned, or was refused.
    """
    if runtime.settings.read_only:
        raise ReadOnlyError(f"{act.verb} {names(places)}: refused, read-only mode is on")
    services = () if act.whole else services
    fitting = [place for place in places if not act.why_not([place], services)]
    if not fitting:
        shell.flash(f"nothing to {act.verb} of {names(places)}: {act.why_not(places, services)}", "warn")
        return None
    made = [
        await runtime.preparer.act(
            act.verb, place.deployment.stack or place.deployment.project, place.deployment.project,
            (place.deployment.server,), services=services,
        )
        for place in fitting
    ]  # fmt: skip
    called = ", ".join(dict.fromkeys(operation.stack for operation in made))
    targets = tuple(target for operation in made for target in operation.targets)
    if act.verb == "destroy":
        picked = await _volumes(shell, fitting, targets)
        if picked is None:
            return None
        targets = tuple(_with_volumes(target) for target in targets) if picked else targets
    return await shell.acts.run(StackOperation(verb=act.verb, stack=called, targets=targets), follow=True)


def _with_volumes(target: StackTarget) -> StackTarget:
    spec = target.spec
    return (
        msgspec.structs.replace(target, spec=msgspec.structs.replace(spec, volumes=True))
        if isinstance(spec, ComposeAct)
        else target
    )


async def _volumes(shell: Shell, places: Sequence[Place], targets: Sequence[StackTarget]) -> bool | None:
    """Whether the named volumes go as well; None = it was left. The targets know them: lists leave them out."""
    volumes = sorted({name for target in targets if target.found is not None for name in target.found.volumes})
    items = [
        MenuItem("keep", "keep all volumes", "k", ", ".join(volumes) or "it has none"),
        MenuItem("remove", "remove its volumes too", "v", "their data is lost", "" if volumes else "it has none"),
    ]
    picked = await shell.ask(MenuDialog(f"Destroy {names(places)}", items))
    return None if picked is None else picked == "remove"


async def adopt(runtime: Runtime, shell: Shell, place: Place) -> str | None:
    """Take over what runs already: record it there, then define the stack. Returns its name.

    Raises:
        KomodoError: it cannot be adopted; no container is touched in any case.
    """
    deployment = place.deployment
    if runtime.settings.read_only:
        raise ReadOnlyError(f"adopt {deployment.project}: refused, read-only mode is on")
    if deployment.stack:
        shell.flash(f"{deployment.project} belongs to stack {deployment.stack} already", "warn")
        return None

    def wrong(text: str) -> str:
        try:
            check_stack(StackDefinition(name=text, project=deployment.project, folder="/"))
        except UsageError as error:
            return str(error)
        return ""

    form = FormDialog(
        f"Adopt {deployment.project} on {deployment.server}",
        [Field("name", "stack name", value=deployment.project, check=wrong, help="no container is touched")],
        verb="next",
    )
    values = await shell.ask(form)
    if values is None:
        return None
    name = str(values["name"])
    operation, stack = await runtime.preparer.adopt(deployment.server, deployment.project, name)
    definition = DefineStackOperation(verb="add", name=name, definition=stack)
    runtime.executor.plan(definition)  # says now what would be in its way
    record = await shell.acts.run(operation)
    if record is None or record.outcome != "success":
        return None
    record = await shell.acts.run(definition, asked=True)
    return name if record is not None and record.outcome == "success" else None


async def new_deployment(editing: DeploymentEditing, server: str) -> str | None:
    """Define a single container by the form or as YAML; returns its name. Raises KomodoError."""
    items = [
        MenuItem("form", "a form", "f", "image, ports, volumes…"),
        MenuItem("yaml", "YAML", "y", "everything there is"),
        MenuItem("container", "a container", "c", "what one is now, to be changed as YAML"),
    ]
    picked = await editing.shell.ask(MenuDialog("New deployment of one container by", items))
    if picked is None:
        return None
    if picked == "container":
        return await editing.from_container()
    return await (editing.filled_in(server) if picked == "form" else editing.new())


async def define_and_deploy(editing: DeploymentEditing, book: StackBook, server: str) -> ActionRecord | None:
    """Define one, then show what deploying it would do. ``server`` is proposed; empty = one that is there.

    Raises:
        KomodoError: it was refused.
    """
    servers = editing.runtime.fleet.state.servers
    here = server or next((name for name, live in servers.items() if live.engine_live), next(iter(servers), ""))
    name = await new_deployment(editing, here)
    if name is None:
        return None
    stack = await asyncio.to_thread(editing.runtime.deployables.find, name)
    book.look()
    return await deploy(editing.runtime, editing.shell, stack)


async def pick_container(shell: Shell, title: str, containers: Sequence[Container]) -> Container | None:
    """One of those that run; asked only where there are several."""
    running = sorted((c for c in containers if c.state == "running"), key=lambda c: c.name)
    if len(running) <= 1:
        return running[0] if running else None
    keys = "123456789abcdefghi"
    items = [
        MenuItem(c.id, c.name, keys[n] if n < len(keys) else "", c.image) for n, c in enumerate(running)
    ]  # fmt: skip
    picked = await shell.ask(MenuDialog(title, items))
    return next((c for c in running if c.id == picked), None)


async def pick_act(
    shell: Shell, places: Sequence[Place], services: tuple[str, ...], *, read_only: bool, single: bool = False
) -> str | None:  # fmt: skip
    """The menu of all acts with their keys: ids of acts, or the name of an action of the page."""
    no_stack = "" if places[0].deployment.stack else "it has no stack yet"
    if len(places) > 1:
        no_stack = "for one deployment"
    adopted = "it has a stack" if places[0].deployment.stack else ""
    items = [
        MenuItem("deploy", "deploy", "D", "shows what would change first", no_stack),
        MenuItem("pull", "pull and deploy", "p", "new images of the same tags; shows what would change", no_stack),
        MenuItem("roll_back", "roll back", "Z", "to the last good revision", no_stack),
        MenuItem("adopt", "adopt", "A", "a stack of what runs; nothing is touched", adopted),
        *act_items(places, services),
        MenuItem("edit", "edit its definition", "e", "", no_stack),
        MenuItem("forget", "forget its definition", "f", "what runs keeps running",
                 no_stack or ("" if single else "on the Stacks tab")),
    ]  # fmt: skip
    if read_only:
        items = [replace(item, disabled="read-only mode is on") for item in items]
    title = f"{', '.join(services)} of {names(places)}" if services else names(places)
    return await shell.ask(MenuDialog(title, items))


def act_items(places: Sequence[Place], services: tuple[str, ...] = ()) -> list[MenuItem]:
    """What compose itself can do, each with why it cannot now."""
    return [
        MenuItem(
            act.id, f"{act.label} all" if services and act.whole else act.label, act.key, act.help,
            act.why_not(places, () if act.whole else services),
        )
        for act in ACTS
    ]  # fmt: skip
