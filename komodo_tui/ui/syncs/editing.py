"""New, edited and forgotten syncs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from komodo_tui.domain.syncs import DefineSyncOperation, SyncDefinition, check_sync
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.operations.sync_definitions import SyncDefinitions
from komodo_tui.ui.definitions.editing import Editing
from komodo_tui.ui.definitions.text import definition_text, read_one
from komodo_tui.ui.modals.yaml_editor import Checked, YamlEditor

if TYPE_CHECKING:
    from collections.abc import Collection

_NEW = """\
syncs:
  - name: fleet
    # a repo of yours; or a folder of this machine: folder: /etc/fleet
    repo: {repo}
    # a folder or a file in it; empty: all of it
    path: ""
    # only these kinds (stack, procedure, ...); empty: all
    kinds: []
    # whether what goes from the files goes here, too
    delete: false
    # whether komodo-tui watch applies it by itself, and how often it looks
    automatic: false
    every: 5m
    # whether stacks and deployments of it are deployed where what runs is not what they say
    deploy: false
"""
_SHOWN = ("name", "repo", "path", "delete", "automatic", "every", "deploy")


def read_sync(text: str, repos: Collection[str]) -> Checked[SyncDefinition]:
    """The one sync of a text. Raises UsageError."""
    sync = check_sync(read_one(text, "syncs", "name: …, repo: …"))
    warning = f"there is no repo {sync.repo!r} yet" if sync.repo and sync.repo not in repos else ""
    return Checked(sync, f"{sync.name} can be saved; Enter then shows what differs", warning)


def sync_text(sync: SyncDefinition) -> str:
    """A definition as people write it: without what is as it is anyway."""
    return definition_text("syncs", sync, SyncDefinition(name=""), shown=_SHOWN if sync.repo else ("name", "folder"))


class SyncEditing(Editing[SyncDefinition]):
    """What a forgotten sync has brought stays."""

    NOUN = "sync"

    @property
    def kept(self) -> SyncDefinitions:
        """Where they are kept."""
        return SyncDefinitions(self.runtime.definitions)

    def text(self, definition: SyncDefinition) -> str:
        """A definition as people write it."""
        return sync_text(definition)

    def editor(self, title: str, text: str) -> YamlEditor[SyncDefinition]:
        """The dialog."""
        repos = RepoDefinitions(self.runtime.definitions).known()
        return YamlEditor(title, text, lambda typed: read_sync(typed, repos))

    def operation(
        self, verb: Literal["add", "edit", "remove"], name: str, definition: SyncDefinition | None, rev: int | None
    ) -> DefineSyncOperation:
        """The change of a definition."""
        return DefineSyncOperation(verb=verb, name=name, definition=definition, rev=rev)

    async def beginning(self) -> str:
        """An example, of the first repo."""
        return _NEW.format(repo=next(iter(RepoDefinitions(self.runtime.definitions).known()), "my-repo"))
