"""Makes a build ready: which server builds, which version comes, and the values of its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.builds import BuildOperation, check_build, next_version, parse_version
from komodo_tui.domain.errors import NotFoundError, UnreachableError, UsageError
from komodo_tui.domain.interpolation import interpolate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.builds import BuildDefinition
    from komodo_tui.fleet.live import FleetState, ServerLive
    from komodo_tui.operations.build_history import BuildHistory
    from komodo_tui.operations.repo_definitions import RepoDefinitions
    from komodo_tui.operations.values import StoredValues


_SHOWN = 3
"""Servers that are named where none can build."""


class BuildPreparer:
    """Reads stores: call it in a thread where the loop has to go on."""

    def __init__(self, repos: RepoDefinitions, values: StoredValues, history: BuildHistory) -> None:
        self._repos = repos
        self._values = values
        self._history = history

    def prepare(
        self, build: BuildDefinition, server: str, version: str = "", *, follow_up: bool = True
    ) -> BuildOperation:
        """A build on this server; ``version`` instead of the one that comes by itself.

        Raises:
            UsageError: the definition cannot be used, or a value it wants is not set.
            NotFoundError: its repo is not defined, or a secret is not there.
        """
        check_build(build)
        if version:
            parse_version(version)
        values = self._arguments(build, server)
        for host in build.logins:
            if not self._values.registry_auth(f"{host}/image"):
                hint = f"komodo-tui registry login {host} --username NAME"
                raise NotFoundError(f"build {build.name}: no login is kept for {host}", hint=hint)
        repo = None
        if build.repo:
            found = self._repos.find(build.repo)
            if found is None:
                raise NotFoundError(f"build {build.name}: there is no repo {build.repo!r}", hint="define it first")
            changes = {"branch": build.branch} if build.branch else {}
            changes |= {"commit": build.commit} if build.commit else {}
            if build.branch and not build.commit:
                changes["commit"] = ""
            repo = msgspec.structs.replace(found, **changes)
        last = "" if version else self._history.last_version(build.name)
        return BuildOperation(
            build=build, server=server, repo=repo, arguments=values, after=None if version else last,
            version=version or next_version(build, last), follow_up=follow_up and build.followed,
        )  # fmt: skip

    def _arguments(self, build: BuildDefinition, server: str) -> dict[str, str]:
        where = f"build {build.name} on {server}"
        found = interpolate(build.build_args, self._values.lookup("", server), where=where)
        if found.secret_keys:
            raise UsageError(
                f"build {build.name}: build_args: {found.secret_keys[0]} has a secret in it, and an image's history "
                "tells build arguments", hint="use secrets, and RUN --mount=type=secret",
            )  # fmt: skip
        return found.values


def pick_server(build: BuildDefinition, names: Sequence[str], state: FleetState) -> str:
    """The least loaded of those that are there.

    Raises:
        UnreachableError: none of them is.
    """
    there = [state.servers[name] for name in names if name in state.servers and state.servers[name].engine_live]
    if not there:
        why = "; ".join(f"{name}: {_why_not(state.servers.get(name))}" for name in names[:_SHOWN])
        raise UnreachableError(f"build {build.name}: nowhere to build it: {why}", hint="nothing was built")
    return min(there, key=_load).name


def _why_not(live: ServerLive | None) -> str:
    if live is None:
        return "there is no such server"
    if not live.live:
        return live.error.message if live.error is not None else "it does not answer"
    return live.engine.message if live.engine is not None and live.engine.message else "its engine does not answer"


def _load(live: ServerLive) -> tuple[int, float]:
    """Builds that run there first, then how busy its processors are."""
    builds = sum(job.kind == "build" and not job.ended for job in live.jobs.values())
    sample = live.sample
    if sample is None:
        return builds, 1e9
    return builds, max(sample.cpu / 100, sample.load[0] / max(len(sample.cores), 1))
