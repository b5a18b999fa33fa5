"""One compose project about to be looked at or changed: its source, where it runs, and the compose calls for it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..wire.compose import ComposeSource, StackFile
from .cli import Masker, capture, child_environment
from .model import parse_model, unset_variables
from .names import check_files, check_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..engine.client import Engine
    from ..wire.compose import Revision
    from .cli import Cli
    from .folder import StackFolder
    from .model import Model

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}")
_OURS = re.compile(r"PATH|HOME|LC_ALL|(DOCKER|COMPOSE|LD|PYTHON)_.*")
_WARNING = re.compile(r"level=warning|variable is not set\. Defaulting")
_CONFIG = 60.0
_MESSAGE = 2000
_ABSOLUTE = re.compile(r"/[^\0\n]{0,4000}")


class ComposeCalls:
    """The command lines of one project at one moment: its files, environment and profiles."""

    def __init__(
        self,
        cli: Cli,
        engine: Engine,
        source: ComposeSource,
        folder: Path,
        files: tuple[str, ...],
        *,
        stands_for: Path | None = None,
    ) -> None:
        """Calls that see the source in ``folder``.

        Args:
            folder: the project directory.
            files: paths for ``-f``, in order.
            stands_for: the folder that ``folder`` is a copy of.
        """
        self.cli = cli
        self._stands_for = stands_for or folder
        self.source = source
        self.folder = folder
        self.files = files
        self.masked = Masker(source.environment, source.secret_keys)
        self.environment = child_environment(engine.path, source.environment)

    def words(self, *words: str, plain: bool = False) -> list[str]:
        """One command line. ``plain``: with progress as lines."""
        argv = [*self.cli.words, "-p", self.source.project, "--project-directory", str(self.folder)]
        for file in self.files:
            argv += ["-f", file]
        for name in self.source.env_files:
            argv += ["--env-file", str(self.folder / name)]
        for profile in self.source.profiles:
            argv += ["--profile", profile]
        if plain and self.cli.version >= (2, 19, 0):
            argv += ["--progress", "plain"]
        return [*argv, *words]

    def shown(self, *words: str) -> str:
        """The same as a person would type it in the project's folder."""
        argv = [*self.cli.words, "-p", self.source.project]
        for file in self.files:
            argv += ["-f", file.removeprefix(f"{self.folder}/")]
        for name in self.source.env_files:
            argv += ["--env-file", name]
        for profile in self.source.profiles:
            argv += ["--profile", profile]
        return self.masked(shlex.join([*argv, *words]))

    async def model(self, fds: tuple[int, ...] = ()) -> Model:
        """The resolved configuration.

        Raises:
            AgentError: ``bad_request`` with compose's own words, or naming the variables that are not set.
        """
        code, out, err = await capture(
            self.words("config", *(() if self.cli.old else ("--format", "json"))),
            environment=self.environment, folder=self.folder, timeout=_CONFIG, pass_fds=fds,
        )  # fmt: skip
        unset = unset_variables(err)
        if unset:  # first: an empty value is what else there is to complain about
            raise AgentError(
                "bad_request",
                f"not set: {', '.join(unset)}",
                hint="set them in the stack's environment, or write ${NAME:-} where none is needed",
            )
        if code:
            raise AgentError("bad_request", self.complaint(err))
        return parse_model(out.replace(str(self.folder), str(self._stands_for)), self.source.project, old=self.cli.old)

    async def hashes(self, fds: tuple[int, ...] = ()) -> dict[str, str]:
        """Compose's hash of each service's configuration, as it labels containers with.

        Raises:
            AgentError: compose refuses.
        """
        code, out, err = await capture(
            self.words("config", "--hash", "*"),
            environment=self.environment, folder=self.folder, timeout=_CONFIG, pass_fds=fds,
        )  # fmt: skip
        if code:
            raise AgentError("bad_request", self.complaint(err))
        pairs = (line.split() for line in out.splitlines())
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}

    def complaint(self, messages: str) -> str:
        """Compose's own words, without its warnings, our paths and secrets."""
        lines = [line.strip() for line in messages.splitlines() if line.strip() and not _WARNING.search(line)]
        text = " ".join(lines[-5:]) or "compose refused without a word"
        for file in self.files:
            text = text.replace(file, Path(file).name)
        text = text.replace(f"{self.folder}/", "")
        return self.masked(text)[:_MESSAGE]


