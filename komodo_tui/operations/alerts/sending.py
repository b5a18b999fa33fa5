"""Alerters: those there are, and one message sent to one of them. All of it blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from komodo_tui.domain.alerters import Message
from komodo_tui.domain.errors import ActError, UsageError
from komodo_tui.domain.interpolation import Value, interpolate
from komodo_tui.domain.text import clean
from komodo_tui.operations.alerts.definitions import AlerterDefinitions

if TYPE_CHECKING:
    from komodo_tui.domain.alerters import Alerter
    from komodo_tui.domain.interpolation import Lookup
    from komodo_tui.store.definitions import DefinitionStore

TEST = Message("Test of komodo-tui", "An alert would arrive like this.", "info")


def known_alerters(definitions: DefinitionStore) -> tuple[Alerter, ...]:
    """The alerters, by name. Raises StoreError."""
    return tuple(AlerterDefinitions(definitions).known().values())


def send(alerter: Alerter, message: Message, lookup: Lookup) -> None:
    """Send it and wait until it was taken.

    Raises:
        UsageError: its URL is none, or names a secret that is not there.
        ActError: it was not taken; what was said is in the message.
    """
    import apprise  # late: it loads hundreds of modules, and only watch and a test ever send

    target = apprise.Apprise()
    if not target.add(_url(alerter, lookup)):
        raise UsageError(f"alerter {alerter.name}: Apprise knows no such url", hint="docs/alerts.md has some")
    with target.notify(
        title=message.title, body=message.body, notify_type=message.tone, body_format="text"
    ) as result:  # fmt: skip
        if result:
            return
        said = [entry.message for entry in result.logs() if entry.level in ("WARNING", "ERROR")]
    why = clean(said[-1])[:200] if said else "it was not taken"
    raise ActError(
        f"alerter {alerter.name}: {why}",
        hint="see that its service is up and takes the url (docs/alerts.md); W on the Alerts tab edits it",
    )


def _url(alerter: Alerter, lookup: Lookup) -> str:
    whole = alerter.url.strip().startswith("[[") and alerter.url.strip().endswith("]]") and alerter.url.count("[[") == 1

    def quoted(name: str) -> Value | None:
        value = lookup(name)
        # within a URL a password's @ or / would end it; a URL that is a secret as a whole is one already
        return value if value is None or whole else Value(quote(value.text, safe=""), value.secret)

    return interpolate({"url": alerter.url.strip()}, quoted, where=f"alerter {alerter.name}").values["url"]
