"""aiohttp, loaded as on a Python built without TLS, which it allows for.

The agent is spoken to over Unix sockets and SSH channels only. Reading this machine's certificates, which aiohttp
does as it is loaded, would take longer than all the rest of it. A request to an ``https`` address fails with
``RuntimeError: SSL is not supported``.
"""

from __future__ import annotations

import importlib
import sys
import urllib.request  # noqa: F401  # before TLS is hidden: it has to find it

__all__ = ["aiohttp"]

_ssl = importlib.import_module("ssl")
sys.modules["ssl"] = None  # type: ignore[assignment]  # the documented way to make an import fail
try:
    import aiohttp
finally:
    sys.modules["ssl"] = _ssl
