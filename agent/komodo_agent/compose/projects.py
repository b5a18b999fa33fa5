"""The compose projects of this server: those that run, by their labels, and those with revisions here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..problems import AgentError
from ..wire.compose import ComposeProject, RunningService
from .names import PROJECT
from .observe import CONFIG_FILES, WORKING_DIR, containers_of, fingerprint, hash_of, names, state_print, words_of
from .revisions import last_good

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..wire.compose import Revision
    from ..wire.models import Container
    from .deploy import Host
    from .found import FoundFiles

_WORST = ("dead", "exited", "restarting", "created", "removing", "paused", "running")


async def projects(host: Host) -> tuple[ComposeProject, ...]:
    """All of them, from what is known of the engine: it is not called. Volumes and networks are left out."""
    await host.found.look()
    running: dict[str, list[Container]] = {}
    for container in host.engine.containers.values():
        if container.stack and container.labels.get("com.docker.compose.oneoff") != "True":
            running.setdefault(container.stack, []).append(container)
    kept = {path.name for path in host.root.glob("*/") if PROJECT.fullmatch(path.name)} if host.root.is_dir() else set()
    there = {name: _project(host, name, running.get(name, [])) for name in sorted({*running, *kept})}
    return (*there.values(), *_found(host, there))


def _found(host: Host, there: Mapping[str, ComposeProject]) -> Iterator[ComposeProject]:
    """Compose files that nothing was made of yet."""
    used = {folder for project in there.values() for folder in (project.working_dir, project.folder)}
    seen = set(there)
    for found in host.found.known:
        if found.folder not in used and found.project not in seen:
            seen.add(found.project)
            yield _of_files(found)


def _of_files(found: FoundFiles) -> ComposeProject:
    return ComposeProject(
        name=found.project, working_dir=found.folder, found=True,
        config_files=tuple(f"{found.folder}/{name}" for name in found.files),
        fingerprint=fingerprint(found.project, found.folder, found.files),
    )  # fmt: skip


async def project(host: Host, name: str) -> ComposeProject:
    """One of them, asked of the engine now.

    Raises:
        AgentError: ``not_found``.
    """
    there = await containers_of(host.engine, name)
    found = _project(host, name, there)
    if not there and not found.managed:
        await host.found.look()
        files = next((f for f in host.found.known if f.project == name), None)
        if files is not None:
            return _of_files(files)
        raise AgentError("not_found", f"there is no compose project {name[:80]!r} on this server")
    volumes, networks = await names(host.engine, "volumes", name), await names(host.engine, "networks", name)
    return msgspec.structs.replace(found, volumes=tuple(sorted(volumes)), networks=tuple(sorted(networks)))


def _project(host: Host, name: str, there: Sequence[Container]) -> ComposeProject:
    kept = host.kept(name) if PROJECT.fullmatch(name) else None
    revisions = kept.revisions() if kept is not None and kept.exists() else []
    good = last_good(revisions)
    labels = there[0].labels if there else {}
    return ComposeProject(
        name=name,
        services=_services(there, None if kept is not None and kept.is_down() and not there else good),
        working_dir=labels.get(WORKING_DIR, ""),
        config_files=tuple(path for path in labels.get(CONFIG_FILES, "").split(",") if path),
        managed=bool(revisions),
        stack=revisions[0].summary.stack if revisions else "",
        folder=revisions[0].folder if revisions else "",
        busy=kept.busy() if kept is not None else False,
        revisions=tuple(revision.summary for revision in revisions),
        fingerprint=fingerprint(name, state_print(there)) if there else "",
    )


def _services(there: Sequence[Container], good: Revision | None) -> tuple[RunningService, ...]:
    by_service: dict[str, list[Container]] = {}
    for container in there:
        by_service.setdefault(container.service, []).append(container)
    found = [
        RunningService(
            service=service,
            image=containers[0].image,
            containers=tuple(c.name for c in containers),
            state=words_of(min(containers, key=_badness)),
            hash=hash_of(containers[0]),
            drift=_drift(service, containers, good),
        )
        for service, containers in sorted(by_service.items())
    ]
    for service in sorted(good.hashes if good else ()):
        if service not in by_service:
            found.append(
                RunningService(service=service, image="", containers=(), state="missing", drift="it is not there")
            )
    return tuple(found)


def _badness(container: Container) -> tuple[int, int]:
    state = _WORST.index(container.state) if container.state in _WORST else 0
    return state, 0 if container.health == "unhealthy" else 1


def _drift(service: str, containers: Sequence[Container], good: Revision | None) -> str:
    """How a service differs from the last good revision."""
    if good is None:
        return ""
    if service not in good.hashes:
        return "it was not part of the last good revision"
    if any(hash_of(c) != good.hashes[service] for c in containers):
        return "its configuration is not that of the last good revision"
    image = good.summary.images.get(service)
    if image and any(c.image_id != image for c in containers):
        return "it runs another image than the last good revision"
    return ""
