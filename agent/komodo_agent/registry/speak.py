"""The registry's own API (OCI distribution specification 1.1), spoken to a container of this server."""

from __future__ import annotations

import asyncio
import base64
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import msgspec

from ..problems import AgentError
from ..wire.registry import LABEL, PORT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..engine.client import Engine
    from ..wire.models import Container

MANIFESTS = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
    )
)
_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
_BODY_LIMIT = 8 << 20
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')
_PAGE = 200
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})
_NAME = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


async def own_registry(engine: Engine, reference: str) -> Container:
    """A container that is one of our registries.

    Raises:
        AgentError: there is none of that id, or it is something else.
    """
    container = await engine.find(reference)
    if LABEL not in container.labels:
        raise AgentError("bad_request", f"{container.name} is no registry that was started from here")
    return container


class Registry:
    """One registry. All methods raise AgentError."""

    def __init__(self, session: aiohttp.ClientSession, base: str, name: str, address: str) -> None:
        """``address``: what images are named with, for messages."""
        self._session = session
        self._base = base
        self._name = name
        self._address = address

    async def answers(self) -> bool:
        """Whether it is up, with or without a right login."""
        try:
            async with self._session.get(f"{self._base}/v2/") as response:
                return response.status in (200, 401)
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError):
            return False

    async def repositories(self, most: int) -> list[str]:
        """Their names; at most so many and one more."""
        found: list[str] = []
        path = f"/v2/_catalog?n={_PAGE}"
        while path and len(found) <= most:
            document, headers = await self._get(path)
            found += [str(name) for name in document.get("repositories") or ()]
            path = _next(headers)
        return found

    async def tags(self, repository: str, most: int) -> list[str]:
        """The tags of a repository; none where all have been deleted."""
        found: list[str] = []
        path = f"/v2/{_checked(repository)}/tags/list?n={_PAGE}"
        while path and len(found) <= most:
            document, headers = await self._get(path, absent={})
            found += [str(name) for name in document.get("tags") or ()]
            path = _next(headers)
        return found

    async def manifest(self, repository: str, reference: str) -> tuple[str, dict[str, Any]]:
        """Digest and document of a tag or digest; ``("", {})`` where it is gone."""
        path = f"/v2/{_checked(repository)}/manifests/{quote(reference, safe=':')}"
        document, headers = await self._get(path, absent={})
        return headers.get("Docker-Content-Digest", ""), document

    async def delete(self, repository: str, digest: str) -> None:
        """Delete an image: all its tags go."""
        if not _DIGEST.fullmatch(digest):
            raise AgentError("bad_request", f"{digest[:80]!r} is no digest")
        async with self._asked("DELETE", f"/v2/{_checked(repository)}/manifests/{digest}") as response:
            if response.status == 405:
                raise AgentError(
                    "failed",
                    f"{self._name} does not allow to delete",
                    hint="start it with REGISTRY_STORAGE_DELETE_ENABLED",
                )
            if response.status not in (202, 404):
                raise self._refusal(response.status, await response.content.read(4096))

    async def _get(self, path: str, *, absent: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, str]]:
        async with self._asked("GET", path, {"Accept": MANIFESTS}) as response:
            body = await response.content.read(_BODY_LIMIT)
            while not response.content.at_eof() and len(body) < _BODY_LIMIT:
                body += await response.content.read(_BODY_LIMIT - len(body))
            if response.status == 404 and absent is not None:
                return absent, {}
            if response.status != 200:
                raise self._refusal(response.status, body)
            try:
                document = msgspec.json.decode(body)
            except msgspec.DecodeError as error:
                raise AgentError("failed", f"{self._name} answers what is no JSON") from error
            if not isinstance(document, dict):
                raise AgentError("failed", f"{self._name} answers what no registry does")
            return document, dict(response.headers)

    @asynccontextmanager
    async def _asked(
        self, method: str, path: str, headers: dict[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._session.request(
                method, f"{self._base}{path}", headers=headers, allow_redirects=False
            ) as response:
                yield response
        except (aiohttp.ClientError, OSError) as error:
            raise AgentError("failed", f"{self._name} does not answer: {error}", hint="look at its logs") from error
        except asyncio.TimeoutError as error:
            raise AgentError("failed", f"{self._name} does not answer in time", hint="look at its logs") from error

    def _refusal(self, status: int, body: bytes) -> AgentError:
        if status in (401, 403):
            return AgentError(
                "forbidden", f"{self._name} wants another login",
                hint=f"keep the right one: komodo-tui registry login {self._address} --username NAME",
            )  # fmt: skip
        words = body[:200].decode("utf-8", "replace").strip()
        return AgentError("failed", f"{self._name} refused (HTTP {status}): {words}")


@asynccontextmanager
async def speaking(container: Container, registry_auth: str) -> AsyncIterator[Registry]:
    """Talk to the registry in this container, by the port it publishes here.

    Raises:
        AgentError: it does not run, or publishes none.
    """
    if container.state != "running":
        raise AgentError("conflict", f"{container.name} does not run", hint="start it")
    port = next((port for port in container.ports if port.private == PORT and port.public), None)
    if port is None:
        raise AgentError("conflict", f"{container.name} publishes no port")
    host = "127.0.0.1" if port.ip in _EVERYWHERE else port.ip
    base = f"http://[{host}]:{port.public}" if ":" in host else f"http://{host}:{port.public}"
    async with aiohttp.ClientSession(
        timeout=_TIMEOUT, headers=_authorization(registry_auth), trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield Registry(session, base, container.name, container.labels.get(LABEL, "ADDRESS"))


def _authorization(registry_auth: str) -> dict[str, str]:
    if not registry_auth:
        return {}
    try:
        document = msgspec.json.decode(base64.urlsafe_b64decode(registry_auth))
        login = f"{document['username']}:{document['password']}"
    except (ValueError, KeyError, TypeError) as error:
        raise AgentError("bad_request", "the login cannot be read") from error
    return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


def _checked(repository: str) -> str:
    if len(repository) > 255 or not _NAME.fullmatch(repository):
        raise AgentError("bad_request", f"{repository[:80]!r} is no repository")
    return repository


def _next(headers: dict[str, str]) -> str:
    """The path of the next page; only ever of this registry's own API."""
    match = _NEXT.search(headers.get("Link", ""))
    return match.group(1) if match and match.group(1).startswith("/v2/") else ""
