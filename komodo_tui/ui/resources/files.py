"""What is in a volume, or in a clone, folder by folder. Asked for when it is opened."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.containers import Vertical

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.units import bytes_text, time_text
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.widgets.lines import Lines
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from komodo_agent.wire.volumes import VolumeFile, VolumeFolder
    from komodo_tui.fleet.client import AgentClient
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_PATIENCE = 5.0


def _columns() -> tuple[Column[VolumeFile], ...]:
    return (
        Column("name", "NAME", 20, _name, key=lambda f: f.name.lower(), grow=4, most=80),
        Column("size", "SIZE", 6, lambda f: bytes_text(f.size) if f.kind == "file" else "", right=True,
               key=lambda f: f.size if f.kind == "file" else None, descending=True),
        Column("mode", "MODE", 9, lambda f: stat.filemode(f.mode)[1:], priority=2),
        Column("owner", "OWNER", 11, lambda f: f"{f.uid}:{f.gid}", key=lambda f: (f.uid, f.gid), priority=3),
        Column("changed", "CHANGED", 19, lambda f: time_text(f.changed), key=lambda f: f.changed, priority=1,
               descending=True),
    )  # fmt: skip


def _name(file: VolumeFile) -> tuple[tuple[str, str], ...]:
    if file.kind == "folder":
        return ((f"{file.name}/", "accent"),)
    if file.kind == "link":
        return ((file.name, ""), (f" -> {file.link}", "dim"))
    return ((file.name, "" if file.kind == "file" else "dim"),)


def _order(file: VolumeFile) -> tuple[bool, str]:
    return file.kind != "folder", file.name.lower()


async def _of_volume(client: AgentClient, volume: str, path: str) -> VolumeFolder:
    return await client.volume_folder(volume, path)


class FilesPane(Vertical):
    """One folder of one volume, or of what else ``ask`` asks for."""

    DEFAULT_CSS = """
    FilesPane { height: 1fr; }
    FilesPane #files-path { height: 1; }
    """

    def __init__(
        self,
        runtime: Runtime,
        shell: Shell,
        *,
        ask: Callable[[AgentClient, str, str], Awaitable[VolumeFolder]] = _of_volume,
        chosen: Callable[[VolumeFile], None] | None = None,
        id: str | None = None,
    ) -> None:
        """``ask`` is given a client, the name of the volume and a path; ``chosen`` is called with a file to open."""
        super().__init__(id=id)
        self._ask_for = ask
        self._chosen = chosen
        self._runtime = runtime
        self._shell = shell
        self._server = self._volume = self._path = ""
        self._folder: VolumeFolder | None = None
        self._problem = ""
        self._asked: tuple[str, str, str] | None = None
        self._from = ""
        """The folder that was left upwards: the cursor goes there."""
        self.table: VirtualTable[VolumeFile] = VirtualTable(_columns(), order=_order, id="files-table")
        self.pane: ListPane[VolumeFile] = ListPane(
            "Files", self.table, parse=_parser, empty=self._teach, natural="folders first", id="files-list"
        )

    def compose(self) -> ComposeResult:
        """The path and the list."""
        yield Lines(fixed=True, id="files-path")
        yield self.pane

    @property
    def current(self) -> VolumeFile | None:
        """The entry under the cursor."""
        return self.table.current

    @property
    def settled(self) -> bool:
        """Whether the folder, or why it cannot be looked into, has come in."""
        return self._folder is not None or bool(self._problem)

    def open(self, server: str, volume: str) -> None:
        """This volume, from its top; asked for when :meth:`look` is called."""
        if (server, volume) != (self._server, self._volume):
            self._server, self._volume, self._path = server, volume, ""
            self._folder, self._asked, self._problem = None, None, ""

    def look(self) -> None:
        """Take the focus, and ask for the folder anew."""
        self.table.focus()
        self._go(self._path)

    def _go(self, path: str) -> None:
        if not self._volume:
            return
        self._asked = (self._server, self._volume, path)
        self._shell.work(self._ask(self._asked))

    async def _ask(self, asked: tuple[str, str, str]) -> None:
        server, volume, path = asked
        folder, problem = None, ""
        try:
            client = await self._runtime.fleet.link(server).client(_PATIENCE)
            folder = await self._ask_for(client, volume, path)
        except KomodoError as error:
            problem = error.message + (f"; {error.hint}" if error.hint else "")
        if asked != self._asked or not self.is_mounted:
            return
        if folder is None and self._folder is not None:
            self._shell.flash(problem, "warn")
            return
        self._folder, self._problem, self._path = folder, problem, path
        self._show()

    def _show(self) -> None:
        folder = self._folder
        shown = folder.shown if folder is not None else "/"
        left = f"  {folder.left_out} more are not shown" if folder is not None and folder.left_out else ""
        self.query_one("#files-path", Lines).show([((f" {shown}", "title bold"), (left, "warn"))])
        self.table.set_rows({file.path: file for file in folder.files} if folder is not None else {})
        if self._from:
            self.table.choose(self._from)
            self._from = ""
        self.pane.told()

    def _teach(self) -> Text:
        style = self._shell.look.palette.style
        if self._problem:
            return Text.assemble(("No look into it\n\n", style("title bold")), self._problem)
        return Text("asking the agent" if self._folder is None else "It is empty", style("dim"))

    @on(VirtualTable.Selected, "#files-table")
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        file = self.current
        if file is not None and file.kind == "folder":
            self._go(file.path)
        elif file is not None and file.kind == "file" and self._chosen is not None:
            self._chosen(file)
        elif file is not None:
            self._shell.flash(f"W writes {file.name} to a file here" if file.kind == "file" else "only looked at")

    def back(self) -> bool:
        """Clear filter and marks, else go up. Returns whether there was something to leave."""
        if self.pane.back():
            return True
        if not self._path:
            return False
        self._from = self._path
        self._go(bytes.fromhex(self._path).rpartition(b"/")[0].hex())
        return True


def _parser(text: str) -> Callable[[VolumeFile], bool]:
    test = parse_text(text)
    return lambda file: test(file.name)
