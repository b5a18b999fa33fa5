"""What people type to create a container, in the notation of ``docker run``, read into the wire's structs."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, cast

import msgspec

from komodo_agent.wire.jobs import Bind, CreateContainer, PublishedPort
from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from typing import Literal

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_IMAGE = re.compile(r"[a-z0-9][a-zA-Z0-9._/:@-]*")
_VARIABLE = re.compile(r"[^\s=]+")
_PORT = re.compile(
    r"(?:(?:(?P<ip>\[[0-9a-fA-F:]+\]|[0-9.]+):)?(?P<public>\d*):)?(?P<private>\d+)(?:/(?P<protocol>tcp|udp|sctp))?"
)
_RESTART = re.compile(r"(no|always|unless-stopped|on-failure)(?::(\d+))?")


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of the create form, as typed: one entry a line, ports also separated by spaces."""

    image: str
    name: str = ""
    command: str = ""
    ports: str = ""
    volumes: str = ""
    environment: str = ""
    network: str = ""
    restart: str = "unless-stopped"
    labels: str = ""
    pull: str = "missing"
    tty: bool = False
    start: bool = True


def parse_run_options(options: RunOptions) -> CreateContainer:
    """Read the form. Raises UsageError naming the field and the entry that cannot be read."""
    policy, times = parse_restart(options.restart)
    if options.pull not in ("missing", "always", "never"):
        raise UsageError(f"pull: {options.pull!r} is not known", hint="missing, always or never")
    return CreateContainer(
        image=parse_image(options.image),
        name=parse_name(options.name),
        command=parse_command(options.command),
        ports=tuple(parse_port(entry) for entry in options.ports.replace(",", " ").split()),
        binds=tuple(parse_bind(line) for line in _lines(options.volumes)),
        environment=dict(parse_variable(line, "environment") for line in _lines(options.environment)),
        labels=dict(parse_variable(line, "labels") for line in _lines(options.labels)),
        network=options.network.strip(),
        restart_policy=policy,
        restart_max=times,
        pull=cast("Literal['missing', 'always', 'never']", options.pull),
        tty=options.tty,
        start=options.start,
    )


def parse_image(text: str) -> str:
    """``[registry/]name[:tag|@digest]``."""
    image = text.strip()
    if not image:
        raise UsageError("image: it is empty", hint="name one, like nginx:1.27")
    if not _IMAGE.fullmatch(image):
        raise UsageError(
            f"image: {image!r} is not an image reference", hint="like nginx:1.27 or registry.example/app:2"
        )
    return image


def parse_name(text: str) -> str:
    """A container's name; empty lets the engine choose."""
    name = text.strip()
    if name and not _NAME.fullmatch(name):
        raise UsageError(
            f"name: {name!r} cannot be used", hint="two or more letters, digits, dots, dashes, underscores"
        )
    return name


def parse_command(text: str) -> tuple[str, ...]:
    """A command line split as a shell would; nothing in it is expanded."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"command: {error}", hint="close the quotes") from error


def parse_port(text: str) -> PublishedPort:
    """``[[ip:]public:]private[/protocol]``; without ``public`` the engine picks one."""
    match = _PORT.fullmatch(text)
    if not match:
        raise UsageError(f"ports: {text!r} cannot be read", hint="like 8080:80, 127.0.0.1:53:53/udp or 80")
    private = _port_number(match["private"], text)
    public = _port_number(match["public"], text) if match["public"] else None
    protocol = cast("Literal['tcp', 'udp', 'sctp']", match["protocol"] or "tcp")
    return PublishedPort(private=private, public=public, ip=(match["ip"] or "").strip("[]"), protocol=protocol)


def _port_number(digits: str, text: str) -> int:
    number = int(digits)
    if not 1 <= number <= 65535:
        raise UsageError(f"ports: {number} in {text!r} is no port", hint="1 to 65535")
    return number


def parse_bind(text: str) -> Bind:
    """``source:destination[:ro]``; the source is a path from the root, or the name of a volume."""
    source, _, rest = text.strip().partition(":")
    destination, _, mode = rest.partition(":")
    if not source or not destination.startswith("/") or mode not in ("", "ro", "rw"):
        raise UsageError(f"volumes: {text!r} cannot be read", hint="like data:/var/lib/data or /srv/www:/www:ro")
    if not source.startswith("/") and not _NAME.fullmatch(source):
        raise UsageError(f"volumes: {source!r} is neither a path from / nor a volume's name")
    return Bind(source=source, destination=destination, read_only=mode == "ro")


def parse_variable(text: str, field: str) -> tuple[str, str]:
    """``NAME=value``; the value may be empty and may hold anything."""
    name, equals, value = text.partition("=")
    if not equals or not _VARIABLE.fullmatch(name.strip()):
        raise UsageError(f"{field}: {name.strip()!r} has no value", hint="one NAME=value a line")
    return name.strip(), value


def parse_restart(text: str) -> tuple[Literal["no", "always", "unless-stopped", "on-failure"], int]:
    """``no``, ``always``, ``unless-stopped`` or ``on-failure[:times]``."""
    match = _RESTART.fullmatch(text.strip() or "no")
    if not match or (match[2] and match[1] != "on-failure"):
        raise UsageError(
            f"restart: {text!r} is not known", hint="no, always, unless-stopped, on-failure or on-failure:3"
        )
    policy = cast("Literal['no', 'always', 'unless-stopped', 'on-failure']", match[1])
    return policy, int(match[2] or 0)


def run_command(container: CreateContainer) -> list[str]:
    """The same as a ``docker run`` (or ``create``) argv, values of variables left out: they may be secrets."""
    argv = ["docker", "run" if container.start else "create", *(["-d"] if container.start else [])]
    argv += ["--name", container.name] if container.name else []
    argv += ["--pull", container.pull] if container.pull != "missing" else []
    argv += ["--network", container.network] if container.network else []
    if container.restart_policy != "no":
        times = f":{container.restart_max}" if container.restart_max else ""
        argv += ["--restart", container.restart_policy + times]
    for port in container.ports:
        where = f"{port.ip}:" if port.ip else ""
        public = f"{port.public}:" if port.public or where else ""
        argv += ["-p", f"{where}{public}{port.private}" + (f"/{port.protocol}" if port.protocol != "tcp" else "")]
    for bind in container.binds:
        argv += ["-v", f"{bind.source}:{bind.destination}" + (":ro" if bind.read_only else "")]
    argv += [word for name in container.environment for word in ("-e", name)]
    argv += [word for name, value in container.labels.items() for word in ("--label", f"{name}={value}")]
    argv += ["-t"] if container.tty else []
    argv += ["--user", container.user] if container.user else []
    argv += ["--workdir", container.workdir] if container.workdir else []
    argv += ["--entrypoint", container.entrypoint[0]] if container.entrypoint else []
    return [*argv, container.image, *container.entrypoint[1:], *container.command]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
