"""Tries the login of a registry, through the engine."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import msgspec

from ..problems import AgentError
from ..wire.logins import LoginAnswer
from .asking import ask

if TYPE_CHECKING:
    from ..wire.logins import LoginQuestion
    from .client import Engine

_WHAT = "log in"
_PATIENCE = 30.0


async def try_login(engine: Engine, question: LoginQuestion) -> LoginAnswer:
    """Ask the registry.

    Raises:
        AgentError: ``bad_request``: it is no login; or there is no engine.
    """
    try:
        login = msgspec.json.decode(base64.urlsafe_b64decode(question.registry_auth), type=dict[str, str])
    except (binascii.Error, ValueError):
        raise AgentError("bad_request", "this is no login of a registry") from None  # what it is must not be told
    try:
        await ask(engine, _WHAT, "POST", "/auth", json=login, timeout=_PATIENCE)
    except AgentError as error:
        if error.code == "engine_unavailable":
            raise
        return LoginAnswer(accepted=False, why=error.message.removeprefix(f"{_WHAT}: ")[:500])
    return LoginAnswer(accepted=True)
