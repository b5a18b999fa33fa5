"""Errors that only the fleet tells apart."""

from __future__ import annotations

from komodo_tui.domain.errors import HostUnreachableError


class HandshakeError(HostUnreachableError):
    """The host answered and then broke off. Tried again more slowly: sshd punishes addresses that keep doing this."""
