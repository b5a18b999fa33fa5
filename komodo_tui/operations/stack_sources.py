"""What an agent is sent of a stack: its files, values looked up, the repository with its token."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from komodo_agent.wire.compose import ComposeSource, StackFile
from komodo_agent.wire.compose_values import names_in, with_variables
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.interpolation import Interpolated, interpolate, with_builds
from komodo_tui.domain.stack_git import origin_of
from komodo_tui.domain.stack_values import variables_for, words_with_values
from komodo_tui.domain.stacks import COMPOSE_FILE, environment_of, split_command
from komodo_tui.operations.repo_plans import source_with_token

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from komodo_agent.wire.compose import ComposePreview
    from komodo_agent.wire.compose_git import GitOrigin
    from komodo_tui.domain.stacks import StackDefinition
    from komodo_tui.operations.repo_definitions import RepoDefinitions
    from komodo_tui.operations.values import StoredValues


class StackWords(NamedTuple):
    """Command lines of a stack, with their values."""

    extra_args: tuple[str, ...]
    pre_deploy: tuple[tuple[str, ...], ...]
    post_deploy: tuple[tuple[str, ...], ...]


class StackSources:
    """Makes them. All of it blocks, for it reads definitions and secrets."""

    def __init__(self, values: StoredValues, repos: RepoDefinitions) -> None:
        self._values = values
        self._repos = repos

    def source(self, stack: StackDefinition, server: str, wanted: Iterable[str] = ()) -> ComposeSource:
        """The stack on one server. ``wanted``: the ``[[NAME]]`` of files that are not written here.

        Raises:
            UsageError: a value is nowhere set. NotFoundError: its repo, or the secret of that, is not there.
        """
        contents = {**({COMPOSE_FILE: stack.compose} if stack.compose else {}), **stack.attached}
        read = [path for path in stack.files if path in contents]
        names = [*wanted, *(name for path in read for name in names_in(contents[path]))]
        lookup = self._values.lookup(stack.name, server)
        templates = with_builds({**environment_of(stack, server), **variables_for(names)}, lookup)
        values = self.values_of(templates, stack.name, server, f"stack {stack.name} on {server}")
        contents |= {path: with_variables(contents[path]) for path in read}
        return ComposeSource(
            project=stack.project_name,
            stack=stack.name,
            files=tuple(StackFile(path=path, content=content) for path, content in contents.items()),
            folder=stack.folder,
            git=self._origin(stack, server),
            compose_files=stack.files,
            env_files=stack.env_files,
            environment=values.values,
            templates=templates,
            secret_keys=values.secret_keys,
            profiles=stack.profiles,
            ignore_services=stack.ignore_services,
        )

    def words(self, stack: StackDefinition, server: str) -> StackWords:
        """Its arguments and commands.

        Raises:
            UsageError: a value is nowhere set, or is a secret.
        """
        lookup = self._values.lookup(stack.name, server)
        name = f"stack {stack.name}"

        def commands(lines: Iterable[str], what: str) -> tuple[tuple[str, ...], ...]:
            return tuple(
                words_with_values(split_command(line, name), lookup, where=f"{name}: {what}") for line in lines
            )

        return StackWords(
            words_with_values(stack.extra_args, lookup, where=f"{name}: extra_args"),
            commands(stack.pre_deploy, "pre_deploy"),
            commands(stack.post_deploy, "post_deploy"),
        )

    def fallback(self, stack: str, server: str, preview: ComposePreview) -> tuple[Interpolated | None, tuple[str, ...]]:
        """The last good revision's values, and a warning where they cannot be had any more."""
        good = preview.last_good
        if good is None:
            return None, ()
        try:
            return self.values_of(preview.last_good_templates, stack, server, f"revision {good.number}"), ()
        except UsageError as error:
            return None, (f"no return to revision {good.number} is possible: {error.message}",)

    def values_of(self, templates: Mapping[str, str], stack: str, server: str, where: str) -> Interpolated:
        """An environment with its values. Raises UsageError where one is nowhere set."""
        return interpolate(templates, self._values.lookup(stack, server), where=where)

    def _origin(self, stack: StackDefinition, server: str) -> GitOrigin | None:
        if stack.git is None:
            return None
        origin = origin_of(stack.git, f"stack {stack.name}", self._repos.known())
        repo = source_with_token(stack.git.repo or origin.repo.url, origin.repo, server, self._values)
        return msgspec.structs.replace(origin, repo=repo)
