"""aiohttp without TLS: what it saves, and that nothing else loses TLS by it."""

from __future__ import annotations

import subprocess
import sys

_LOOK = """
import komodo_tui.fleet.plain_http
import aiohttp.connector, http.client, ssl
no_certificates = aiohttp.connector._SSL_CONTEXT_VERIFIED is None
print(no_certificates, hasattr(http.client, "HTTPSConnection"), bool(ssl.OPENSSL_VERSION))
"""


def test_aiohttp_reads_no_certificates_and_others_keep_tls() -> None:
    done = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]
