"""Pulling an image, its layers' progress as one figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..problems import AgentError
from .commands import pull_command
from .errors import engine_errors
from .lines import line_batches

if TYPE_CHECKING:
    import aiohttp

    from ..jobs import JobContext
    from .client import Engine

_SILENCE = 300.0
"""Seconds without a word after which the pull counts as stuck."""
_MOVING = frozenset({"Downloading", "Pushing"})
_DONE = frozenset({"Download complete", "Pull complete", "Already exists", "Pushed", "Layer already exists"})


class PullProgress:
    """Adds up what the engine says layer by layer, of a pull or a push. Pure."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[int, int]] = {}
        self._said: dict[str, str] = {}

    def feed(self, message: dict[str, Any]) -> str:
        """Take one message; returns a line for the log, or an empty string when it only moved a figure.

        Raises:
            AgentError: the message says that it failed.
        """
        if message.get("error") or message.get("errorDetail"):
            detail = message.get("errorDetail")
            words = (detail.get("message") if isinstance(detail, dict) else None) or message.get("error")
            raise AgentError("failed", str(words)[:2000])
        layer, status = str(message.get("id") or ""), str(message.get("status") or "")
        detail = message.get("progressDetail")
        total = int(detail.get("total") or 0) if isinstance(detail, dict) else 0
        if status in _MOVING and isinstance(detail, dict) and total:
            self._layers[layer] = (min(int(detail.get("current") or 0), total), total)
        elif status in _DONE and layer in self._layers:
            self._layers[layer] = (self._layers[layer][1],) * 2
        if self._said.get(layer) == status:
            return ""
        self._said[layer] = status
        return f"{layer}: {status}" if layer else status

    @property
    def done(self) -> float | None:
        """0-1 over the layers whose size is known; None before the first."""
        total = sum(size for _, size in self._layers.values())
        return sum(have for have, _ in self._layers.values()) / total if total else None


async def pull(engine: Engine, context: JobContext, image: str, registry_auth: str) -> None:
    """Pull an image, telling the job how far it is.

    Raises:
        AgentError: it cannot be had; the message names it and says why.
    """
    context.command(pull_command(image))
    context.progress(f"pulling {image}")
    name, tag = split_reference(image)
    headers = {"X-Registry-Auth": registry_auth} if registry_auth else None
    try:
        with engine_errors(f"pull {image}"):
            async with engine.stream(
                "POST", "/images/create", params={"fromImage": name, "tag": tag}, headers=headers
            ) as response:
                await _follow(response, context, image)
    except AgentError as error:
        if error.code == "engine_unavailable":
            raise
        raise AgentError(
            error.code, f"{image} cannot be pulled: {error.message.removeprefix(f'pull {image}: ')}", hint=_hint(error)
        ) from error


async def _follow(response: aiohttp.ClientResponse, context: JobContext, image: str) -> None:
    progress = PullProgress()
    async for lines in line_batches(response, silence=_SILENCE):
        for line in lines:
            message = msgspec.json.decode(line)
            words = progress.feed(message) if isinstance(message, dict) else ""
            if words:
                context.log(words)
        context.progress(f"pulling {image}", progress.done)


def _hint(error: AgentError) -> str:
    words = error.message.lower()
    if "denied" in words or "unauthorized" in words or "no basic auth" in words:
        return "check the name, and give the registry's credentials if it is private"
    if "manifest unknown" in words or "not found" in words:
        return "check the name and the tag"
    return "check the name, the registry and the server's network"


def split_reference(image: str) -> tuple[str, str]:
    """An image reference as the engine's two parameters; ``latest`` where no tag or digest is given."""
    reference, _, digest = image.partition("@")
    head, slash, last = reference.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{head}{slash}{name}", digest or tag or "latest"
