"""Errors that only the fleet tells apart."""

from __future__ import annotations

from typing import TypeVar

from komodo_tui.domain.errors import HostUnreachableError, KomodoError

E = TypeVar("E", bound=KomodoError)


class HandshakeError(HostUnreachableError):
    """The host answered and then broke off. Tried again more slowly: sshd punishes addresses that keep doing this."""


def twin(error: E) -> E:
    """The same error for one more server; each enters its own name."""
    kind = type(error)
    other = kind.__new__(kind, *error.args)
    other.__dict__.update(error.__dict__)
    other.server = ""
    return other
