"""The Deployments page: stacks, single containers and unmanaged projects on every server, and their services."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from komodo_tui.domain.operations import Target
from komodo_tui.domain.single_compose import SingleStack
from komodo_tui.ui.definitions.levels import ListAndDetail
from komodo_tui.ui.deployments.acts import ACTS, BY_ID, KEYS
from komodo_tui.ui.deployments.columns import deployment_columns, deployment_filter, natural_order
from komodo_tui.ui.deployments.definitions import DeploymentEditing
from komodo_tui.ui.deployments.detail import DeploymentDetail, teach
from komodo_tui.ui.deployments.flows import act_on, adopt, define_and_deploy, names, pick_act, pick_container
from komodo_tui.ui.deployments.services import containers_of, targets_of
from komodo_tui.ui.logs.open import open_logs
from komodo_tui.ui.page import Command
from komodo_tui.ui.stacks.book import StackBook
from komodo_tui.ui.stacks.flows import deploy, roll_back
from komodo_tui.ui.terminal.open import open_container_shell
from komodo_tui.ui.updates import UpdateMarks
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from textual.app import ComposeResult

    from komodo_agent.wire.compose import PullPolicy
    from komodo_agent.wire.models import Container
    from komodo_tui.domain.stacks import StackDefinition
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.stacks.book import Key, Place

_CHANGING = ("act", "deploy", "pull", "roll_back", "adopt", "shell", "new", "edit", "forget")


class DeploymentsPage(ListAndDetail["Place"]):
    """The list, beside it what is under the cursor where there is room; or one deployment."""

    TITLE = "Deployments"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "logs", "logs", id="deployment.logs"),
        Binding("s", "shell", "shell", id="deployment.shell"),
        Binding("m", "menu", "acts", id="deployment.menu"),
        Binding("D", "deploy", "deploy", id="deployment.deploy"),
        Binding("N", "new", "new", id="deployment.new"),
        Binding("e", "edit", "edit", id="deployment.edit"),
        Binding("A", "adopt", "adopt", id="deployment.adopt"),
        *(Binding(act.key, f"act('{act.id}')", act.label, id=act.id) for act in KEYS),
        Binding("Z", "roll_back", "roll back", id="deployment.roll_back"),
        Binding("L", "whole_logs", "logs of all", id="deployment.whole_logs"),
    ]
    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    DeploymentsPage DeploymentDetail { width: 45%; border-left: vkey $panel; }
    .-wide DeploymentsPage DeploymentDetail { display: block; }
    DeploymentsPage.-zoomed DeploymentDetail { display: none; }
    DeploymentsPage.-detail DeploymentDetail { display: block; width: 1fr; border: none; }
    """
    book: StackBook
    detail: DeploymentDetail

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self.book = StackBook(runtime, shell, self.told, lambda: runtime.deployables.known())
        self.editing = DeploymentEditing(runtime, shell)
        self._marks = UpdateMarks(runtime.updates, shell.look)
        self.table = VirtualTable(
            deployment_columns(shell.look.glyphs, shell.now, self._single, self._marks),
            order=natural_order,
            id="deployments-table",
        )
        self.list = ListPane(
            "Deployments", self.table, parse=lambda line: deployment_filter(line, self._marks), natural="by project",
            id="deployments-list",
            empty=lambda: teach(shell.look, self.book.problems), help="words, !not, ~fuzzy, /regex/, update",
        )  # fmt: skip
        self.detail = DeploymentDetail(shell, self._marks, self._single, id="deployment-detail")

    def compose(self) -> ComposeResult:
        """List and detail, side by side."""
        with Horizontal():
            yield from super().compose()

    def rows(self) -> dict[Key, Place]:
        """Every deployment there is or should be."""
        return self.book.places()

    # -- the frame ----------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """The side follows."""
        if self._marks.tick():
            self.table.restyle()
            self.detail.restyle()
        self._show_side()

    @on(VirtualTable.Highlighted, "#deployments-table")
    def _show_side(self) -> None:
        self.detail.pane.table.can_focus = self.in_detail
        if not self.in_detail and self.detail.display and self.table.current is not None:
            self.detail.show_row(self.table.current)

    def zoom(self) -> None:
        """The list over the whole width, or with the deployment beside it again."""
        self.toggle_class("-zoomed")

    def reach(self, key: Hashable) -> bool:
        """Open this deployment; a filter that hides it gives way."""
        if key not in self.table.model.rows:
            return False
        if not self.table.choose(key):
            self.list.set_filter("")
            self.table.choose(key)
        self.action_open_detail()
        return True

    def reveal(self, target: Target) -> None:
        """Open this deployment: server, and the project as the name."""
        self._wanted = (target.server, target.name)
        self.told()

    def action_open_detail(self, view: str = "") -> None:
        """Show the deployment under the cursor from near."""
        self.detail.pane.table.can_focus = True
        super().action_open_detail(view)

    @on(VirtualTable.Selected, "#deployment-services-table")
    def _service_opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        server, _, service = event.key  # type: ignore[misc]
        found = containers_of([self.detail.row] if self.detail.row is not None else [], (service,))
        if found:
            self.shell.go("containers", targets_of([found[0][1]], server)[0])

    # -- what keys are meant for ---------------------------------------------------------------------------------

    def chosen(self) -> list[Place]:
        """The deployment shown, the marked ones, or the cursor's."""
        if self.in_detail:
            return [self.detail.row] if self.detail.row is not None else []
        return self.table.selection()

    def services(self) -> tuple[str, ...]:
        """In the detail, the marked services or the cursor's; else none, which means the whole."""
        return tuple(row.service.name for row in self.detail.chosen()) if self.in_detail else ()

    def _stack(self) -> tuple[StackDefinition | None, Place | None]:
        place = next(iter(self.chosen()), None)
        return (self.book.definitions.get(place.deployment.stack) if place is not None else None), place

    def _single(self, name: str) -> bool:
        """Whether this definition is one of a single container."""
        return isinstance(self.book.definitions.get(name), SingleStack)

    # -- definitions --------------------------------------------------------------------------------------------

    def action_new(self) -> None:
        """Define a deployment of one container, and show what deploying it would do."""
        place = next(iter(self.chosen()), None)
        self.then(define_and_deploy(self.editing, self.book, place.deployment.server if place is not None else ""))

    def action_edit(self) -> None:
        """Edit the definition: here that of a single container, on the Stacks tab that of a stack."""
        stack, place = self._stack()
        if stack is None:
            if place is not None:
                self.shell.flash(f"{place.deployment.project} has no definition: A adopts it", "warn")
        elif self._single(stack.name):
            self.then(self.editing.edit(stack.name))
        else:
            self.shell.go("stacks", Target(server="", name=stack.name))

    def action_forget(self) -> None:
        """Forget the definition of a single container; what it deployed keeps running."""
        stack, _ = self._stack()
        if stack is not None and self._single(stack.name):
            self.then(self.editing.remove(stack.name))

    # -- acts ---------------------------------------------------------------------------------------------------

    def action_act(self, id: str) -> None:
        """Start, stop… what is chosen."""
        if self.chosen():
            self.then(act_on(self.runtime, self.shell, BY_ID[id], self.chosen(), self.services()))

    def action_deploy(self) -> None:
        """Show what a deploy of its stack would do here; do it after a yes."""
        self._deploy(pull=False)

    def action_pull(self) -> None:
        """Deploy with new images of the same tags."""
        self._deploy(pull=True)

    def _deploy(self, *, pull: bool) -> None:
        stack, place = self._stack()
        if stack is not None and place is not None:
            servers = (place.deployment.server,)
            self.then(self._deployed(stack, servers, pull=pull))
        elif place is not None:
            self.shell.flash(f"{place.deployment.project} has no stack yet: A adopts it", "warn")

    async def _deployed(self, stack: StackDefinition, servers: Sequence[str], *, pull: bool) -> object:
        """``pull``: newer images of the services chosen, or of all."""
        services = self.services() if pull else ()
        how: PullPolicy | None = "always" if pull and not services else None
        return await deploy(self.runtime, self.shell, stack, servers, pull=how, refresh=services)

    def action_roll_back(self) -> None:
        """Return to the last good revision here."""
        stack, place = self._stack()
        if stack is not None and place is not None:
            self.then(roll_back(self.runtime, self.shell, stack, (place.deployment.server,)))
        elif place is not None:
            self.shell.flash(f"{place.deployment.project} has no stack, so no revision to return to", "warn")

    def action_adopt(self) -> None:
        """Make a stack of what runs already."""
        place = next(iter(self.chosen()), None)
        if place is not None:
            self.then(adopt(self.runtime, self.shell, place))

    def action_menu(self) -> None:
        """Every act on what is chosen."""
        if self.chosen():
            self.then(self._menu(self.chosen(), self.services()))

    async def _menu(self, places: list[Place], services: tuple[str, ...]) -> None:
        read_only = self.runtime.settings.read_only
        single = self._single(places[0].deployment.stack)
        picked = await pick_act(self.shell, places, services, read_only=read_only, single=single)
        if picked in BY_ID:
            await act_on(self.runtime, self.shell, BY_ID[picked], places, services)
        elif picked is not None:
            getattr(self, f"action_{picked}")()

    def acted(self, outcome: object) -> None:
        """What was marked has had its act."""
        if outcome is not None:
            self.table.clear_marks()

    # -- looking ------------------------------------------------------------------------------------------------

    def _containers(self, *, whole: bool) -> list[tuple[str, Container]]:
        return containers_of(self.chosen(), () if whole else self.services())

    def action_logs(self) -> None:
        """The logs of the deployments chosen, or of the services chosen, merged."""
        open_logs(self, [t for server, c in self._containers(whole=False) for t in targets_of([c], server)])

    def action_whole_logs(self) -> None:
        """The logs of the whole deployment, merged."""
        open_logs(self, [t for server, c in self._containers(whole=True) for t in targets_of([c], server)])

    def action_shell(self) -> None:
        """A shell in a container of the service; asked which where there are several."""
        self.shell.work(self._shell())

    async def _shell(self) -> None:
        found = self._containers(whole=False)
        title = f"Shell in {names(self.chosen())}"
        container = await pick_container(self.shell, title, [c for _, c in found])
        if container is None:
            if not any(c.state == "running" for _, c in found):
                self.shell.flash("nothing of it runs", "warn")
            return
        server = next(server for server, c in found if c is container)
        open_container_shell(self, server, container.id, container.name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Read-only mode hides what changes something."""
        if action in _CHANGING and self.runtime.settings.read_only:
            return False
        return self.in_detail if action == "whole_logs" else True

    def commands(self) -> Iterable[Command]:
        """Acts on what is chosen, by name."""
        yield Command("new deployment", self.action_new, help="of one container")
        places = self.chosen() if self.is_mounted else []
        if not places:
            return
        what = names(places)
        for act in ACTS:
            yield Command(f"{act.label} {what}", partial(self.action_act, act.id), help=act.help)
        yield Command(f"logs {what}", self.action_logs, kind="view")
        if len(places) == 1:
            yield Command(f"deploy {what}", self.action_deploy, help="shows what would change first")
            yield Command(f"adopt {what}", self.action_adopt)
