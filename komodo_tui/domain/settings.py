"""What a person can set in ``config.yaml``. Every default is one a stranger can live with."""

from __future__ import annotations

from typing import Literal

import msgspec

from komodo_tui.domain.durations import parse_duration, parse_size
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.log_rules import LogRule, check_log_rules
from komodo_tui.domain.operations import Confirm


class ConfirmRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What has to be given, by how much an act can hurt."""

    start: Confirm = "none"
    """Start, unpause."""
    change: Confirm = "yes"
    """Stop, restart, pause, rename, create, deploy."""
    harm: Confirm = "yes"
    """Kill, remove: what cannot be taken back."""


class ConfirmPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The confirm policy: a rule for everything, and stricter ones for servers with a tag."""

    default: ConfirmRule = ConfirmRule()
    tags: dict[str, ConfirmRule] = msgspec.field(
        default_factory=lambda: {"prod": ConfirmRule(start="yes", change="yes", harm="type")}
    )
    """By server tag. Where several apply, the strictest is asked."""


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Log views."""

    lines: int = 50_000
    """Lines a view keeps; older ones are dropped and counted."""
    megabytes: int = 32
    """…and bytes, in MiB."""
    since: str = "15m"
    """How far back a view begins: ``5m``, ``1h``, ``all``."""
    wrap: bool = False
    timestamps: Literal["off", "relative", "absolute"] = "absolute"


class TerminalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Terminal panes."""

    scrollback: int = 10_000
    """Lines of history a pane keeps."""
    clipboard: bool = False
    """Whether programs in a pane may write the clipboard (OSC 52)."""


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command of the user's own, offered where its tags fit."""

    name: str
    command: tuple[str, ...]
    """Words; no shell reads them."""
    on: Literal["container", "server"] = "container"
    tags: tuple[str, ...] = ()
    """Of the server; without any it is offered everywhere."""
    confirm: bool = False
    """Ask before it is run."""
    dangerous: bool = False
    """Have the target's name typed before it is run."""


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where ``watch`` takes webhooks, once a repo names a secret for them."""

    listen: str = "127.0.0.1:9180"
    """``host:port``. Anything but loopback wants TLS in front of it."""
    max_body: str = "5M"
    rate: int = 3000
    """Requests a minute, of all senders together."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def most_bytes(self) -> int:
        """Of a body."""
        return parse_size(self.max_body)


def check_webhooks(settings: WebhookSettings) -> None:
    """Raise UsageError where it cannot be listened like this."""
    host, _, port = settings.listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"webhooks.listen is {settings.listen!r}", hint="host:port, like 127.0.0.1:9180 or [::1]:9180")
    if not 1024 <= settings.most_bytes <= 64 << 20:
        raise UsageError(f"webhooks.max_body is {settings.max_body!r}", hint="1K to 64M")
    if not 1 <= settings.rate <= 1_000_000:
        raise UsageError(f"webhooks.rate is {settings.rate}", hint="1 to 1000000")


class CertificateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Certificates of published ports that speak TLS."""

    warning: str = "21d"
    """Left until it ends."""
    critical: str = "7d"
    every: str = "4h"
    """How often one is looked at; ``off``: never."""

    @property
    def seconds(self) -> float:
        """Between two looks; 0 = none."""
        return 0.0 if self.every.strip() in ("off", "") else parse_duration(self.every)


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What alerts are about besides what is always one."""

    updates: bool = False
    """Whether an image that its registry has replaced is one; lists mark it anyway."""
    bell: bool = True
    """Ring the terminal's bell when something critical opens."""
    certificates: CertificateSettings = CertificateSettings()
    logs: tuple[LogRule, ...] = ()
    """What is trouble when it stands in the log of a container."""


def check_alerts(settings: AlertSettings) -> None:
    """Raise UsageError where something of it cannot be."""
    check_log_rules(settings.logs)
    certificates = settings.certificates
    if 0 < certificates.seconds < 600:
        raise UsageError(f"alerts.certificates.every is {certificates.every!r}", hint="10m or more, or off")
    if parse_duration(certificates.critical) > parse_duration(certificates.warning):
        raise UsageError("alerts.certificates: critical is sooner than warning", hint="like warning: 21d, critical: 7d")


class UpdateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether registries have newer images under the names that containers run."""

    every: str = "6h"
    """How old an answer of a registry may be; ``off`` asks only when told to."""

    @property
    def seconds(self) -> float:
        """0 = only when told to."""
        return 0.0 if self.every.strip() in ("off", "") else parse_duration(self.every)


def check_updates(settings: UpdateSettings) -> None:
    """Raise UsageError where it is no span of time, or one that registries would not like."""
    if 0 < settings.seconds < 300 or settings.seconds > 30 * 86400:
        raise UsageError(f"updates.every is {settings.every!r}", hint="5m to 30d, or off")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings."""

    read_only: bool = False
    """Refuse every act, in every front end that reads this file."""
    theme: str = "komodo"
    ascii: bool = False
    """Draw with ASCII alone; on by itself where the locale is not UTF-8."""
    graphs: Literal["braille", "block", "ascii"] = "braille"
    mouse: bool = True
    refresh: float = 1.0
    """Seconds between samples and between repaints of figures, 0.5 to 60."""
    confirm: ConfirmPolicy = ConfirmPolicy()
    keymap: dict[str, str] = msgspec.field(default_factory=dict)
    """Binding id to keys, comma-separated: ``container.restart: "R,f5"``."""
    logs: LogSettings = LogSettings()
    terminal: TerminalSettings = TerminalSettings()
    commands: tuple[Command, ...] = ()
    watch_here: bool = False
    """Whether the program on the screen runs schedules, pushes and syncs while it is open and no ``watch`` does."""
    webhooks: WebhookSettings = WebhookSettings()
    updates: UpdateSettings = UpdateSettings()
    alerts: AlertSettings = AlertSettings()
    parallel: int = 4
    """Acts under way at once on one server when many were picked, 1 to 32."""
