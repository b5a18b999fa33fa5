"""Files of a stack on its servers: looked at, edited in place, written after a yes, never lost to a refusal."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from textual.widgets import TextArea

from komodo_agent.wire.compose_files import ComposeWrite, StackText
from komodo_agent.wire.volumes import VolumeFile, VolumeFolder
from komodo_tui.domain.stacks import StackDefinition
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.error import ErrorDialog
from komodo_tui.ui.stacks.files import FileEditor
from tests.ui.stacks.lab import make_app
from tests.ui.stacks.piloting import SMALL, dialog, done, stacks, until

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "services: {web: {image: 'nginx:1'}}\n"
NAME = b"compose.yaml".hex()


class Disk:
    """A folder with one file, on each server."""

    def __init__(self, text: str = TEXT) -> None:
        self.text = text
        self.asked: list[str] = []

    async def stack_folder(self, folder: str, path: str = "") -> VolumeFolder:
        """Its one file."""
        self.asked.append(folder)
        file = VolumeFile(name="compose.yaml", path=NAME, kind="file", size=len(self.text), mode=0o644)
        return VolumeFolder(path=path, shown="/", files=(file,))

    async def stack_file(self, folder: str, path: str) -> StackText:
        """As the agent tells it: text cleaned, the digest of what it was."""
        shown = self.text.replace("\x1b[2J", "")
        return StackText(shown="compose.yaml", content=shown, digest=hashlib.sha256(self.text.encode()).hexdigest())


def made(folder: Path, disk: Disk) -> tuple[Any, Any]:
    """The app with a stack in folders of two servers."""
    app, executor, links = make_app(folder, "stacks")
    wiki = StackDefinition(name="wiki", servers=("web-01", "db-01"), folder="/srv/wiki")
    executor.stacks._store.put("stack", "wiki", wiki, None)
    for link in links.values():
        link.agent.stack_folder, link.agent.stack_file = disk.stack_folder, disk.stack_file  # type: ignore[attr-defined]
    return app, executor


async def opened(pilot: Any) -> Any:
    page = await stacks(pilot, "wiki")
    await pilot.press("enter")
    await until(pilot, lambda: page.in_detail)
    page.action_open_detail("files")
    await until(pilot, lambda: pilot.app.query("#files-table") and page.detail.query_one("#files-table").has_focus)
    table: Any = page.detail.query_one("#files-table")
    await until(pilot, lambda: table.current is not None)
    return page


async def test_a_file_is_edited_and_written_after_a_yes(tmp_path: Path) -> None:
    disk = Disk()
    app, executor = made(tmp_path, disk)
    async with app.run_test(size=SMALL) as pilot:
        page = await opened(pilot)
        assert disk.asked == ["/srv/wiki"]
        await pilot.press("n")
        await until(pilot, lambda: len(disk.asked) == 2)
        assert page.detail._place.deployment.server == "db-01"
        await pilot.press("enter")
        editor = await dialog(pilot, FileEditor)
        area = editor.query_one(TextArea)
        area.text = "services: ["
        await pilot.press("ctrl+s")
        assert isinstance(app.screen, FileEditor)  # it is no YAML: it is not taken
        area.text = TEXT.replace("nginx:1", "nginx:[[TAG]]")
        await pilot.press("ctrl+s")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        spec = (await done(pilot, executor)).targets[0].spec
        assert isinstance(spec, ComposeWrite)
        assert (spec.folder, spec.path, spec.content) == ("/srv/wiki", NAME, area.text)
        assert spec.digest == hashlib.sha256(TEXT.encode()).hexdigest()


async def test_a_no_brings_the_text_back(tmp_path: Path) -> None:
    app, executor = made(tmp_path, Disk())
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        await pilot.press("enter")
        editor = await dialog(pilot, FileEditor)
        editor.query_one(TextArea).text = "services: {}\n"
        await pilot.press("ctrl+s")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("escape")
        again = await dialog(pilot, FileEditor)
        assert (again.text_now, executor.done) == ("services: {}\n", [])


async def test_what_an_editor_would_change_unasked_is_not_opened(tmp_path: Path) -> None:
    app, _ = made(tmp_path, Disk(f"{TEXT}# \x1b[2J\n"))
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        await pilot.press("enter")
        await dialog(pilot, ErrorDialog)
