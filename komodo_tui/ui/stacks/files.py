"""Files of a stack's folder on a server: opened, edited in place, and written when nobody changed them meanwhile."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from komodo_agent.wire.compose_files import ComposeWrite
from komodo_agent.wire.compose_values import with_variables
from komodo_tui.domain.errors import RefusedError
from komodo_tui.domain.stacks import StackOperation, StackTarget
from komodo_tui.domain.units import count_text
from komodo_tui.store.fleet_files import check_yaml
from komodo_tui.ui.modals.yaml_editor import Checked, YamlEditor

if TYPE_CHECKING:
    from komodo_agent.wire.volumes import VolumeFile, VolumeFolder
    from komodo_tui.fleet.client import AgentClient
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.stacks.book import Place, StackRow


def folder_of(row: StackRow, place: Place) -> str:
    """Where the files of a stack are on a server; empty where nothing is there yet."""
    if row.definition.folder:
        return row.definition.folder
    return place.project.working_dir or place.project.folder if place.project is not None else ""


async def ask_folder(client: AgentClient, folder: str, path: str) -> VolumeFolder:
    """A folder below it, for a pane of files."""
    return await client.stack_folder(folder, path)


async def edit_file(runtime: Runtime, shell: Shell, row: StackRow, place: Place, file: VolumeFile) -> None:
    """Open one; what is saved is written after a yes, and comes back into the editor when that is refused.

    Raises:
        KomodoError: it cannot be read, or is nothing that an editor here leaves as it is.
    """
    server, folder = place.deployment.server, folder_of(row, place)
    client = await runtime.fleet.link(server).client()
    found = await client.stack_file(folder, file.path)
    if hashlib.sha256(found.content.encode()).hexdigest() != found.digest:
        raise RefusedError(
            f"{file.name} has control characters or line ends of another system: an editor here would change them",
            hint="edit it on the server (Terminals)",
            server=server,
        )
    name = f"{folder}/{found.shown} on {server}"
    text: str | None = found.content
    while True:
        text = await shell.ask(FileEditor(name, text or ""))
        if text is None or text == found.content:
            return
        spec = ComposeWrite(
            project=row.definition.project_name, folder=folder, path=file.path, content=text, digest=found.digest
        )
        target = StackTarget(server=server, project=row.definition.project_name, spec=spec, warnings=_warnings(row))
        operation = StackOperation(verb="write", stack=row.definition.name, targets=(target,))
        record = await shell.acts.run(operation)
        if record is not None and record.outcome == "success":
            return


def _warnings(row: StackRow) -> tuple[str, ...]:
    if row.definition.folder:
        return ()
    return ("the files of this stack come from its definition or from git: the next deploy writes over this",)


class FileEditor(YamlEditor[str]):
    """Its result is the text."""

    def __init__(self, name: str, text: str) -> None:
        """``name`` is what the file is called; the ending says what its text is."""
        yaml = name.partition(" on ")[0].endswith((".yaml", ".yml"))

        def check(content: str) -> Checked[str]:
            if yaml:
                check_yaml(with_variables(content), name=name.rpartition("/")[2])
            return Checked(content, count_text(len(content.splitlines()), "line"))

        super().__init__(name, text, check)
