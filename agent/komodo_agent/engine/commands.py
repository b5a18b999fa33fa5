"""The engine calls of a job as a person would type them. Values of environment variables are never shown."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..wire.jobs import Bind, ContainerAct, CreateContainer, PublishedPort


def act_command(act: ContainerAct, name: str) -> str:
    """``docker restart -t 10 web``"""
    words = ["docker", "rm" if act.verb == "remove" else act.verb]
    if act.timeout is not None and act.verb in ("stop", "restart"):
        words += ["-t", str(act.timeout)]
    if act.signal and act.verb == "kill":
        words += ["-s", act.signal]
    if act.verb == "remove":
        words += ["-f"] if act.force else []
        words += ["-v"] if act.volumes else []
    words.append(name)
    if act.verb == "rename":
        words.append(act.new_name)
    return shlex.join(words)


def pull_command(image: str) -> str:
    """``docker pull nginx:latest``"""
    return shlex.join(["docker", "pull", image])


def create_command(spec: CreateContainer) -> str:
    """``docker run -d --name web -p 8080:80 -e TOKEN nginx`` (or ``docker create`` when it is not to start)."""
    words = ["docker", *(("run", "-d") if spec.start else ("create",))]
    options: list[tuple[str, str]] = [
        ("--name", spec.name),
        ("--network", spec.network),
        ("--restart", restart_words(spec)),
        ("--user", spec.user),
        ("--workdir", spec.workdir),
        ("--entrypoint", spec.entrypoint[0] if spec.entrypoint else ""),
    ]
    for option, value in options:
        words += [option, value] if value else []
    words += ["-t", "-i"] if spec.tty else []
    for port in spec.ports:
        words += ["-p", port_words(port)]
    for bind in spec.binds:
        words += ["-v", bind_words(bind)]
    for key in spec.environment:
        words += ["-e", key]
    for key, value in spec.labels.items():
        words += ["--label", f"{key}={value}"]
    return shlex.join([*words, spec.image, *spec.entrypoint[1:], *spec.command])


def restart_words(spec: CreateContainer) -> str:
    """``on-failure:3``; empty for none."""
    if spec.restart_policy == "no":
        return ""
    return f"on-failure:{spec.restart_max}" if spec.restart_max else spec.restart_policy


def port_words(port: PublishedPort) -> str:
    """``127.0.0.1:8080:80/udp``"""
    ip = f"[{port.ip}]" if ":" in port.ip else port.ip
    public = "" if port.public is None else str(port.public)
    outside = f"{ip}:{public}:" if ip else (f"{public}:" if public else "")
    return f"{outside}{port.private}" + ("" if port.protocol == "tcp" else f"/{port.protocol}")


def bind_words(bind: Bind) -> str:
    """``/srv/data:/data:ro``"""
    return f"{bind.source}:{bind.destination}" + (":ro" if bind.read_only else "")
