"""``images pull``, ``tag`` and ``rm``; ``volume create`` and ``rm``; ``network create`` and ``rm``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_agent.wire.resources import CreateNetwork, CreateVolume, PullImage
from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.resources import ResourceOperation, target_of
from komodo_tui.domain.run_options import parse_image, parse_name, parse_variable
from komodo_tui.headless.acts import run
from komodo_tui.headless.session import not_reached

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from komodo_agent.wire.resources import Resource, ResourceKind
    from komodo_tui.domain.resources import ResourceTarget
    from komodo_tui.headless.session import Runtime, Session


async def pull_image(session: Session) -> int:
    """Pull on the servers named, or on the only one there is."""
    arguments = session.arguments
    image = parse_image(arguments.image)
    async with session.fleet(_chosen(arguments.server)) as runtime:
        servers = _there(runtime)
        if len(servers) > 1 and not arguments.server:
            raise UsageError(f"pull {image}: on which servers?", hint="--server NAME, once for each")
        operation = ResourceOperation(verb="pull", servers=servers, spec=PullImage(image=image))
        return await run(session, runtime, operation)


async def tag_image(session: Session) -> int:
    """One more tag, on one server."""
    arguments = session.arguments
    async with session.fleet(_chosen(arguments.server)) as runtime:
        found = await _found(runtime, "image", arguments.image)
        if len(found) != 1:
            where = ", ".join(target.server for target in found)
            raise UsageError(f"{arguments.image} is on {where}", hint="name one with --server")
        operation = ResourceOperation(verb="tag", targets=tuple(found), tag=parse_image(arguments.tag))
        return await run(session, runtime, operation)


async def remove_image(session: Session) -> int:
    """Remove, with all its tags, on the servers named or wherever it is."""
    arguments = session.arguments
    async with session.fleet(_chosen(arguments.server)) as runtime:
        targets = [target for image in arguments.image for target in await _found(runtime, "image", image)]
        operation = ResourceOperation(verb="remove", targets=tuple(targets), force=arguments.force)
        return await run(session, runtime, operation)


async def create(session: Session) -> int:
    """Create a volume or a network."""
    arguments = session.arguments
    name, server = _split(arguments)
    labels = dict(parse_variable(text, "label") for text in arguments.label)
    spec: CreateVolume | CreateNetwork
    if arguments.verb == "volume":
        options = dict(parse_variable(text, "opt") for text in arguments.opt)
        spec = CreateVolume(name=name, driver=arguments.driver or "local", options=options, labels=labels)
    else:
        spec = CreateNetwork(
            name=name, driver=arguments.driver or "bridge", subnet=arguments.subnet, internal=arguments.internal,
            labels=labels,
        )  # fmt: skip
    async with session.fleet(_chosen([server])) as runtime:
        return await run(session, runtime, ResourceOperation(verb="create", servers=_there(runtime), spec=spec))


async def remove(session: Session) -> int:
    """Remove a volume or a network."""
    kind: ResourceKind = "volume" if session.arguments.verb == "volume" else "network"
    name, server = _split(session.arguments)
    async with session.fleet(_chosen([server])) as runtime:
        found = await _found(runtime, kind, name)
        return await run(session, runtime, ResourceOperation(verb="remove", targets=tuple(found)))


async def network(session: Session) -> int:
    """Do the verb's own verb."""
    return await {"create": create, "rm": remove}[session.arguments.network_verb](session)


def _split(arguments: object) -> tuple[str, str]:
    kind: str = arguments.verb  # type: ignore[attr-defined]
    text: str = getattr(arguments, kind)
    name, _, server = text.rpartition("@")
    if not name:
        raise UsageError(f"{kind}: {text!r} names no server", hint="like data@web-1")
    return parse_name(name), server


def _chosen(servers: Sequence[str]) -> Callable[[Collection[str]], Collection[str] | None]:
    return lambda known: tuple(servers) or None


def _there(runtime: Runtime) -> tuple[str, ...]:
    """All servers that were asked for. Raises UnreachableError where one is away: nothing is done then."""
    servers = runtime.fleet.state.servers
    away = [live for live in servers.values() if not live.live]
    if away:
        raise not_reached("nothing was done", away)
    return tuple(servers)


async def _found(runtime: Runtime, kind: ResourceKind, name: str) -> list[ResourceTarget]:
    """What is called so, or has an id that begins so, on the servers that were asked for.

    Raises:
        NotFoundError: nothing is. UnreachableError: a server is away.
    """

    async def one(server: str) -> list[ResourceTarget]:
        resources = await (await runtime.fleet.link(server).client()).resources()
        return [target_of(server, found) for found in resources if found.kind == kind and _named(found, name)]

    servers = _there(runtime)
    found = [target for targets in await asyncio.gather(*map(one, servers)) for target in targets]
    if not found:
        raise NotFoundError(
            f"there is no {kind} {name!r} on {', '.join(servers)}", hint=f"komodo-tui {kind}s lists them"
        )
    return found


def _named(resource: Resource, name: str) -> bool:
    if resource.kind != "image":
        return resource.name == name
    wanted = {name, name if ":" in name.rpartition("/")[2] else f"{name}:latest"}
    short = resource.id.removeprefix("sha256:")
    return bool(wanted & set(resource.tags)) or (len(name) >= 12 and short.startswith(name.removeprefix("sha256:")))