def check_source(source: ComposeSource) -> None:
    """Raise AgentError ``bad_request`` unless this can be run at all."""
    if source.git is not None and source.git.folder:
        check_path(source.git.folder)
    if source.git is not None:
        check_files(source.files)
    elif source.folder:
        parts = Path(source.folder).parts
        if not _ABSOLUTE.fullmatch(source.folder) or ".." in parts:
            raise AgentError("bad_request", f"{source.folder[:200]!r} is no absolute path of a folder")
    else:
        check_files(source.files)
    if not source.compose_files:
        raise AgentError("bad_request", "no compose file is named")
    for name in (*source.compose_files, *source.env_files):
        check_path(name)
    placed = {file.path for file in source.files}
    elsewhere = source.folder or source.git is not None
    missing = [name for name in (*source.compose_files, *source.env_files) if not elsewhere and name not in placed]
    if missing:
        raise AgentError("bad_request", f"{missing[0]} is not among the stack's files")
    _check_environment(source)


def _check_environment(source: ComposeSource) -> None:
    for key, value in source.environment.items():
        if not _KEY.fullmatch(key):
            raise AgentError("bad_request", f"environment: {key[:80]!r} is no name for a variable")
        if _OURS.fullmatch(key):
            raise AgentError("bad_request", f"environment: {key} steers docker itself and cannot be set by a stack")
        if "\0" in value:
            raise AgentError("bad_request", f"environment: the value of {key} has a NUL character in it")
    for profile in source.profiles:
        if not _KEY.fullmatch(profile) and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*|\*", profile):
            raise AgentError("bad_request", f"{profile[:80]!r} is no name for a profile")


def project_folder(source: ComposeSource, kept: StackFolder, at: Path | None = None) -> Path:
    """Where the project's relative paths start; ``at``: where its files are to be read now.

    Raises:
        AgentError: ``not_found``: the folder on the server is not there.
    """
    if not source.folder:
        kept.make()
        return kept.files
    folder = at or Path(source.folder)
    told = _told(source)
    if not folder.is_dir():
        raise AgentError("not_found", f"there is no folder {told}")
    for name in () if source.files else (*source.compose_files, *source.env_files):
        if not (folder / name).is_file():
            raise AgentError("not_found", f"there is no file {name} in {told}")
    return folder


def _told(source: ComposeSource) -> str:
    if source.git is None:
        return f"{source.folder} on this server"
    return f"{source.git.folder or 'the top folder'} of {source.git.repo.url} at {source.commit[:12]}"


def read_sources(source: ComposeSource, at: Path | None = None) -> tuple[StackFile, ...]:
    """The files of a source, read from the server where they are there.

    Raises:
        AgentError: one cannot be read, or they are too large.
    """
    if source.files or not source.folder:
        return source.files
    found = []
    for name in source.compose_files:
        path = (at or Path(source.folder)) / name
        try:
            with path.open(encoding="utf-8", errors="surrogateescape") as file:
                found.append(StackFile(path=name, content=file.read(1 << 20)))
        except OSError as error:
            raise AgentError("failed", f"{name} cannot be read in {_told(source)}: {error.strerror}") from error
    check_files(found)
    return tuple(found)


def placed_calls(
    cli: Cli, engine: Engine, kept: StackFolder, source: ComposeSource, *more: str, at: Path | None = None
) -> ComposeCalls:
    """Calls for a source whose files lie in place, or (``at``) will; ``more`` files are read after its own."""
    folder = project_folder(source, kept) if at is None else Path(source.folder)
    where = kept.returned if source.folder and source.files else folder
    return ComposeCalls(cli, engine, source, folder, (*(str(where / name) for name in source.compose_files), *more))


def pins(images: Mapping[str, str]) -> str:
    """A compose file that holds services to these images."""
    return json.dumps({"services": {service: {"image": image} for service, image in images.items()}}, indent=1)


def source_of(
    project: str, revision: Revision, environment: Mapping[str, str], secret_keys: tuple[str, ...]
) -> ComposeSource:
    """What a revision was deployed from, with values given anew. Its files are those of then, wherever they lay."""
    return ComposeSource(
        project=project,
        stack=revision.summary.stack,
        files=revision.files,
        folder="" if revision.git is not None else revision.folder,
        git=revision.git,
        commit=revision.summary.commit if revision.git is not None else "",
        compose_files=revision.compose_files,
        env_files=revision.env_files,
        environment=dict(environment),
        templates=revision.templates,
        secret_keys=secret_keys,
        profiles=revision.profiles,
        ignore_services=revision.ignore_services,
    )
