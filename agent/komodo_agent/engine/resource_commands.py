"""The engine calls of acts on resources as a person would type them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..wire.resources import CreateNetwork, CreateVolume, ResourceKind


def tag_command(image: str, tag: str) -> str:
    """``docker tag 1f2e3d shop/api:1.9``"""
    return shlex.join(["docker", "tag", image, tag])


def push_command(reference: str) -> str:
    """``docker push registry.example/shop/api:1.9``"""
    return shlex.join(["docker", "push", reference])


def remove_command(what: ResourceKind, names: Sequence[str], *, force: bool = False) -> str:
    """``docker image rm web:1 web:2``"""
    return shlex.join(["docker", what, "rm", *(["-f"] if force and what != "network" else []), *names])


def create_network_command(spec: CreateNetwork) -> str:
    """``docker network create --driver bridge --subnet 10.1.0.0/24 shop``"""
    words = ["docker", "network", "create", "--driver", spec.driver]
    words += ["--subnet", spec.subnet] if spec.subnet else []
    words += ["--internal"] if spec.internal else []
    return shlex.join([*words, *_labels(spec.labels), spec.name])


def create_volume_command(spec: CreateVolume) -> str:
    """``docker volume create --driver local data``; values of options are left out, they may be passwords."""
    words = ["docker", "volume", "create", "--driver", spec.driver]
    for key in spec.options:
        words += ["--opt", f"{key}=…"]
    return shlex.join([*words, *_labels(spec.labels), spec.name])


def clear_cache_command(older_than: float) -> str:
    """``docker builder prune -a -f --filter until=48h``"""
    words = ["docker", "builder", "prune", "-a", "-f"]
    return shlex.join([*words, *(["--filter", f"until={int(older_than)}s"] if older_than else [])])


def _labels(labels: dict[str, str]) -> list[str]:
    return [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
