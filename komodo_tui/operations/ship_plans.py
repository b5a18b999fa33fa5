"""What bringing an image to servers would do, and where to bring it from."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from komodo_tui.domain.errors import KomodoError, NotFoundError, RefusedError, UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.shipping import ShipOperation, ShipTarget
from komodo_tui.domain.units import bytes_text, count_text
from komodo_tui.operations.container_plans import Draft, server_of, stale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from komodo_agent.wire.resources import Resource
    from komodo_agent.wire.ships import ImageLayers, Lacking
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.fleet.manager import FleetManager

_UNDO = "remove the image there; a name that moved keeps pointing to the new one"


async def find_source(fleet: FleetManager, image: str, targets: Sequence[str], source: str = "") -> str:
    """The server to take an image from: the one named, else one that has it, this machine before others.

    Raises:
        NotFoundError: no server has it, or none that can be asked.
        UsageError: servers have different images under that name.
    """
    if source:
        return source
    names = [name for name, live in fleet.state.servers.items() if live.live]

    async def ask(name: str) -> str:
        try:
            found = await (await fleet.link(name).client()).resources()
        except KomodoError:
            return ""
        return next((one.id for one in found if one.kind == "image" and is_called(one, image)), "")

    having = {name: found for name, found in zip(names, await asyncio.gather(*map(ask, names)), strict=True) if found}
    outside = {name: found for name, found in having.items() if name not in targets} or having
    if not outside:
        raise NotFoundError(f"no server that answers has an image {image!r}", hint="`komodo-tui images` lists them")
    if len(set(outside.values())) > 1 and len(await _configurations(fleet, outside)) > 1:
        listed = ", ".join(f"{found.removeprefix('sha256:')[:12]} on {name}" for name, found in outside.items())
        raise UsageError(f"{image} is not the same image everywhere: {listed}", hint="say which: --from SERVER")
    return "local" if "local" in outside else next(iter(outside))


async def _configurations(fleet: FleetManager, found: Mapping[str, str]) -> set[str]:
    """The configurations of images on servers: engines may name one and the same image in two ways."""

    async def ask(name: str, image: str) -> str:
        return (await (await fleet.link(name).client()).image_layers(image)).config

    return set(await asyncio.gather(*(ask(name, image) for name, image in found.items())))


def is_called(image: Resource, reference: str) -> bool:
    """Whether these words mean that image: a tag, ``latest`` understood, or its id or the start of it."""
    if reference in image.tags or f"{reference}:latest" in image.tags:
        return True
    start = reference.removeprefix("sha256:")
    return len(start) >= 12 and image.id.removeprefix("sha256:").startswith(start)


async def prepare_ship(
    fleet: FleetManager,
    image: str,
    servers: Sequence[str],
    source: str = "",
    *,
    tags: Sequence[str] = (),
    any_platform: bool = False,
) -> ShipOperation:
    """Look at both sides, and say what would have to move. Changes nothing.

    Args:
        image: a tag, an id or the start of one.
        source: the server that has it; empty = found among all.
        any_platform: also where it would not run.
        tags: the names it gets there; empty = the one it is called by here, or all it has when called by its id.

    Raises:
        UsageError, NotFoundError: as :func:`find_source`, or no server is named.
        KomodoError: a server cannot be asked.
    """
    source, wanted = await _both_sides(fleet, image, servers, source)
    found = await (await fleet.link(source).client()).image_layers(image)
    operation = replace(_operation(found, image, source, tuple(tags)), any_platform=any_platform)

    async def look(name: str) -> ShipTarget:
        lacking = await (await fleet.link(name).client()).lacking(operation.shipment())
        return _target(name, operation, lacking)

    return replace(operation, targets=tuple(await asyncio.gather(*map(look, wanted))))


def _operation(found: ImageLayers, image: str, source: str, tags: tuple[str, ...]) -> ShipOperation:
    names = tags or _names(found, image)
    return ShipOperation(
        image=names[0] if names else found.id.removeprefix("sha256:")[:12],
        id=found.id,
        source=source,
        tags=names,
        layers=found.layers,
        sizes=found.sizes,
        size=found.size,
        config=found.config,
        parts=found.parts,
        platform=found.platform,
    )


async def _both_sides(fleet: FleetManager, image: str, servers: Sequence[str], source: str) -> tuple[str, list[str]]:
    """The source, and the servers to bring it to, each of which is known."""
    wanted = list(dict.fromkeys(servers))
    source = await find_source(fleet, image, wanted, source)
    wanted = [name for name in wanted if name != source]
    if not wanted:
        raise UsageError(f"{image}: no server to bring it to is named", hint=f"it is on {source}: name another one")
    for name in (source, *wanted):
        server_of(fleet.state, name)
    return source, wanted


def _names(found: ImageLayers, image: str) -> tuple[str, ...]:
    for name in (image, f"{image}:latest"):
        if name in found.tags:
            return (name,)
    return found.tags


def _target(name: str, operation: ShipOperation, lacking: Lacking) -> ShipTarget:
    kept = sum(lacking.kept.values())
    no_layers = {part.digest for part in operation.parts if not part.layer}
    return ShipTarget(
        server=name,
        present=lacking.present,
        id=lacking.id,
        lacking=sum(part not in no_layers for part in lacking.layers),
        size=max(0, lacking_size(operation, lacking) - kept),
        kept=kept,
        moved=tuple(tag for tag, there in lacking.tags.items() if there != lacking.id),
        platform=lacking.platform,
        free=lacking.free,
    )


def lacking_size(operation: ShipOperation, lacking: Lacking) -> int:
    """About how many bytes the parts are that a server lacks."""
    if lacking.present:
        return 0
    if operation.parts:
        return sum(part.size for part in operation.parts if part.digest in set(lacking.layers))
    if not operation.sizes:
        return operation.size
    sizes: Mapping[str, int] = dict(zip(operation.layers, operation.sizes, strict=True))
    return sum(sizes[layer] for layer in lacking.layers)


def draft_ship(operation: ShipOperation, state: FleetState) -> Draft:
    """One step for each server.

    Raises:
        UsageError: no server is named, or the source itself.
        NotFoundError: an unknown server.
        RefusedError: there is no room on one of them, or the image would not run there.
    """
    if not operation.targets:
        raise UsageError(f"{operation.image}: no server to bring it to is named", hint="choose at least one")
    source = server_of(state, operation.source)
    _check_platform(operation)
    steps = []
    for target in operation.targets:
        if target.server == operation.source:
            raise UsageError(f"{operation.image} is on {target.server} already", hint="choose another server")
        if target.size > target.free:
            raise RefusedError(
                f"there is no room on {target.server}: about {bytes_text(target.size)} have to arrive, "
                f"{bytes_text(target.free)} are free",
                hint=f"komodo-tui prune --server {target.server}",
            )
        steps.append(_step(operation, target, stale(source), stale(server_of(state, target.server))))
    where = operation.targets[0].server if len(steps) == 1 else count_text(len(steps), "server")
    return Draft(f"Ship {operation.image} from {operation.source} to {where}", "ship", tuple(steps), _UNDO)


def _step(operation: ShipOperation, target: ShipTarget, *warnings: str) -> PlanStep:
    moved = f"{', '.join(target.moved)} is another image there now: its name moves" if target.moved else ""
    unfit = f"it is for {operation.platform} and would not run there: {target.platform}"
    return PlanStep(
        target=Target(server=target.server, name=operation.image),
        text=_text(operation, target),
        command=_command(operation, target),
        warning="; ".join(filter(None, (unfit if target in operation.unfit() else "", moved, *warnings))),
    )


def _check_platform(operation: ShipOperation) -> None:
    """An image for another kind of processor is brought only to where that is wanted."""
    unfit = operation.unfit()
    if unfit and not operation.any_platform:
        where = ", ".join(f"{target.server} ({target.platform})" for target in unfit)
        raise RefusedError(
            f"{operation.image} is for {operation.platform}: it would not run on {where}",
            hint="--any-platform brings it all the same",
        )


def _text(operation: ShipOperation, target: ShipTarget) -> str:
    if target.present:
        return f"{operation.image} is there: nothing has to move, only its name is set"
    kept = f", {bytes_text(target.kept)} of it there from before" if target.kept else ""
    return (
        f"send {operation.image} from {operation.source}: "
        f"{target.lacking} of {count_text(len(operation.layers), 'layer')}, about {bytes_text(target.size)}{kept}"
        f"{_other_id(operation, target)}"
    )


def _other_id(operation: ShipOperation, target: ShipTarget) -> str:
    """Engines name one and the same image in two ways."""
    if target.id == operation.id:
        return ""
    if target.id:
        return f"; the engine there calls it {target.id.removeprefix('sha256:')[:12]}"
    return "; the engine there keeps images in containerd's store and gives it an id of its own"


def _command(operation: ShipOperation, target: ShipTarget) -> str:
    """What a person would do for the same, with all of the image on the wire."""
    if target.present:
        return " && ".join(shlex.join(["docker", "tag", operation.id[:19], tag]) for tag in operation.tags) or "true"
    save = shlex.join(["docker", "save", *(operation.tags or (operation.id,))])
    return f"{save} | ssh {shlex.quote(target.server)} docker load"


def ship_locks(operation: ShipOperation) -> list[str]:
    """One act at a time brings an image to a server."""
    return [f"ship {target.server} {operation.id}" for target in operation.targets]
