"""What is in a volume: browsed, backed up and restored over a real sshd."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from komodo_tui.domain.errors import ActError, NotFoundError, UsageError
from komodo_tui.domain.volumes import VolumeOperation
from tests.integration.resources.lab import act, folder_of
from tests.integration.ssh.lab import RemoteAgent, definition, fleet
from tests.rig.images import BUSYBOX

pytestmark = pytest.mark.rig

LARGE = 9 << 20
"""Some windows of the channel."""

ENDLESS = 1 << 30
"""More than all buffers on the way hold (the file is sparse)."""


def furnish(agent: RemoteAgent) -> Path:
    """A volume with a bit of everything."""
    agent.server.docker("volume", "create", "data")
    top = folder_of(agent.server, "data")
    (top / "sub").mkdir()
    (top / "sub" / "secret").write_text("s3cret")
    os.chmod(top / "sub" / "secret", 0o640)
    os.chown(top / "sub" / "secret", 1234, 55)
    (top / "large").write_bytes(os.urandom(LARGE))
    (top / "out").symlink_to("/etc")
    os.link(top / "sub" / "secret", top / "again")
    os.close(os.open(os.fsencode(top) + b"/b\xffd", os.O_CREAT | os.O_WRONLY))
    os.chown(top, 999, 999)
    return top


def state(top: Path) -> dict[bytes, tuple[object, ...]]:
    """Everything about everything."""
    found: dict[bytes, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(os.fsencode(top)):
        for name in [b".", *folders, *files]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            content: bytes | str = ""
            if os.path.islink(path):
                content = os.readlink(path)
            elif os.path.isfile(path):
                content = hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).hexdigest()
            key = os.path.relpath(path, os.fsencode(top))
            found[key] = (status.st_mode, status.st_uid, status.st_gid, int(status.st_mtime), status.st_nlink, content)
    return found


async def test_a_backup_restores_to_the_same(clean: RemoteAgent, tmp_path: Path) -> None:
    top = furnish(clean)
    before, file = state(top), tmp_path / "data.tar"
    async with fleet(tmp_path / "home", clean.server.ssh_config, definition(clean)) as our:
        await our.up("alpha")
        record = await act(our, VolumeOperation(verb="backup", server="alpha", volume="data", file=str(file)))
        assert record.outcome == "success", record
        assert record.steps[0].result["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert file.stat().st_mode & 0o777 == 0o600
        with pytest.raises(UsageError, match="exists already"):
            await act(our, VolumeOperation(verb="backup", server="alpha", volume="data", file=str(file)))

        clean.server.docker("volume", "create", "copy")
        restore = VolumeOperation(verb="restore", server="alpha", volume="copy", file=str(file))
        record = await act(our, restore)
        assert record.outcome == "success", record
        assert state(folder_of(clean.server, "copy")) == before

        (folder_of(clean.server, "copy") / "mine").write_text("kept")
        record = await act(our, restore)
        assert record.outcome == "failed"
        assert "not empty" in record.steps[0].error
        assert (folder_of(clean.server, "copy") / "mine").read_text() == "kept"


async def test_a_restore_that_fails_leaves_the_volume_as_it_was(clean: RemoteAgent, tmp_path: Path) -> None:
    top = furnish(clean)
    async with fleet(tmp_path / "home", clean.server.ssh_config, definition(clean)) as our:
        await our.up("alpha")
        whole = tmp_path / "whole.tar"
        await act(our, VolumeOperation(verb="backup", server="alpha", volume="data", file=str(whole)))
        before = state(top)
        cut, text, evil = tmp_path / "cut.tar", tmp_path / "text", tmp_path / "evil.tar"
        cut.write_bytes(whole.read_bytes()[: LARGE // 2])
        text.write_text("no archive")
        with tarfile.open(evil, "w") as tar:
            link = tarfile.TarInfo("l")
            link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
            tar.addfile(link)
            tar.addfile(tarfile.TarInfo("l/evil"))
        for file in (cut, text, evil):
            operation = VolumeOperation(verb="restore", server="alpha", volume="data", file=str(file), replace=True)
            record = await act(our, operation)
            assert record.outcome == "failed", (file, record)
            assert state(top) == before, file
        assert not (tmp_path / "evil").exists()


async def test_a_volume_whose_container_runs_is_not_restored_into(clean: RemoteAgent, tmp_path: Path) -> None:
    furnish(clean)
    file = tmp_path / "data.tar"
    async with fleet(tmp_path / "home", clean.server.ssh_config, definition(clean)) as our:
        await our.up("alpha")
        await act(our, VolumeOperation(verb="backup", server="alpha", volume="data", file=str(file)))
        clean.server.docker("run", "-d", "--name", "db", "-v", "data:/data", BUSYBOX, "sleep", "1000")
        await our.container("alpha", "db")
        operation = VolumeOperation(verb="restore", server="alpha", volume="data", file=str(file), replace=True)
        record = await act(our, operation)
        assert record.outcome == "failed"
        assert "db runs and uses the volume data" in record.steps[0].error


async def test_folders_are_looked_into_and_files_taken_but_links_not_followed(
    clean: RemoteAgent, tmp_path: Path
) -> None:
    top = furnish(clean)
    async with fleet(tmp_path / "home", clean.server.ssh_config, definition(clean)) as our:
        await our.up("alpha")
        client = await our.manager.link("alpha").client()
        folder = await client.volume_folder("data")
        by_name = {file.name: file for file in folder.files}
        assert folder.files[0].kind == "folder"
        assert (by_name["out"].kind, by_name["out"].link) == ("link", "/etc")
        inner = await client.volume_folder("data", by_name["sub"].path)
        assert [(file.name, file.uid, file.mode) for file in inner.files] == [("secret", 1234, 0o640)]

        for name, goal in (("large", tmp_path / "large"), ("b�d", tmp_path / "odd")):
            operation = VolumeOperation(
                verb="download", server="alpha", volume="data", file=str(goal), path=by_name[name].path, shown=name
            )
            record = await act(our, operation)
            assert record.outcome == "success", record
        assert (tmp_path / "large").read_bytes() == (top / "large").read_bytes()

        for path in (b"out", b"out/passwd"):
            with pytest.raises(NotFoundError):
                await client.volume_folder("data", path.hex())
        with pytest.raises(UsageError):
            await client.volume_folder("data", b"../..".hex())
        with pytest.raises((NotFoundError, ActError)):
            await client.read_volume_file("data", b"out".hex(), _drop)


async def test_a_backup_that_breaks_off_leaves_no_file(clean: RemoteAgent, tmp_path: Path) -> None:
    os.truncate(furnish(clean) / "large", ENDLESS)
    file = tmp_path / "data.tar"
    async with fleet(tmp_path / "home", clean.server.ssh_config, definition(clean)) as our:
        await our.up("alpha")
        plan = our.runtime.executor.plan(VolumeOperation(verb="backup", server="alpha", volume="data", file=str(file)))

        def progress(step: object) -> None:
            clean.kill()

        record = await our.runtime.executor.submit(plan, our.runtime.actor, given=True, progress=progress)
        assert record.outcome == "failed", record
        assert list(tmp_path.glob("data.tar*")) == []


async def _drop(piece: bytes) -> None:
    """Nobody wants it."""
