"""aiohttp, loaded as on a Python built without TLS, which it allows for.

The agent is spoken to over Unix sockets and SSH channels only. Reading this machine's certificates, which aiohttp
does as it is loaded, would take longer than all the rest of it. A request to an ``https`` address fails with
``RuntimeError: SSL is not supported``.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["aiohttp"]

_import = builtins.__import__


def _without_tls(
    name: str, globals: Mapping[str, object] | None = None, locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] = (), level: int = 0,
) -> Any:  # fmt: skip
    """An import; for aiohttp there is no ``ssl``. For all else, other threads too, there is."""
    if name == "ssl" and str((globals or {}).get("__name__", "")).startswith("aiohttp."):
        raise ImportError("TLS is left out")
    return _import(name, globals, locals, fromlist, level)


builtins.__import__ = _without_tls  # type: ignore[assignment]
try:
    import aiohttp
finally:
    builtins.__import__ = _import
