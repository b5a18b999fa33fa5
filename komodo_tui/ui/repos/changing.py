"""From a file of a clone to a commit at the repository's own server."""

from __future__ import annotations

import difflib
import socket
from typing import TYPE_CHECKING

from komodo_agent.wire.repos import RepoChange
from komodo_tui.domain.repos import AUTHOR, RepoOperation
from komodo_tui.ui.definitions.asking import PATIENCE
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.modals.yaml_editor import Checked, YamlEditor

if TYPE_CHECKING:
    from komodo_agent.wire.repos import RepoFile
    from komodo_agent.wire.volumes import VolumeFile
    from komodo_tui.ui.repos.book import Place
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


Drafts = dict[tuple[str, str, str], str]
"""What was typed and is not pushed yet, by server, repo and path."""


async def edit_file(runtime: Runtime, shell: Shell, place: Place, entry: VolumeFile, drafts: Drafts) -> None:
    """Edit one, commit it and push it. What was typed is there again the next time where that failed.

    Raises:
        KomodoError: it cannot be read, is no text, or the commit was refused.
    """
    client = await runtime.fleet.link(place.server).client(PATIENCE)
    file = await client.repo_file(place.definition.name, entry.path)
    key = (place.server, place.definition.name, entry.path)
    asked, text = None, drafts.get(key, file.text)
    while asked is None:
        typed = await shell.ask(_editor(place, file, text))
        if typed is None or typed == file.text:
            drafts.pop(key, None)
            return
        text = drafts[key] = typed
        asked = await _ask_why(runtime, shell, place, file.path)
    change = RepoChange(path=file.path, text=text, digest=file.digest)
    operation = RepoOperation(
        verb="commit", repo=place.definition, servers=(place.server,), changes=(change,), message=asked[0],
        author=asked[1], diff=_diff(file, text),
    )  # fmt: skip
    record = await shell.acts.run(operation, follow=True)
    if record is not None and record.outcome == "success":
        del drafts[key]


async def commit_changes(runtime: Runtime, shell: Shell, place: Place) -> None:
    """Commit and push what was changed in a clone. Raises KomodoError."""
    asked = await _ask_why(runtime, shell, place, "what was changed there")
    if asked is None:
        return
    client = await runtime.fleet.link(place.server).client(PATIENCE)
    detail = await client.repo(place.definition.name)
    operation = RepoOperation(
        verb="commit", repo=place.definition, servers=(place.server,), message=asked[0], author=asked[1],
        diff=detail.diff,
    )  # fmt: skip
    await shell.acts.run(operation, follow=True)


def _editor(place: Place, file: RepoFile, text: str) -> YamlEditor[str]:
    def check(typed: str) -> Checked[str]:
        changed = sum(line[:1] in "+-" for line in _diff(file, typed).splitlines()[2:])
        return Checked(typed, f"{changed} lines differ; saving asks for a message first" if changed else "unchanged")

    return YamlEditor(f"{file.path} of {place.definition.name} on {place.server}", text, check)


def _diff(file: RepoFile, text: str) -> str:
    lines = difflib.unified_diff(
        file.text.splitlines(), text.splitlines(), f"a/{file.path}", f"b/{file.path}", lineterm=""
    )
    return "\n".join(lines)


async def _ask_why(runtime: Runtime, shell: Shell, place: Place, what: str) -> tuple[str, str] | None:
    """Message and author; None where the person left."""
    name = runtime.actor.sudo_user or runtime.actor.name
    values = await shell.ask(
        FormDialog(
            f"Commit {what} and push it to {place.definition.name}",
            [
                Field("message", "message", "lines", check=lambda text: "" if text.strip() else "say what it is for"),
                Field("author", "author", value=f"{name} <{name}@{socket.gethostname()}>", help="Name <mail>",
                      check=lambda text: "" if AUTHOR.fullmatch(text) else "like Ana Lee <ana@example.com>"),
            ],
        )
    )  # fmt: skip
    return (str(values["message"]).strip(), str(values["author"])) if values is not None else None
