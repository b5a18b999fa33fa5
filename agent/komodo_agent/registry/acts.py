"""Acts on our registries, as jobs: start, delete, collect garbage."""

from __future__ import annotations

import asyncio
import io
import tarfile
from typing import TYPE_CHECKING

from ..engine.asking import ask
from ..engine.create import create
from ..engine.errors import engine_errors
from ..problems import AgentError
from ..tasks.execute import execute
from ..wire.jobs import Bind, CreateContainer, PublishedPort
from ..wire.registry import LABEL, PORT, CollectRegistry, DeleteFromRegistry, StartRegistry
from ..wire.tasks import ExecTask
from .speak import own_registry, speaking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..engine.client import Engine
    from ..jobs import JobContext
    from ..wire.registry import RegistryJob

_DATA = "/var/lib/registry"
_PASSWORDS = "auth/htpasswd"
_LOOKS, _PAUSE = 300, 0.1
_COLLECT_TIMEOUT = 3600.0


def describe_registry_job(spec: RegistryJob) -> tuple[str, str]:
    """The kind of the job, and what it acts on."""
    if isinstance(spec, StartRegistry):
        return "registry start", spec.name
    if isinstance(spec, DeleteFromRegistry):
        one = f"{spec.items[0][0]}@{spec.items[0][1][:19]}" if len(spec.items) == 1 else f"{len(spec.items)} images"
        return "registry delete", one
    return "registry collect", spec.container[:12]


async def run_registry_job(engine: Engine, context: JobContext, spec: RegistryJob) -> None:
    """Do it.

    Raises:
        AgentError: it makes no sense, is not there any more, or was refused.
    """
    if isinstance(spec, StartRegistry):
        await _start(engine, context, spec)
    elif isinstance(spec, DeleteFromRegistry):
        await _delete(engine, context, spec)
    else:
        await _collect(engine, context, spec)


async def _start(engine: Engine, context: JobContext, spec: StartRegistry) -> None:
    if spec.guarded and not spec.passwords:
        raise AgentError("bad_request", f"{spec.name} is to ask for a password, and there is none")
    await create(engine, context, container_of(spec))
    container = await engine.find(spec.name)
    try:
        if spec.guarded:
            context.log(f"its passwords are put into /{_PASSWORDS}")
            with engine_errors(f"give {spec.name} its passwords"):
                async with engine.stream(
                    "PUT", f"/containers/{container.id}/archive", params={"path": "/"},
                    headers={"Content-Type": "application/x-tar"}, data=_file(_PASSWORDS, spec.passwords),
                ):  # fmt: skip
                    pass
        context.command(f"docker start {spec.name}")
        await ask(engine, f"start {spec.name}", "POST", f"/containers/{container.id}/start")
        await _until_it_answers(engine, context, spec.name, hint=f"is {spec.image} a registry?")
    except (AgentError, asyncio.CancelledError):
        context.log("it is removed again; its volume stays")
        await ask(engine, f"remove {spec.name}", "DELETE", f"/containers/{container.id}", params={"force": "true"})
        raise
    context.result(container=container.id, address=spec.address)


def container_of(spec: StartRegistry) -> CreateContainer:
    """The container of a registry. Pure."""
    environment = {"REGISTRY_HTTP_ADDR": f":{PORT}", "REGISTRY_STORAGE_DELETE_ENABLED": "true"}
    if spec.guarded:
        environment |= {
            "REGISTRY_AUTH": "htpasswd",
            "REGISTRY_AUTH_HTPASSWD_REALM": spec.name,
            "REGISTRY_AUTH_HTPASSWD_PATH": f"/{_PASSWORDS}",
        }
    return CreateContainer(
        image=spec.image,
        name=spec.name,
        environment=environment,
        ports=(PublishedPort(private=PORT, public=spec.port, ip=spec.listen),),
        binds=(Bind(source=f"{spec.name}-data", destination=_DATA),),
        restart_policy="always",
        labels={LABEL: spec.address},
        start=False,
        registry_auth=spec.registry_auth,
    )


async def _until_it_answers(
    engine: Engine, context: JobContext, name: str, *, hint: str, again: bool = False
) -> None:  # fmt: skip
    """``again``: it was up before, and the list may still have its end of then."""
    context.progress(f"waiting for an answer of {name}")
    for _ in range(_LOOKS):
        if await _answers(engine, name, again=again):
            return
        await asyncio.sleep(_PAUSE)
    raise AgentError("failed", f"{name} runs and does not answer", hint=hint)


async def _answers(engine: Engine, name: str, *, again: bool) -> bool:
    container = await engine.find(name)
    if container.state in ("exited", "dead") and not again:
        raise AgentError("failed", f"{name} ended at once, with status {container.exit_code}", hint="is it a registry?")
    if container.state != "running" or not container.ports:
        return False  # the engine's event has not come yet
    async with speaking(container, "") as registry:
        return await registry.answers()


async def _delete(engine: Engine, context: JobContext, spec: DeleteFromRegistry) -> None:
    container = await own_registry(engine, spec.container)
    context.target(container.name)
    async with speaking(container, spec.registry_auth) as registry:
        for number, (repository, digest) in enumerate(spec.items):
            context.progress(f"deleting {repository}", number / len(spec.items))
            context.command(f"curl -X DELETE http://{spec.address}/v2/{repository}/manifests/{digest}")
            await registry.delete(repository, digest)
    context.result(deleted=str(len(spec.items)))


async def _collect(engine: Engine, context: JobContext, spec: CollectRegistry) -> None:
    container = await own_registry(engine, spec.container)
    context.target(container.name)
    inspected = await engine.inspect(container.id)
    words = [str(word) for word in (inspected.get("Config") or {}).get("Cmd") or ()]
    config = next((word for word in reversed(words) if word.endswith((".yml", ".yaml"))), "")
    if not config:
        raise AgentError("failed", f"{container.name} does not say where its configuration is")
    command = ("registry", "garbage-collect", "--delete-untagged", config)
    await execute(engine, context, ExecTask(container=container.id, command=command, timeout=_COLLECT_TIMEOUT))
    # It remembers what it had: without a new start it would tell the next push that layers are there which are gone.
    context.command(f"docker restart {container.name}")
    await ask(engine, f"restart {container.name}", "POST", f"/containers/{container.id}/restart")
    await _until_it_answers(engine, context, container.name, hint="look at its logs", again=True)


async def _file(path: str, text: str) -> AsyncIterator[bytes]:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        folder = tarfile.TarInfo(path.rpartition("/")[0])
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        entry = tarfile.TarInfo(path)
        entry.size, entry.mode = len(text.encode()), 0o600
        tar.addfile(entry, io.BytesIO(text.encode()))
    yield out.getvalue()
