"""New, edited and forgotten builds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from komodo_tui.domain.builds import BuildDefinition, DefineBuildOperation, builders_of, check_build
from komodo_tui.domain.errors import UsageError
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.ui.definitions.editing import Editing
from komodo_tui.ui.definitions.text import definition_text, read_one
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.modals.yaml_editor import Checked, YamlEditor

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from komodo_tui.domain.servers import ServerDefinition

_TAIL = """\
    # a server, or tag:TAG for the least loaded of those; empty: the least loaded of all
    server: ""
    # the image's name without a tag; empty: the build's own
    image: ""
    version: 0.1.0
    # what grows with each build that succeeds: patch, minor, major or none
    bump: patch
    build_args: {}
    # for RUN --mount=type=secret,id=npm: {npm: NAME_OF_A_SECRET}
    secrets: {}
    # stacks and deployments that are deployed again then
    redeploy_on_build: []
"""
_FROM_REPO = """\
builds:
  - name: my-image
    repo: my-repo
    # the build's folder among the files, and the Dockerfile in it
    path: ""
    file: Dockerfile
"""
_FROM_FOLDER = """\
builds:
  - name: my-image
    # on the build server
    folder: /srv/my-image
    file: Dockerfile
"""
_WRITTEN = """\
builds:
  - name: my-image
    dockerfile: |
      FROM busybox
      RUN echo hello > /hello
      CMD ["cat", "/hello"]
"""
_BEGINNINGS = {"repo": _FROM_REPO, "folder": _FROM_FOLDER, "dockerfile": _WRITTEN}
SHOWN = ("name", "version", "server")


def read_build(
    text: str, known: Mapping[str, ServerDefinition], repos: Collection[str]
) -> Checked[BuildDefinition]:  # fmt: skip
    """The one build of a text. Raises UsageError."""
    build = check_build(read_one(text, "builds", "name: …, repo: …"))
    warnings = []
    try:
        where = builders_of(build, known)
    except UsageError as error:
        where = ()
        warnings.append(str(error))
    if build.repo and build.repo not in repos:
        warnings.append(f"there is no repo {build.repo!r} yet")
    on = where[0] if len(where) == 1 else f"the least loaded of {len(where)} servers"
    return Checked(build, f"{build.name} can be built on {on}: B does that" if where else f"{build.name} can be saved",
                   "; ".join(warnings))  # fmt: skip


def build_text(build: BuildDefinition) -> str:
    """A definition as people write it: without what is as it is anyway."""
    return definition_text("builds", build, BuildDefinition(name=""), shown=SHOWN, long=("dockerfile",))


class BuildEditing(Editing[BuildDefinition]):
    """Images and past builds of a forgotten one stay."""

    NOUN = "build"

    @property
    def kept(self) -> BuildDefinitions:
        """Where they are kept."""
        return BuildDefinitions(self.runtime.definitions)

    def text(self, definition: BuildDefinition) -> str:
        """A definition as people write it."""
        return build_text(definition)

    def editor(self, title: str, text: str) -> YamlEditor[BuildDefinition]:
        """The dialog."""
        known = {server: live.definition for server, live in self.runtime.fleet.state.servers.items()}
        repos = RepoDefinitions(self.runtime.definitions).known()
        return YamlEditor(title, text, lambda typed: read_build(typed, known, repos))

    def operation(
        self, verb: Literal["add", "edit", "remove"], name: str, definition: BuildDefinition | None, rev: int | None
    ) -> DefineBuildOperation:
        """The change of a definition."""
        return DefineBuildOperation(verb=verb, name=name, definition=definition, rev=rev)

    async def beginning(self) -> str | None:
        """An example of the kind that is picked."""
        items = [
            MenuItem("repo", "from a repo", "r", "a git repository: each build brings its last commit"),
            MenuItem("folder", "from a folder of a server", "f", "files that are there already"),
            MenuItem("dockerfile", "from a Dockerfile written here", "d"),
        ]
        picked = await self.shell.ask(MenuDialog("New build", items))
        if picked is None:
            return None
        repos = await asyncio.to_thread(RepoDefinitions(self.runtime.definitions).known)
        return (_BEGINNINGS[picked] + _TAIL).replace("my-repo", next(iter(repos), "my-repo"))
