"""``images``: list them, pull, tag and remove them, bring one straight to other servers, push one to registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.headless.acts import run
from komodo_tui.headless.resource_changes import pull_image, remove_image, tag_image
from komodo_tui.headless.resources import list_resources
from komodo_tui.headless.session import not_reached
from komodo_tui.operations.push_plans import prepare_push
from komodo_tui.operations.ship_plans import prepare_ship

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from komodo_tui.headless.session import Runtime, Session


async def images(session: Session) -> int:
    """One of the verbs on images."""
    does = {"list": list_resources, "ship": _ship, "push": _push, "pull": pull_image, "tag": tag_image,
            "rm": remove_image}  # fmt: skip
    return await does[session.arguments.image_verb](session)


async def _ship(session: Session) -> int:
    arguments = session.arguments
    async with session.fleet(lambda known: _asked(known, arguments.servers, arguments.source)) as runtime:
        _must_answer(runtime, filter(None, [*arguments.servers, arguments.source]))
        operation = await prepare_ship(
            runtime.fleet, arguments.image, arguments.servers, arguments.source, any_platform=arguments.any_platform
        )
        return await run(session, runtime, operation)


async def _push(session: Session) -> int:
    arguments = session.arguments
    async with session.fleet(lambda known: (arguments.source,) if arguments.source else None) as runtime:
        _must_answer(runtime, filter(None, [arguments.source]))
        operation = await prepare_push(runtime.fleet, arguments.image, arguments.to, arguments.source)
        return await run(session, runtime, operation)


def _asked(known: Collection[str], servers: Sequence[str], source: str) -> tuple[str, ...]:
    """Who has to be connected: all, where the source has to be found."""
    return tuple(dict.fromkeys([*servers, source] if source else [*servers, *known]))


def _must_answer(runtime: Runtime, servers: Collection[str] | filter[str]) -> None:
    away = [live for name in servers if not (live := runtime.fleet.state.servers[name]).live]
    if away:
        raise not_reached("nothing was done", away)
