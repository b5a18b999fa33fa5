"""``images``: list them, pull, tag and remove them, bring one straight to other servers, push one to registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.errors import UsageError
from komodo_tui.headless.acts import run
from komodo_tui.headless.resource_changes import pull_image, remove_image, tag_image
from komodo_tui.headless.resources import list_resources
from komodo_tui.headless.session import not_reached
from komodo_tui.operations.push_plans import prepare_push
from komodo_tui.operations.ship_plans import prepare_ship

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from komodo_tui.headless.session import Runtime, Session

_SHORT = 2
"""Digits of a number that is rather a version than a port."""


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
    if arguments.others:
        raise wrong_push([arguments.image, *arguments.others])
    async with session.fleet(lambda known: (arguments.source,) if arguments.source else None) as runtime:
        _must_answer(runtime, filter(None, [arguments.source]))
        operation = await prepare_push(runtime.fleet, arguments.image, arguments.to, arguments.source)
        return await run(session, runtime, operation)


def wrong_push(words: Sequence[str]) -> UsageError:
    """What to type instead, where a registry or a name in one stands beside the image, in whichever order."""
    places = [word for word in words if _in_registry(word)]
    images = [word for word in words if word not in places]
    image = images[0] if images else words[0]
    to = [f"--to {_place(word, image)}" for word in dict.fromkeys(places) if word != image] or ["--to REGISTRY"]
    return UsageError(
        f"images push takes one image, and registries by --to: not {' '.join(words)}",
        hint=f"komodo-tui images push {image} {' '.join(to)}",
    )


def _in_registry(word: str) -> bool:
    """Whether it is a registry (``host:port``), or a name in one."""
    host, slash, _ = word.partition("/")
    if slash:
        return "." in host or ":" in host or host == "localhost"
    name, _, tag = host.partition(":")
    return ("." in name and not tag) or (tag.isdigit() and len(tag) > _SHORT)


def _place(word: str, image: str) -> str:
    """The registry alone, where the image's own name stands behind it."""
    host, _, rest = word.partition("/")
    name = image.partition(":")[0]
    return host if not rest or rest.partition(":")[0] == name else word


def _asked(known: Collection[str], servers: Sequence[str], source: str) -> tuple[str, ...]:
    """Who has to be connected: all, where the source has to be found."""
    return tuple(dict.fromkeys([*servers, source] if source else [*servers, *known]))


def _must_answer(runtime: Runtime, servers: Collection[str] | filter[str]) -> None:
    away = [live for name in servers if not (live := runtime.fleet.state.servers[name]).live]
    if away:
        raise not_reached("nothing was done", away)
