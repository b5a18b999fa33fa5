"""What of a compose project is on the engine: containers, volumes, networks, found by compose's labels."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from ..engine.convert import container as to_container
from ..engine.errors import engine_errors
from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..engine.client import Engine
    from ..wire.models import Container

PROJECT = "com.docker.compose.project"
HASH = "com.docker.compose.config-hash"
WORKING_DIR = "com.docker.compose.project.working_dir"
CONFIG_FILES = "com.docker.compose.project.config_files"
_ONEOFF = "com.docker.compose.oneoff"
_TEMPORARY = re.compile(r"[0-9a-f]{12}_(?P<name>.+)")
"""How compose names the container it makes to replace another, until that is gone."""


def hash_of(container: Container) -> str:
    """Compose's hash of the configuration the container was made from."""
    return container.labels.get(HASH, "")


def words_of(container: Container) -> str:
    """``running (healthy)``, ``exited (1)``."""
    if container.health and container.state == "running":
        return f"running ({container.health})"
    return f"exited ({container.exit_code})" if container.state == "exited" else container.state


async def containers_of(engine: Engine, project: str) -> list[Container]:
    """The project's containers, asked of the engine now; those of ``compose run`` are left out.

    Raises:
        AgentError: the engine did not answer.
    """
    wanted = json.dumps({"label": [f"{PROJECT}={project}"]})
    with engine_errors(f"list the containers of {project}"):
        listed = await engine.docker._query_json("containers/json", params={"all": "1", "filters": wanted})
    ids = [str(entry["Id"]) for entry in listed if (entry.get("Labels") or {}).get(_ONEOFF) != "True"]
    found = await asyncio.gather(*(_inspect(engine, cid) for cid in ids))
    return sorted((c for c in found if c is not None), key=lambda c: c.name)


async def _inspect(engine: Engine, container_id: str) -> Container | None:
    try:
        document = await engine.inspect(container_id)
    except AgentError as error:
        if error.code == "not_found":
            return None
        raise
    return to_container(document)


def fingerprint(*parts: object) -> str:
    """A short digest of what a plan was made on."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def state_print(found: Iterable[Container]) -> list[list[str]]:
    """What a plan depends on of the containers: which there are, and what they were made from."""
    return sorted([c.id, c.name, hash_of(c)] for c in found)


async def images(engine: Engine, references: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The inspect documents of those of these images that are here.

    Raises:
        AgentError: the engine did not answer.
    """

    async def one(reference: str) -> tuple[str, dict[str, Any] | None]:
        try:
            with engine_errors(f"look for {reference}"):
                return reference, dict(await engine.docker.images.inspect(reference))
        except AgentError as error:
            if error.code in ("not_found", "bad_request"):
                return reference, None
            raise

    found = await asyncio.gather(*(one(reference) for reference in dict.fromkeys(references) if reference))
    return {reference: document for reference, document in found if document is not None}


async def names(engine: Engine, kind: str, project: str = "") -> set[str]:
    """Names of the engine's volumes or networks (``kind``), of one project or of all.

    Raises:
        AgentError: the engine did not answer.
    """
    params = {"filters": json.dumps({"label": [f"{PROJECT}={project}"]})} if project else {}
    with engine_errors(f"list the {kind}"):
        answer = await engine.docker._query_json(kind, params=params)
    listed = (answer.get("Volumes") if isinstance(answer, dict) else answer) or ()
    return {str(entry["Name"]) for entry in listed}


async def tidy(engine: Engine, project: str) -> list[str]:
    """Mend what a compose that was cut off leaves: containers under their temporary names. Returns what was done.

    Raises:
        AgentError: the engine did not answer.
    """
    found = await containers_of(engine, project)
    taken = {c.name for c in found}
    done = []
    for c in found:
        match = _TEMPORARY.fullmatch(c.name)
        if match is None:
            continue
        handle = engine.docker.containers.container(c.id)
        if match["name"] not in taken:
            with engine_errors(f"rename {c.name}"):
                await handle.rename(match["name"])
            done.append(f"renamed {c.name} to {match['name']}, as it was to be called")
        else:
            with engine_errors(f"remove {c.name}"):
                await handle.delete(force=True)
            done.append(f"removed {c.name}, which was to replace {match['name']}")
    return done
