"""``registry``: logins, and the product's own registries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode, NotFoundError, UsageError
from komodo_tui.domain.registries import RegistryImage, RegistryOperation, is_loopback
from komodo_tui.domain.units import bytes_text
from komodo_tui.headless.acts import run
from komodo_tui.headless.session import not_reached
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.headless.values import registry as logins
from komodo_tui.operations.registries import known_registries, look_into, look_into_all

if TYPE_CHECKING:
    from komodo_agent.wire.registry import RegistryContent
    from komodo_tui.headless.session import Runtime, Session
    from komodo_tui.operations.registries import OwnRegistry

_COLUMNS = (
    Column("REGISTRY"), Column("SERVER"), Column("REPOSITORY", flexible=True), Column("TAG"),
    Column("SIZE", right=True), Column("DIGEST"),
)  # fmt: skip


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
        listed = await look_into_all(runtime.fleet, runtime.values)
        failed = [one.error for one in listed if one.error is not None]
        for error in failed:
            session.out.error(error)
        listed = [one for one in listed if one.error is None]
        if session.out.json:
            session.out.document([
                {"server": one.server, "name": one.name, "address": one.address, "content": one.content}
                for one in listed
            ])  # fmt: skip
        elif not listed and not failed:
            session.out.say("komodo-tui: there is no registry; `komodo-tui registry start --server NAME` starts one")
        else:
            session.out.table(_COLUMNS, [row for one in listed for row in _rows(one)])
    return failed[0].exit_code if failed else ExitCode.DONE


def _rows(listed: OwnRegistry) -> list[list[Cell]]:
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
    async with session.servers() as runtime:
        found = await _one_registry(session, runtime)
        if found.error is not None:
            raise found.error
        wanted = session.arguments.images
        images = tuple(dict.fromkeys(image for word in wanted for image in picked(found.content, word)))
        return await run(session, runtime, found.operation(images))


async def _collect(session: Session) -> int:
    async with session.servers() as runtime:
        return await run(session, runtime, (await _one_registry(session, runtime)).operation())


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


def _one_server(session: Session, runtime: Runtime) -> str:
    servers = list(runtime.fleet.state.servers.values())
    if len(servers) != 1:
        raise UsageError("registry: on which server?", hint="--server NAME")
    if not servers[0].live:
        raise not_reached("nothing was done", servers)
    return servers[0].name


async def _one_registry(session: Session, runtime: Runtime) -> OwnRegistry:
    found = [one for one in known_registries(runtime.fleet.state) if session.arguments.name in ("", one[1].name)]
    if not found:
        raise NotFoundError("there is no such registry", hint="`komodo-tui registry show` lists them")
    if len(found) > 1:
        raise UsageError("there are several registries", hint="say which: --server NAME, --name CONTAINER")
    return await look_into(runtime.fleet, runtime.values, *found[0])
