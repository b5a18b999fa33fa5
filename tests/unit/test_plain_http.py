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
_MEANWHILE = """
import sys
class Other:
    def find_spec(self, name, path=None, target=None):
        if name == "aiohttp.connector":
            import ssl
            print("ssl" if ssl.OPENSSL_VERSION else "", sys.modules["ssl"] is ssl)
sys.meta_path.insert(0, Other())
import komodo_tui.fleet.plain_http
"""
"""What another thread does while aiohttp is loaded."""


def test_others_have_tls_while_aiohttp_is_loaded_without() -> None:
    done = subprocess.run([sys.executable, "-c", _MEANWHILE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ssl", "True"]


def test_aiohttp_reads_no_certificates_and_others_keep_tls() -> None:
    done = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]
