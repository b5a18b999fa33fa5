"""Pushing an image to a registry, its layers' progress as one figure."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec

from ..problems import AgentError
from .asking import ask, image_path
from .errors import engine_errors
from .lines import line_batches
from .pull import PullProgress, split_reference
from .resource_commands import push_command, tag_command
from .resources import document, short

if TYPE_CHECKING:
    import aiohttp

    from ..jobs import JobContext
    from ..wire.resources import PushImage
    from .client import Engine

_SILENCE = 600.0
"""Seconds without a word after which the push counts as stuck: a registry may take long to put a large layer away."""
_NOBODY = base64.urlsafe_b64encode(b"{}").decode()
"""The engine wants the header, also where there is no login."""
_HINTS = (
    (("denied", "unauthorized", "no basic auth", "authentication required"),
     "keep a login that may push there: komodo-tui registry login HOST --username NAME"),
    (("http response to https",), "that registry speaks plain HTTP: allow it in the engine (insecure-registries)"),
    (("certificate",), "the engine does not trust that registry's certificate (/etc/docker/certs.d)"),
    (("connection refused", "no such host", "timeout", "no route"),
     "check the registry's address, and the server's way to it"),
)  # fmt: skip


async def push(engine: Engine, context: JobContext, spec: PushImage) -> None:
    """Push exactly this image under this name. A name made for it goes again when the push fails.

    Raises:
        AgentError: it is not there any more, or the registry refused; the message names both.
    """
    reference, image = image_path(spec.reference), image_path(spec.image.id)
    found = await document(engine, "image", image)
    repository, tag = split_reference(reference)
    known = f"{repository}:{tag}" in (found.get("RepoTags") or ())
    if not known:
        context.command(tag_command(spec.image.name or short(image), reference))
        await ask(
            engine, f"tag {short(image)}", "POST", f"/images/{image}/tag", params={"repo": repository, "tag": tag}
        )
    pushed = False
    try:
        context.command(push_command(reference))
        context.result(image=str(found.get("Id")), reference=reference, **await _push(engine, context, spec))
        pushed = True
    finally:
        if not pushed and not known:
            await ask(engine, f"untag {reference}", "DELETE", f"/images/{reference}", params={"noprune": "true"})


async def _push(engine: Engine, context: JobContext, spec: PushImage) -> dict[str, str]:
    repository, tag = split_reference(spec.reference)
    context.progress(f"pushing {spec.reference}")
    headers = {"X-Registry-Auth": spec.registry_auth or _NOBODY}
    what = f"push {spec.reference}"
    try:
        with engine_errors(what):
            async with engine.stream(
                "POST", f"/images/{repository}/push", params={"tag": tag}, headers=headers
            ) as response:
                return await _follow(response, context, spec.reference)
    except AgentError as error:
        if error.code == "engine_unavailable":
            raise
        words = error.message.removeprefix(f"{what}: ")
        raise AgentError(error.code, f"{spec.reference} cannot be pushed: {words}", hint=_hint(words)) from error


async def _follow(response: aiohttp.ClientResponse, context: JobContext, reference: str) -> dict[str, str]:
    progress = PullProgress()
    result: dict[str, str] = {}
    async for lines in line_batches(response, silence=_SILENCE):
        for line in lines:
            message = msgspec.json.decode(line)
            if not isinstance(message, dict):
                continue
            if words := progress.feed(message):
                context.log(words)
            result.update(_digest(message.get("aux")))
        context.progress(f"pushing {reference}", progress.done)
    if "digest" not in result:
        raise AgentError("failed", "the engine ended without saying what became of it")
    return result


def _digest(aux: Any) -> dict[str, str]:
    if isinstance(aux, dict) and aux.get("Digest"):
        return {"digest": str(aux["Digest"]), "manifest_size": str(aux.get("Size") or 0)}
    return {}


def _hint(words: str) -> str:
    low = words.lower()
    return next(
        (hint for marks, hint in _HINTS if any(mark in low for mark in marks)), "check the name and the registry"
    )
