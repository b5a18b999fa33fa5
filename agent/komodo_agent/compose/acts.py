"""Verbs on a project as a whole: start, stop, restart, pause, unpause, down, and adopting what runs."""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.pull import pull
from ..problems import AgentError
from ..wire.compose import Revision, RevisionSummary, StackFile
from .cli import child_environment, find_cli, stream
from .engine_acts import act_by_engine
from .names import check_files
from .observe import CONFIG_FILES, WORKING_DIR, containers_of, fingerprint, hash_of, images, state_print, tidy
from .record import digest

if TYPE_CHECKING:
    from ..jobs import JobContext
    from ..wire.compose import ComposeAct, ComposeAdopt
    from ..wire.models import Container
    from .deploy import Host


async def act(host: Host, context: JobContext, spec: ComposeAct) -> None:
    """Do it, by compose itself, which knows the order of the services.

    Raises:
        AgentError: there is no such project, it is not as it was, or compose failed.
    """
    kept = host.kept(spec.project)
    with kept.lock() as fd:
        there = await _there(host, spec.project, spec.fingerprint)
        if spec.verb == "down":
            await tidy(host.engine, spec.project)
        unknown = set(spec.services) - {c.service for c in there}
        if unknown:
            raise AgentError("not_found", f"{spec.project} has no service {sorted(unknown)[0]} here")
        if spec.verb == "pull":
            await _pull(host, context, spec, there)
            return
        cli = await find_cli()
        words = _words(spec)
        if cli.old:  # it does nothing without files and all their variables
            await act_by_engine(host.engine, context, spec, there)
            kept.set_down(spec.verb == "down")
            return
        shown = shlex.join([*cli.words, "-p", spec.project, *words])
        context.command(shown)
        context.progress(f"{spec.verb} {spec.project}")
        said: list[str] = []

        def line(text: str) -> None:
            context.log(text)
            said.append(text)
            del said[:-3]

        plain = ("--progress", "plain") if cli.version >= (2, 19, 0) else ()
        code = await stream(
            [*cli.words, "-p", spec.project, *plain, *words],
            environment=child_environment(host.engine.path, {}), folder=Path("/"), line=line, pass_fds=(fd,),
        )  # fmt: skip
        if not code and spec.verb == "down":
            kept.set_down(True)
        if code:
            raise AgentError("failed", f"{spec.verb} failed (exit code {code}): {' '.join(said)[:2000]}")


async def _pull(host: Host, context: JobContext, spec: ComposeAct, there: list[Container]) -> None:
    """The images of what is there, from their registries; what runs keeps its own. Those built here have none."""
    wanted = {c.image for c in there if not spec.services or c.service in spec.services}
    found = await images(host.engine, wanted)
    for image in sorted(wanted):
        if image.startswith("sha256:") or (image in found and not found[image].get("RepoDigests")):
            context.log(f"{image} came from no registry: left as it is")
            continue
        await pull(host.engine, context, image, spec.logins.get(image, ""))
    news = await images(host.engine, wanted)
    moved = sorted(i for i in wanted if i in news and i in found and news[i].get("Id") != found[i].get("Id"))
    context.log(f"newer: {', '.join(moved)}; a deploy takes them" if moved else "no newer image")
    context.result(newer=" ".join(moved))


def _words(spec: ComposeAct) -> list[str]:
    if spec.verb != "down":
        return [spec.verb, *spec.services]
    return ["down", "--remove-orphans", *(["--volumes"] if spec.volumes else [])]


async def adopt(host: Host, context: JobContext, spec: ComposeAdopt) -> None:
    """Record what runs, and the files it was made from, as a good revision. No container is touched.

    Raises:
        AgentError: nothing runs, its files are not there, or it has been adopted already.
    """
    kept = host.kept(spec.project)
    with kept.lock():
        kept.settle()
        if not await containers_of(host.engine, spec.project) and not kept.revisions():
            await _only_files(host, context, spec)
            return
        there = await _there(host, spec.project, spec.fingerprint)
        if kept.revisions():
            raise AgentError("conflict", f"{spec.project} has revisions here already: it needs no adopting")
        folder, names = origin(there)
        files = _read(folder, names)
        ids = {c.service: c.image_id for c in there}
        references = {c.service: c.image for c in there}
        found = await images(host.engine, references.values())
        digests = {s: (found.get(r) or {}).get("RepoDigests") or [] for s, r in references.items()}
        now = time.time()
        kept.save(
            Revision(
                summary=RevisionSummary(
                    number=kept.next_number(), stack=spec.stack, actor=context.actor, started=now, finished=now,
                    outcome="success", step="adopted", images=ids,
                    digest=digest(files, (), {}),
                ),
                files=files, folder=folder, compose_files=names,
                hashes={c.service: hash_of(c) for c in there}, references=references,
                repo_digests={s: str(d[0]) for s, d in digests.items() if d},
            )
        )  # fmt: skip
        context.log(f"adopted {spec.project} as revision 1: {', '.join(sorted(ids))}")
        context.result(outcome="success", revision="1", folder=folder)


async def _only_files(host: Host, context: JobContext, spec: ComposeAdopt) -> None:
    """Compose files of which nothing runs: there is nothing to record. Raises AgentError when they are gone."""
    await host.found.look()
    files = next((found for found in host.found.known if found.project == spec.project), None)
    if files is None:
        raise AgentError("not_found", f"nothing of {spec.project} is on this server")
    context.log(f"nothing of {spec.project} runs yet: its first deploy will be revision 1")
    context.result(outcome="success", folder=files.folder)


def origin(containers: list[Container]) -> tuple[str, tuple[str, ...]]:
    """The folder and compose files a running project was made from, by its labels.

    Raises:
        AgentError: the labels do not say, or say something that is not below one folder.
    """
    labels = containers[0].labels
    folder = labels.get(WORKING_DIR, "")
    paths = [path for path in labels.get(CONFIG_FILES, "").split(",") if path]
    if not folder.startswith("/") or not paths:
        raise AgentError("conflict", "its containers do not say which files they were made from")
    names = [os.path.relpath(path if path.startswith("/") else f"{folder}/{path}", folder) for path in paths]
    outside = [path for path, name in zip(paths, names, strict=True) if name.startswith("..")]
    if outside:
        raise AgentError("conflict", f"{outside[0]} is not below {folder}: it cannot be adopted as it is")
    return folder, tuple(names)


def _read(folder: str, names: tuple[str, ...]) -> tuple[StackFile, ...]:
    files = []
    for name in names:
        path = Path(folder, name)
        try:
            with path.open(encoding="utf-8", errors="surrogateescape") as file:
                files.append(StackFile(path=name, content=file.read(1 << 20)))
        except OSError as error:
            raise AgentError("conflict", f"{path} cannot be read: {error.strerror}") from error
    check_files(files)
    return tuple(files)


async def _there(host: Host, project: str, wanted: str) -> list[Container]:
    """The project's containers; raises AgentError when there are none, or not those of the plan."""
    there = await containers_of(host.engine, project)
    if not there:
        raise AgentError("not_found", f"nothing of {project} is on this server")
    if wanted and wanted != fingerprint(project, state_print(there)):
        raise AgentError(
            "conflict",
            f"{project} is not as it was when the plan was made: nothing was changed",
            hint="look at the new plan and confirm that",
        )
    return there
