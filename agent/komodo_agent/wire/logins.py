"""Whether a registry takes a login, as seen from a server."""

from __future__ import annotations

import msgspec

ROUTE_REGISTRY_LOGIN = "/v1/registry-login"
"""POST :class:`LoginQuestion` -> :class:`LoginAnswer`."""


class LoginQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A login to try. Nothing of it is kept."""

    registry_auth: str
    """Base64 JSON as ``X-Registry-Auth`` takes it. A secret: never logged."""

    def __repr__(self) -> str:
        return "LoginQuestion()"


class LoginAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the registry said."""

    accepted: bool
    why: str = ""
    """Why not, in the engine's words."""
