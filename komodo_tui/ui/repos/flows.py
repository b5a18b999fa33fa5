"""From a key to an act on clones, or to a changed definition."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.repos import DefineRepoOperation, RepoDefinition, RepoOperation, check_repo, servers_of
from komodo_tui.domain.units import count_text
from komodo_tui.operations.pushes.by_hand import push_by_hand
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.ui.definitions.editing import Editing
from komodo_tui.ui.definitions.text import definition_text, read_one
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.modals.yaml_editor import Checked, YamlEditor
from komodo_tui.ui.repos.changing import commit_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from komodo_agent.wire.repos import RepoVerb
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.ui.repos.book import Place, RepoRow
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_NEW = """\
repos:
  - name: my-repo
    url: https://github.com/owner/my-repo.git
    # empty: the repository's main branch
    branch: ""
    # stay at this commit; empty: follow the branch
    commit: ""
    servers: [{server}]
    # for https: the name of a secret that is the token (g v keeps them)
    token: ""
    # its user, where one is wanted
    username: ""
    # for ssh, one of these; none: what ssh there uses by itself
    # the name of a secret that is a private key
    key: ""
    # the path of one on the server
    ssh_key: ""
    # your ssh-agent, lent while git runs: root there could log in by it
    ssh_agent: false
    # lines of a known_hosts file; empty: the server's own files
    host_keys: []
    # commands run in the clone's folder on the server
    on_clone: []
    on_pull: []
    # look for pushes that often, and take webhooks that are signed with this secret
    poll: ""
    webhook: ""
    # what a push sets off, after the clones were pulled: deploy, build, sync or procedure
    on_push: []
    # - deploy: my-stack
    description: ""
    tags: []
    links: []
"""


def read_repo(text: str, known: Mapping[str, ServerDefinition]) -> Checked[RepoDefinition]:
    """The one repo of a text. Raises UsageError."""
    repo = check_repo(read_one(text, "repos", "name: …, url: …, servers: …"))
    try:
        places = servers_of(repo, known)
    except UsageError as error:
        return Checked(repo, f"{repo.name} can be saved", str(error))
    where = places[0] if len(places) == 1 else count_text(len(places), "server")
    return Checked(repo, f"{repo.name} can be cloned on {where}: B does that")


def repo_text(repo: RepoDefinition) -> str:
    """A definition as people write it: without what is as it is anyway."""
    usual = RepoDefinition(name="", url="")
    return definition_text("repos", repo, usual, shown=("name", "url", "branch", "servers"))


class RepoEditing(Editing[RepoDefinition]):
    """New, edited and forgotten repos. Clones of a forgotten one stay on the servers."""

    NOUN = "repo"

    @property
    def kept(self) -> RepoDefinitions:
        """Where they are kept."""
        return RepoDefinitions(self.runtime.definitions)

    def text(self, definition: RepoDefinition) -> str:
        """A definition as people write it."""
        return repo_text(definition)

    def editor(self, title: str, text: str) -> YamlEditor[RepoDefinition]:
        """The dialog."""
        known = {server: live.definition for server, live in self.runtime.fleet.state.servers.items()}
        return YamlEditor(title, text, lambda typed: read_repo(typed, known))

    def operation(
        self, verb: Literal["add", "edit", "remove"], name: str, definition: RepoDefinition | None, rev: int | None
    ) -> DefineRepoOperation:
        """The change of a definition."""
        return DefineRepoOperation(verb=verb, name=name, definition=definition, rev=rev)

    async def beginning(self) -> str:
        """An example, on the first server."""
        return _NEW.format(server=next(iter(self.runtime.fleet.state.servers), "my-server"))


async def clone_or_pull(runtime: Runtime, shell: Shell, places: Sequence[Place]) -> None:
    """Pull where there is a clone of it, clone everywhere else."""
    missing = [place for place in places if not place.cloned]
    if missing:
        await act(shell, "clone", missing)
    there = [place for place in places if place.cloned]
    if there:
        await act(shell, "pull", there)


async def act(shell: Shell, verb: RepoVerb, places: Sequence[Place], *, discard: bool = False) -> None:
    """One verb on these clones, shown as it goes.

    Raises:
        KomodoError: it cannot be planned, or was refused.
    """
    servers = tuple(place.server for place in places)
    operation = RepoOperation(verb=verb, repo=places[0].definition, servers=servers, discard=discard)
    await shell.acts.run(operation, follow=verb in ("clone", "pull"))


async def menu(runtime: Runtime, shell: Shell, row: RepoRow, places: Sequence[Place]) -> str | None:
    """Every act on the clones; returns ``edit``, ``files`` or ``forget`` where that was picked, else None."""
    nowhere = row.problem or ("" if places else "it is on no server")
    none = nowhere or ("" if any(place.state is not None for place in places) else "it is not cloned yet")
    dirty = [place for place in places if place.state is not None and (place.state.dirty_count or place.state.ahead)]
    changed = "" if len(dirty) == 1 else "nothing was changed" if not dirty else "in several clones: mark one"
    nothing = "" if row.definition.on_push else "its definition has no on_push"
    items = [
        MenuItem("update", "clone or pull", "B", "to the last commit of the branch, or the pinned one", nowhere),
        MenuItem("fetch", "look for news", "f", "files stay as they are", none),
        MenuItem("clone", "clone anew", "c", "files that git does not know stay", nowhere),
        MenuItem("files", "files", "o", "look, edit, commit and push", none),
        MenuItem("commit", "commit what was changed there", "C", "and push it", none or changed),
        MenuItem("push", "do what a push sets off", "p", "the watch does it", nothing),
        MenuItem("discard", "pull and throw changes away", "d", "", none),
        MenuItem("discard_clone", "clone anew, throw changes away", "a", "where git cannot read the clone", none),
        MenuItem("remove", "remove the clones", "x", "with their files", none),
        MenuItem("edit", "edit the definition", "e"),
        MenuItem("forget", "forget the definition", "X", "clones stay on the servers"),
    ]
    if runtime.settings.read_only:
        items = [replace(item, disabled="read-only mode is on") for item in items]
    picked = await shell.ask(MenuDialog(row.definition.name, items))
    there = [place for place in places if place.state is not None]
    if picked == "update":
        await clone_or_pull(runtime, shell, places)
    elif picked == "clone":
        await act(shell, "clone", places)
    elif picked == "commit":
        await commit_changes(runtime, shell, dirty[0])
    elif picked == "push":
        watched = await asyncio.to_thread(
            push_by_hand, runtime.state_dir, row.definition, runtime.actor, read_only=runtime.settings.read_only
        )
        shell.flash("the watch does it now" if watched else "it waits: nobody watches, start komodo-tui watch")
    elif picked in ("fetch", "remove"):
        await act(shell, picked, there)  # type: ignore[arg-type]
    elif picked in ("discard", "discard_clone"):
        await act(shell, "pull" if picked == "discard" else "clone", there, discard=True)
    else:
        return picked
    return None
