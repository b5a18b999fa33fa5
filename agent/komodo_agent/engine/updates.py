"""Asks registries, through the engine, what they have under the names of images that run here.

Registries count and limit questions, so an answer is kept, across restarts of the agent too, and asked for again only
when whoever wants to know says that it is too old for them. Few questions are under way at once.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from ..problems import AgentError
from ..wire.updates import MOST_IMAGES, ImageUpdate
from .asking import ask, image_path
from .errors import engine_errors

if TYPE_CHECKING:
    from pathlib import Path

    from ..wire.updates import ImageQuestion, UpdatesRequest
    from .client import Engine

_AT_ONCE = 4
_PATIENCE = 20.0
"""Seconds a registry may take."""
_FAILED_AGE = 300.0
"""Seconds for which a registry that could not be asked is left alone, unless somebody wants to know it now."""
_KEPT = 2000
_ANSWER_LIMIT = 1 << 20
_BY_ID = re.compile(r"(sha256:)?[0-9a-f]{12,64}")


class Answer(msgspec.Struct, frozen=True):
    """What a registry said about a name."""

    digest: str
    when: float
    why: str = ""
    """Why there is no digest."""


class UpdateChecks:
    """Owned by the agent's event loop."""

    def __init__(self, engine: Engine, file: Path) -> None:
        """``file`` keeps what registries said."""
        self._engine = engine
        self._file = file
        self._answers: dict[str, Answer] = {}
        self._read = False
        self._reading = asyncio.Lock()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._names: dict[str, asyncio.Lock] = {}

    async def check(self, request: UpdatesRequest) -> tuple[ImageUpdate, ...]:
        """Answer all questions; what cannot be found out is part of the answer.

        Raises:
            AgentError: ``bad_request``: there are too many; or there is no engine.
        """
        if len(request.images) > MOST_IMAGES:
            raise AgentError("bad_request", f"more than {MOST_IMAGES} images at once")
        async with self._reading:
            if not self._read:
                self._answers, self._read = await asyncio.to_thread(self._load), True
        before = dict(self._answers)
        found = await asyncio.gather(*(self._one(question, request.max_age) for question in request.images))
        if self._answers != before:
            await asyncio.to_thread(self._save, dict(self._answers))
        return tuple(found)

    async def _one(self, question: ImageQuestion, max_age: float) -> ImageUpdate:
        plain = ImageUpdate(image=question.image, image_id=question.image_id, state="unknown")
        if "@" in question.image or _BY_ID.fullmatch(question.image):
            return msgspec.structs.replace(plain, state="pinned")
        try:
            here = await self._digests(question.image_id)
        except AgentError as error:
            if error.code == "engine_unavailable":
                raise
            return msgspec.structs.replace(plain, why=error.message)
        if not here:
            return msgspec.structs.replace(plain, state="local")
        answer = await self._answer(question, max_age)
        if not answer.digest:
            return msgspec.structs.replace(plain, why=answer.why, checked=answer.when)
        state = "current" if answer.digest in here else "update"
        return msgspec.structs.replace(plain, state=state, digest=answer.digest, checked=answer.when)

    async def _digests(self, image_id: str) -> set[str]:
        """What registries called an image that is here."""
        document = await ask(self._engine, "inspect an image", "GET", f"/images/{image_path(image_id)}/json")
        return {str(name).rpartition("@")[2] for name in document.get("RepoDigests") or ()}

    async def _answer(self, question: ImageQuestion, max_age: float) -> Answer:
        """One name is asked for once at a time: whoever waited takes the answer that came meanwhile."""
        asked = time.time()
        key = f"{question.image}{' with a login' if question.registry_auth else ''}"
        async with self._names.setdefault(key, asyncio.Lock()):
            known = self._answers.get(key)
            if known is not None:
                age = max_age if known.digest else min(max_age, _FAILED_AGE)
                if known.when >= asked or 0 <= asked - known.when < age:
                    return known
            async with self._turns:
                answer = await self._ask(question)
            self._answers.pop(key, None)
            self._answers[key] = answer
            while len(self._answers) > _KEPT:
                self._answers.pop(next(iter(self._answers)))
        if len(self._names) > _KEPT:
            self._names = {key: lock for key, lock in self._names.items() if lock.locked()}
        return answer

    async def _ask(self, question: ImageQuestion) -> Answer:
        headers = {"X-Registry-Auth": question.registry_auth} if question.registry_auth else None
        what = f"look for {question.image}"
        try:
            path = f"/distribution/{image_path(question.image)}/json"
            async with asyncio.timeout(_PATIENCE):
                with engine_errors(what):
                    body = await self._body(path, headers)
            digest = str(msgspec.json.decode(body)["Descriptor"]["digest"])
        except AgentError as error:
            return Answer("", time.time(), error.message.removeprefix(f"{what}: ")[:500])
        except TimeoutError:
            return Answer("", time.time(), f"its registry did not answer within {_PATIENCE:.0f} s")
        except (KeyError, TypeError, msgspec.DecodeError):
            return Answer("", time.time(), "the engine's answer cannot be read")
        return Answer(digest, time.time())

    async def _body(self, path: str, headers: dict[str, str] | None) -> bytes:
        body = b""
        async with self._engine.stream("GET", path, headers=headers) as response:
            async for part in response.content.iter_any():
                body += part
                if len(body) > _ANSWER_LIMIT:
                    raise ConnectionResetError(f"its answer is larger than {_ANSWER_LIMIT >> 20} MiB")
        return body

    def _load(self) -> dict[str, Answer]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, Answer])
        except (OSError, msgspec.DecodeError):  # then it is asked for again
            return {}

    def _save(self, answers: dict[str, Answer]) -> None:
        temporary = self._file.with_name(f"{self._file.name}.new")
        with suppress(OSError):  # a full disk costs questions, nothing else
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(msgspec.json.encode({key: one for key, one in answers.items() if one.digest}))
            temporary.replace(self._file)
