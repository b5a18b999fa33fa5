"""Who acts: the unix login, who is behind ``sudo``, and the address of the SSH client."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING, Literal

from komodo_tui.domain.operations import Actor
from komodo_tui.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping


def current_actor(via: Literal["tui", "cli", "watch"], environment: Mapping[str, str] | None = None) -> Actor:
    """The person this process acts for.

    The login is that of the effective user, from the password database: ``$USER`` is the caller's to set.
    ``SUDO_USER`` and the SSH variables are hints for the reader of the history, and cleaned.
    """
    environment = os.environ if environment is None else environment
    return Actor(
        name=_login(os.geteuid()),
        sudo_user=clean(environment.get("SUDO_USER", "")),
        ssh_client=clean(_ssh_address(environment)),
        via=via,
    )


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _ssh_address(environment: Mapping[str, str]) -> str:
    for name in ("SSH_CLIENT", "SSH_CONNECTION"):
        words = environment.get(name, "").split()
        if words:
            return words[0]
    return ""
