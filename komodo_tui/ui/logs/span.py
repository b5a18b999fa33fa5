"""Which part of the logs is shown: since when, until when, how many lines at the beginning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.moments import parse_moment
from komodo_tui.operations.log_source import LogOptions

STEPS = ("1m", "5m", "15m", "1h", "6h", "24h", "7d", "all")
"""What ``{`` and ``}`` step through."""
_DEFAULT = "15m"


@dataclass(frozen=True)
class LogSpan:
    """As a person types it. Empty words mean no bound."""

    since: str = _DEFAULT
    until: str = ""
    tail: int | None = None
    """The last lines of each container; None: as many as the view keeps."""

    @classmethod
    def around(cls, at: float, seconds: float) -> LogSpan:
        """So many seconds before and after a Unix time."""
        since, until = (datetime.fromtimestamp(at + by).isoformat(timespec="seconds") for by in (-seconds, seconds))
        return cls(since=since, until=until)

    @property
    def text(self) -> str:
        """For the headline: ``since 15m until 5m``."""
        words = [f"since {self.since}"] if self.since and self.since != "all" else ["all"]
        if self.until:
            words.append(f"until {self.until}")
        if self.tail is not None:
            words.append(f"tail {self.tail}")
        return " ".join(words)

    def stepped(self, sign: int) -> LogSpan:
        """Begin later (-1) or earlier (1) by one step; a bound that is no step counts as the default."""
        at = STEPS.index(self.since or "all") if (self.since or "all") in STEPS else STEPS.index(_DEFAULT)
        return replace(self, since=STEPS[min(len(STEPS) - 1, max(0, at + sign))])

    def options(self, now: float, most: int) -> LogOptions:
        """What to ask for at this moment; ``most`` lines of a container are read at the beginning.

        Raises:
            UsageError: a bound is no time, or they are the wrong way round.
        """
        since = parse_moment(self.since, now=now) if self.since and self.since != "all" else None
        until = parse_moment(self.until, now=now) if self.until else None
        if since is not None and until is not None and until <= since:
            raise UsageError("these bounds leave no time between them", hint="until has to be later than since")
        return LogOptions(
            tail=most if self.tail is None else min(self.tail, most),
            since="" if since is None else f"{since:.9f}",
            until="" if until is None else f"{until:.9f}",
            follow=until is None,
        )
