"""Steps on servers: commands, scripts, and what lies on them."""

from __future__ import annotations

from typing import Literal

import msgspec

from komodo_tui.domain.procedures.steps.base import Spread, Words


class Run(Spread, frozen=True, kw_only=True):
    """Run a command on servers, as the login user or by ``sudo -n -u USER``."""

    command: Words
    """A list, or one text split as a shell would; nothing in it is expanded."""
    user: str = ""
    """Empty = the login user."""
    directory: str = ""
    """Empty = that user's home."""
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    """Values may have ``[[NAME]]`` of variables and secrets."""


class Script(Spread, frozen=True, kw_only=True):
    """Run a script on servers: one written here, or a file of a repo's clone there."""

    script: str = ""
    repo: str = ""
    """Instead of ``script``: a repo that is cloned on the servers…"""
    file: str = ""
    """…and the script's path in it. It is run in the clone's folder unless ``directory`` says otherwise."""
    interpreter: str = "sh"
    user: str = ""
    """Empty = the login user."""
    directory: str = ""
    """Empty = that user's home."""
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    """Values may have ``[[NAME]]`` of variables and secrets."""


class Prune(Spread, frozen=True, kw_only=True):
    """Remove what nothing uses: images, networks, volumes, stopped containers, build cache."""

    images: Literal["none", "dangling", "unused"] = "dangling"
    networks: bool = False
    volumes: bool = False
    """Their data is lost."""
    containers: bool = False
    """Those that are stopped; what they wrote outside of volumes is lost."""
    build_cache: bool = False
    """What builds left to be faster the next time."""
    keep_labels: Words = ()
    """What has one of these stays: ``key`` or ``key=value``."""
    older_than: str = ""
    """Younger ones stay: ``30d``. Containers: since they stopped."""


class RemoveResources(Spread, frozen=True, kw_only=True):
    """Remove images, volumes or networks by name."""

    what: Literal["image", "volume", "network"]
    match: Words
    """Names, wildcards, ``re:…`` or ``label:key=value``."""
    force: bool = False
    none: Literal["fail", "warn", "pass"] = "fail"
    """What it means when nothing matches."""


class PullImage(Spread, frozen=True, kw_only=True):
    """Pull an image on servers."""

    image: str


class BackupVolume(Spread, frozen=True, kw_only=True):
    """Write all of a volume into a tar file on this side."""

    volume: str
    """Its name, or a wildcard."""
    folder: str
    """An absolute path on this side; a file is called SERVER-VOLUME-TIME.tar."""
    keep: int = 0
    """After a good backup leave only this many newest ones of the volume; 0 = all."""
    none: Literal["fail", "warn", "pass"] = "fail"
    """What it means when nothing matches."""


class RestoreVolume(Spread, frozen=True, kw_only=True):
    """Put a tar file of this side into a volume; what was in it is lost once the file is unpacked."""

    volume: str
    file: str
    """An absolute path; a folder = the newest backup of that volume in it."""
