"""``registry``: logins, and the product's own registries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.registry import LABEL, RegistryContent, RegistryLook
from komodo_tui.domain.errors import ExitCode, KomodoError, NotFoundError, UsageError
from komodo_tui.domain.registries import RegistryImage, RegistryOperation, is_loopback, own_registries
from komodo_tui.domain.units import bytes_text
from komodo_tui.headless.acts import run
from komodo_tui.headless.session import not_reached
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.headless.values import registry as logins

if TYPE_CHECKING:
    from komodo_agent.wire.models import Container
    from komodo_tui.headless.session import Runtime, Session

_COLUMNS = (
    Column("REGISTRY"), Column("SERVER"), Column("REPOSITORY", flexible=True), Column("TAG"),
    Column("SIZE", right=True), Column("DIGEST"),
)  # fmt: skip


class ListedRegistry(msgspec.Struct, frozen=True, kw_only=True):
    """A registry in ``--json``."""

    server: str
    name: str
    address: str
    content: RegistryContent


async def registry(session: Session) -> int:
    """One of the verbs on registries."""
    does = {"start": _start, "show": _show, "delete": _delete, "collect": _collect}
    return await does.get(session.arguments.value_verb, logins)(session)


async def _start(session: Session) -> int:
    arguments = session.arguments
    address = (
        arguments.address or f"{'127.0.0.1' if is_loopback(arguments.listen) else arguments.listen}:{arguments.port}"
    )
    if address.startswith(("0.0.0.0", "[::]", "::")):
        raise UsageError("registry start: what is it called by others?", hint="--address HOST:PORT")
    async with session.servers() as runtime:
        server = _one_server(session, runtime)
        guarded = bool(await asyncio.to_thread(runtime.values.registry_auth, f"{address}/x"))
        operation = RegistryOperation(
            verb="start", server=server, name=arguments.name, address=address, image=arguments.image,
            listen=arguments.listen, port=arguments.port, guarded=guarded and not arguments.open,
        )  # fmt: skip
        return await run(session, runtime, operation)


async def _show(session: Session) -> int:
    async with session.servers() as runtime:
        found = [(name, one) for name, live in runtime.fleet.state.servers.items()
                 for one in own_registries(live.containers.values())]  # fmt: skip
        listed: list[ListedRegistry] = []
        failed: KomodoError | None = None
        for server, container in found:
            try:
                content = await _content(runtime, server, container)
            except KomodoError as error:
                session.out.error(error)
                failed = error
                continue
            address = container.labels[LABEL]
            listed.append(ListedRegistry(server=server, name=container.name, address=address, content=content))
        if session.out.json:
            session.out.document(listed)
        elif not found:
            session.out.say("komodo-tui: there is no registry; `komodo-tui registry start --server NAME` starts one")
        else:
            session.out.table(_COLUMNS, [row for one in listed for row in _rows(one)])
    return failed.exit_code if failed else ExitCode.DONE


def _rows(listed: ListedRegistry) -> list[list[Cell]]:
    where = [Cell(listed.address), Cell(listed.server)]
    rows = []
    for repository in listed.content.repositories:
        for tag in repository.tags:
            rows.append(
                [
                    *where,
                    Cell(repository.name),
                    Cell(tag.tag),
                    Cell(bytes_text(tag.size)),
                    Cell(tag.digest[7:19], "dim"),
                ]
            )
        if not repository.tags:
            rows.append([*where, Cell(repository.name), Cell("-", "dim"), Cell("-"), Cell("")])
    return rows or [[*where, Cell("empty", "dim"), Cell(""), Cell(""), Cell("")]]


async def _delete(session: Session) -> int:
    arguments = session.arguments
    async with session.servers() as runtime:
        server, container = _one_registry(session, runtime)
        content = await _content(runtime, server, container)
        images = tuple(dict.fromkeys(image for word in arguments.images for image in picked(content, word)))
        operation = RegistryOperation(
            verb="delete", server=server, name=container.name, container=container.id,
            address=container.labels[LABEL], images=images,
        )  # fmt: skip
        return await run(session, runtime, operation)


async def _collect(session: Session) -> int:
    async with session.servers() as runtime:
        server, container = _one_registry(session, runtime)
        operation = RegistryOperation(
            verb="collect", server=server, name=container.name, container=container.id,
            address=container.labels[LABEL],
        )  # fmt: skip
        return await run(session, runtime, operation)


def picked(content: RegistryContent, word: str) -> list[RegistryImage]:
    """The images that ``repository:tag``, or a whole ``repository``, means.

    Raises:
        NotFoundError: none.
    """
    name, _, tag = word.partition(":")
    repository = next((one for one in content.repositories if one.name == name), None)
    digests = {} if repository is None else {
        one.digest: one.size for one in repository.tags if not tag or one.tag == tag
    }  # fmt: skip
    if repository is None or not digests:
        raise NotFoundError(f"the registry has no {word!r}", hint="`komodo-tui registry show` lists what it has")
    return [
        RegistryImage(
            repository=name, digest=digest, size=size,
            tags=tuple(one.tag for one in repository.tags if one.digest == digest),
        )
        for digest, size in digests.items()
    ]  # fmt: skip


async def _content(runtime: Runtime, server: str, container: Container) -> RegistryContent:
    address = container.labels[LABEL]
    auth = await asyncio.to_thread(runtime.values.registry_auth, f"{address}/x")
    client = await runtime.fleet.link(server).client()
    return await client.registry_content(RegistryLook(container=container.id, registry_auth=auth))


def _one_server(session: Session, runtime: Runtime) -> str:
    servers = list(runtime.fleet.state.servers.values())
    if len(servers) != 1:
        raise UsageError("registry: on which server?", hint="--server NAME")
    if not servers[0].live:
        raise not_reached("nothing was done", servers)
    return servers[0].name


def _one_registry(session: Session, runtime: Runtime) -> tuple[str, Container]:
    found = [
        (name, one)
        for name, live in runtime.fleet.state.servers.items()
        for one in own_registries(live.containers.values())
        if session.arguments.name in ("", one.name)
    ]
    if not found:
        raise NotFoundError("there is no such registry", hint="`komodo-tui registry show` lists them")
    if len(found) > 1:
        raise UsageError("there are several registries", hint="say which: --server NAME, --name CONTAINER")
    return found[0]
