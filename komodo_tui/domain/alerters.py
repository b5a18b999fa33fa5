"""Where alerts go: rules of what goes to whom, and the words of a message. Pure."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_tui.domain.alerts import TITLES, Alert, AlertChange, AlertEntry, AlertKind, AlertLevel
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.masking import looks_secret
from komodo_tui.domain.names import check_plain_name
from komodo_tui.domain.units import count_text, time_text

if TYPE_CHECKING:
    from collections.abc import Sequence

Tone = Literal["info", "success", "warning", "failure"]
_OPEN = frozenset({
    "mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms", "ntfy", "ntfys", "syslog", "rsyslog", "dbus",
    "gnome", "kodi", "kodis", "mqtt", "mqtts",
})  # fmt: skip
"""Of URLs that may go without any secret."""
_NAMED = re.compile(r"\[\[[^\[\]]*\]\]")
_PASSWORD = re.compile(r"://[^/@]*:(?!\d+\?)[^/@:]+@")
"""``user:password@``; ``host:port?to=you@…`` is none."""
_TOKEN = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_-]{20,}")
_TO_NAME = str.maketrans(dict.fromkeys(".-", "_"))
DIGEST = 20
"""Alerts of one message that are written out."""


class Alerter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place alerts go to."""

    name: str
    url: str
    """As Apprise takes it, with ``[[NAME]]`` in the place of secrets."""
    level: AlertLevel = "warning"
    """From which on."""
    kinds: tuple[AlertKind, ...] = ()
    """Empty = all."""
    servers: tuple[str, ...] = ("*",)
    """Globs of names; one that fits will do."""
    except_servers: tuple[str, ...] = ()
    """Globs; none may fit."""
    enabled: bool = True
    on: tuple[AlertChange, ...] = ("opened", "escalated", "resolved")

    def __repr__(self) -> str:
        return f"Alerter(name={self.name!r})"  # people write tokens into URLs, whatever we advise

    def wants(self, alert: Alert, entry: AlertEntry) -> bool:
        """Whether this change goes there. That a resolved one has to have been told is not looked at here."""
        return (
            self.enabled
            and entry.change in self.on
            and (self.level == "warning" or entry.level == "critical")
            and (not self.kinds or alert.subject.kind in self.kinds)
            and any(fnmatchcase(alert.subject.server, pattern) for pattern in self.servers)
            and not any(fnmatchcase(alert.subject.server, pattern) for pattern in self.except_servers)
        )


class Message(msgspec.Struct, frozen=True):
    """What is sent."""

    title: str
    body: str
    tone: Tone


def check_alerter(alerter: Alerter) -> Alerter:
    """Return it, or raise :class:`UsageError` saying what is wrong: secrets stand in none but by their names.

    What a service takes for a secret cannot be known of all. Refused are a password, what looks like a token, and
    an address without any ``[[NAME]]`` where there is no such address without a token.
    """
    what = f"alerter {alerter.name}"
    check_plain_name("alerter", alerter.name)
    url = alerter.url.strip()
    scheme = url.partition("://")[0].lower()
    if "://" not in url and not _NAMED.fullmatch(url):
        raise UsageError(f"{what}: this is no URL", hint="like ntfys://[[NTFY_TOPIC]]; docs/alerts.md has some")
    plain = _NAMED.sub("", url)
    words = re.split(r"[/:@?&=,;]", plain.partition("://")[2])
    named = bool(_NAMED.search(url))
    if _PASSWORD.search(plain) or any(map(_looks_secret, words)) or (not named and scheme not in _OPEN):
        name = f"{alerter.name.upper().translate(_TO_NAME)}_TOKEN"
        hint = f"komodo-tui secret set {name}, and [[{name}]] in its place"
        raise UsageError(f"{what}: its url has a secret in it, or needs one", hint=hint)
    strange = [kind for kind in alerter.kinds if kind not in TITLES]
    if strange:
        raise UsageError(f"{what}: there is no kind of alert {strange[0]!r}", hint=f"known: {', '.join(TITLES)}")
    if not alerter.servers or not alerter.on:
        raise UsageError(f"{what}: nothing would go there", hint='servers: ["*"] is all of them')
    return alerter


def _looks_secret(word: str) -> bool:
    return looks_secret(word) or bool(_TOKEN.fullmatch(word))


def message_of(told: Sequence[tuple[Alert, AlertEntry]]) -> Message:
    """One message for all that is to be told at once, oldest first: of each alert how it changed last."""
    if len(told) == 1:
        alert, entry = told[0]
        body = f"{entry.text}\n{entry.change} {time_text(entry.at)}, first seen {time_text(alert.opened)}"
        who = f" by {entry.who}" if entry.who else ""
        return Message(_line(alert, entry), f"{body}{who}\nkomodo-tui alerts --show {alert.id}", _tone([told[0][1]]))
    newest = sorted({alert.id: (alert, entry) for alert, entry in told}.values(), key=_worst_first)
    if len(newest) == 1:
        return message_of(newest)
    lines = [f"{_line(alert, entry)}: {entry.text}" for alert, entry in newest[:DIGEST]]
    if len(newest) > DIGEST:
        lines.append(f"and {count_text(len(newest) - DIGEST, 'more alert')}: komodo-tui alerts --all")
    bad = sum(entry.change in ("opened", "escalated") for _, entry in newest)
    over = sum(entry.change == "resolved" for _, entry in newest)
    parts = [f"{bad} opened or worse"] * bool(bad) + [f"{over} resolved"] * bool(over)
    return Message(
        f"{len(newest)} alerts: {', '.join(parts) or 'changed'}", "\n".join(lines), _tone([e for _, e in newest])
    )


def _worst_first(told: tuple[Alert, AlertEntry]) -> tuple[bool, bool, float]:
    entry = told[1]
    return (entry.change not in ("opened", "escalated"), entry.level != "critical", entry.at)


def _line(alert: Alert, entry: AlertEntry) -> str:
    word = {"resolved": "OK", "acknowledged": "ACK"}.get(entry.change, entry.level.upper())
    return f"{word} {TITLES[alert.subject.kind]}: {alert.subject}"


def _tone(entries: Sequence[AlertEntry]) -> Tone:
    if all(entry.change == "resolved" for entry in entries):
        return "success"
    worse = [entry for entry in entries if entry.change in ("opened", "escalated")]
    if not worse:
        return "info"
    return "failure" if any(entry.level == "critical" for entry in worse) else "warning"
