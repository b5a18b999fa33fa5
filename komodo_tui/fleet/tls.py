"""What certificate a TCP port shows, over any connection that carries bytes."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import AgentTimeoutError, HostUnreachableError

if TYPE_CHECKING:
    from komodo_tui.fleet.tunnel import ByteStream

TIMEOUT = 10.0
"""Seconds for the handshake."""
_MOST = 256 << 10
"""Bytes that are read for it at most."""
_CHUNK = 16 << 10


class NoTlsError(HostUnreachableError):
    """It answers with something else, or not at all."""


async def certificate_end(stream: ByteStream, server: str) -> float:
    """When the certificate of the port ends, in Unix time (RFC 5280, 4.1.2.5). Nobody's word is checked, none given.

    Raises:
        NoTlsError: it does not speak TLS.
        UnreachableError: the connection went, or took too long.
    """
    writer = stream[1]
    try:
        async with asyncio.timeout(TIMEOUT):
            return _ends(await _handshake(stream, server))
    except TimeoutError as error:  # one that waits for its own protocol to begin says nothing
        raise NoTlsError("the port does not answer TLS", server=server) from error
    except OSError as error:
        raise AgentTimeoutError("the connection to the port was lost", server=server) from error
    finally:
        writer.close()


async def _handshake(stream: ByteStream, server: str) -> bytes:
    """The certificate, DER. Raises NoTlsError."""
    reader, writer = stream
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(received, sent)
    left = _MOST
    while True:
        try:
            tls.do_handshake()
            shown = tls.getpeercert(binary_form=True)
            if shown is None:
                raise NoTlsError("the port shows no certificate", server=server)
            return shown
        except ssl.SSLWantReadError:
            writer.write(sent.read())
        except ssl.SSLError as error:
            raise NoTlsError(f"the port does not speak TLS: {error.reason}", server=server) from error
        data = await reader.read(_CHUNK)
        left -= len(data)
        if not data or left < 0:
            raise NoTlsError("the port ends what begins as TLS", server=server)
        received.write(data)


def _ends(certificate: bytes) -> float:
    from cryptography import x509  # late: it takes long to load

    try:
        return x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp()
    except ValueError as error:
        raise NoTlsError("the port shows a certificate nobody can read") from error
