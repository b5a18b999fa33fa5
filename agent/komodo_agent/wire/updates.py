"""Whether images that containers run are still what their registries have under the same name.

A registry is asked for the digest of a name, never for layers. Times are Unix time in seconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

ROUTE_IMAGE_UPDATES = "/v1/image-updates"
"""POST :class:`UpdatesRequest` -> list of :class:`ImageUpdate`, in the order of the questions."""
MOST_IMAGES = 2000
"""Questions of one request."""

UpdateState = Literal["current", "update", "local", "pinned", "unknown"]
"""``update``: the registry has another image under the name; ``local``: it never came from a registry; ``pinned``: it
is named by its digest or id, which nothing can replace; ``unknown``: the registry could not be asked."""


class ImageQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """An image as a container runs it."""

    image: str
    """The name it was created with."""
    image_id: str
    """What the name stood for then."""
    registry_auth: str = ""
    """Base64 JSON as ``X-Registry-Auth`` takes it, where a login is kept. A secret: never logged, never kept."""


class UpdatesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be found out."""

    images: tuple[ImageQuestion, ...]
    max_age: float = 0.0
    """Seconds an answer of a registry may be old; 0 = ask now."""


class ImageUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """How one image stands."""

    image: str
    image_id: str
    state: UpdateState
    digest: str = ""
    """What the registry has."""
    why: str = ""
    """Why it is not known."""
    checked: float = 0.0
    """When the registry was asked; 0 = it was not."""
