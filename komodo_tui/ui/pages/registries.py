"""The Registries page: registries of one's own, their repositories, tags and sizes; start, delete, collect."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.operations import Target
from komodo_tui.domain.registries import IMAGE, NAME, RegistryImage, RegistryOperation
from komodo_tui.domain.units import bytes_text
from komodo_tui.operations.registries import known_registries, look_into_all
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.page import Page
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.resources.flows import servers_wrong
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from komodo_agent.wire.registry import RegistryRepository, RegistryTag
    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.fleet.live import Changes
    from komodo_tui.operations.registries import OwnRegistry
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.render.reason import Reason
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_WRITES = frozenset({"start", "delete", "collect"})


_AGAIN = 30.0
"""Seconds after which registries are asked again."""


class TagRow(NamedTuple):
    """One tag; without a repository or tag where there is none."""

    registry: OwnRegistry
    repository: RegistryRepository | None = None
    tag: RegistryTag | None = None

    @property
    def key(self) -> str:
        """The same for the same tag at the next look."""
        repository = self.repository.name if self.repository is not None else ""
        return f"{self.registry.server} {self.registry.container} {repository}:{self.tag.tag if self.tag else ''}"

    @property
    def image(self) -> RegistryImage | None:
        """The image it means, with all its tags."""
        if self.repository is None or self.tag is None:
            return None
        tags = tuple(one.tag for one in self.repository.tags if one.digest == self.tag.digest)
        return RegistryImage(repository=self.repository.name, digest=self.tag.digest, tags=tags, size=self.tag.size)


class RegistriesPage(Page):
    """Asked when it is shown, after each act, by ``^R``, and every half minute while it is looked at."""

    TITLE = "Registries"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("N", "start", "start one…", id="registry.start"),
        Binding("X", "delete", "delete…", id="registry.delete"),
        Binding("K", "collect", "collect garbage…", id="registry.collect"),
        Binding("c", "copy", "copy name", show=False, id="registry.copy"),
        Binding("ctrl+r", "again", "refresh", show=False, key_display="^R", id="registry.again"),
    ]

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self._asking = self._again = self._asked = False
        self._known: set[str] = set()
        self._asked_at = 0.0
        """Unix time."""
        columns = (
            Column[TagRow]("registry", "REGISTRY", 18, self._registry, key=lambda r: r.registry.address, grow=1,
                           most=40),
            Column[TagRow]("server", "SERVER", 10, lambda r: r.registry.server, key=lambda r: r.registry.server,
                           priority=1, most=24),
            Column[TagRow]("repository", "REPOSITORY", 16, _repository, key=lambda r: _name(r), grow=3),
            Column[TagRow]("tag", "TAG", 10, lambda r: r.tag.tag if r.tag else "-", grow=1, most=30),
            Column[TagRow]("size", "SIZE", 7, lambda r: bytes_text(r.tag.size) if r.tag else "-",
                           key=lambda r: r.tag.size if r.tag else 0, right=True),
            Column[TagRow]("digest", "DIGEST", 12, lambda r: ((r.tag.digest[7:19] if r.tag else "", "dim"),),
                           priority=2),
        )  # fmt: skip
        self.table: VirtualTable[TagRow] = VirtualTable(columns, order=lambda r: r.key, id="registries-table")
        self.pane: ListPane[TagRow] = ListPane(
            "Registries", self.table, parse=_parser, empty=self._teach, help="words, !not, ~fuzzy, /regex/",
            natural="server, repository", about=self._trouble, id="registries-list",
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """The list."""
        yield self.pane

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Ask, and take the focus."""
        self.table.focus()
        self._look()

    def tick(self, changes: Changes) -> None:
        """Ask again where a registry came, went or started, and now and then: others push, too."""
        known = {f"{one.id} {one.state}" for _, one in known_registries(self.runtime.fleet.state)}
        if known != self._known or self.shell.now() - self._asked_at >= _AGAIN:
            self._known = known
            self._look()

    def back(self) -> bool:
        """Marks and the filter."""
        return self.pane.back()

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Read-only mode hides what changes something."""
        return not (action in _WRITES and self.runtime.settings.read_only)

    # -- what there is ------------------------------------------------------------------------------------------

    def _look(self) -> None:
        self._again, self._asked_at = True, self.shell.now()
        if not self._asking:
            self._asking = True
            self.shell.work(self._ask())

    async def _ask(self) -> None:
        found: list[OwnRegistry] = []
        try:
            while self._again:
                self._again = False
                found = await look_into_all(self.runtime.fleet, self.runtime.values)
        finally:
            self._asking, self._asked = False, True
        if self.is_mounted:
            self.table.set_rows({row.key: row for one in found for row in _rows(one)})
            self.pane.told()

    def _registry(self, row: TagRow) -> Cell:
        glyphs = self.shell.look.glyphs
        error = row.registry.error
        return ((f"{glyphs.ok if error is None else glyphs.fail} ", "ok" if error is None else "bad"),
                (row.registry.address, ""))  # fmt: skip

    def _trouble(self, row: TagRow) -> Reason:
        """Why a registry does not say what it has, and what to do."""
        error = row.registry.error
        if not isinstance(error, KomodoError):
            return "", ""
        hint = f" ({error.hint})" if error.hint else ""
        return f"{self.shell.look.glyphs.fail} {row.registry.name}@{row.registry.server}: {error.message}{hint}", "bad"

    def _teach(self) -> Text:
        style = self.shell.look.palette.style
        if not self._asked or any(live.status == "connecting" for live in self.runtime.fleet.state.servers.values()):
            return Text("asking")
        return Text.assemble(
            ("No registry of your own\n\n", style("title bold")), ("N", style("accent bold")),
            "  starts one on a server. Images need none: S on Resources ships them straight.",
        )  # fmt: skip

    # -- acts ---------------------------------------------------------------------------------------------------

    def action_start(self) -> None:
        """Start one."""
        self.shell.work(self._start())

    async def _start(self) -> None:
        state = self.runtime.fleet.state
        servers = [name for name, live in state.servers.items() if live.engine_live]
        fields = [
            Field("server", "server", value=servers[0] if servers else "", suggestions=tuple(servers),
                  check=lambda text: servers_wrong(text, state)),
            Field("address", "address", value="127.0.0.1:5000", help="what images are named with: host:port"),
            Field("listen", "listens on", value="127.0.0.1", help="127.0.0.1: for this server alone; 0.0.0.0: for all"),
            Field("port", "port", value="5000", check=lambda text: "" if text.isdigit() else "a number"),
            Field("image", "image", value=IMAGE), Field("name", "container", value=NAME),
            Field("open", "without password", "bool", value=False),
        ]  # fmt: skip
        intro = "It asks for the login that is kept under its address: komodo-tui registry login ADDRESS -u NAME."
        values = await self.shell.ask(FormDialog("Start a registry", fields, verb="start", intro=intro))
        if values is None:
            return
        address = str(values["address"])
        kept = await asyncio.to_thread(self.runtime.values.registry_auth, f"{address}/x")
        operation = RegistryOperation(
            verb="start", server=str(values["server"]), name=str(values["name"]), address=address,
            image=str(values["image"]), listen=str(values["listen"]), port=int(str(values["port"])),
            guarded=bool(kept) and not values["open"],
        )  # fmt: skip
        self._acted(await self.shell.acts.run(operation, follow=True))

    def action_delete(self) -> None:
        """Delete the marked images, or the one under the cursor."""
        rows = self.table.selection()
        registries = {row.registry.container: row.registry for row in rows}
        images = tuple(dict.fromkeys(image for row in rows if (image := row.image) is not None))
        if len(registries) != 1 or not images:
            self.shell.flash("delete: choose images of one registry", "warn")
            return
        (registry,) = registries.values()
        self.shell.work(self._run(registry.operation(images)))

    def action_collect(self) -> None:
        """Free what no tag needs."""
        row = self.table.current
        if row is None:
            self.shell.flash("collect: no registry is chosen", "warn")
        else:
            self.shell.work(self._run(row.registry.operation()))

    async def _run(self, operation: RegistryOperation) -> None:
        self._acted(await self.shell.acts.run(operation, follow=operation.verb == "collect"))

    def _acted(self, record: ActionRecord | None) -> None:
        if record is not None:
            self.table.clear_marks()
            self._look()

    def action_again(self) -> None:
        """Ask again."""
        self._look()

    def action_copy(self) -> None:
        """Copy the name that engines pull it by."""
        row = self.table.current
        if row is not None and row.repository is not None and row.tag is not None:
            self.shell.copy(f"{row.registry.address}/{row.repository.name}:{row.tag.tag}", "name")

    @on(VirtualTable.Selected, "#registries-table")
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        row = self.table.current
        if row is not None:
            one = row.registry
            self.shell.go("containers", Target(server=one.server, name=one.name, id=one.container))


def _rows(registry: OwnRegistry) -> list[TagRow]:
    rows = [
        TagRow(registry, repository, tag)
        for repository in registry.content.repositories
        for tag in repository.tags or (None,)
    ]
    return rows or [TagRow(registry)]


def _name(row: TagRow) -> str:
    return row.repository.name if row.repository is not None else ""


def _repository(row: TagRow) -> Cell:
    if isinstance(row.registry.error, KomodoError):
        return ((row.registry.error.message, "bad"),)
    return row.repository.name if row.repository is not None else (("empty", "dim"),)


def _parser(line: str) -> Callable[[TagRow], bool]:
    test = parse_text(line)
    return lambda row: test(f"{row.key}\n{row.registry.address}".lower())
