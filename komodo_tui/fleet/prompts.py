"""Questions only a person can answer while a connection is made: passphrases, passwords, codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Prompter(Protocol):
    """Asks the person in front of the program. ``None`` means: nobody answered, go on without."""

    async def passphrase(self, server: str, key_path: str) -> str | None:
        """The passphrase of a private key that ``server`` would take."""
        ...

    async def answers(
        self, server: str, title: str, instructions: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Answers to the server's questions, in order.

        ``prompts`` are (question, whether what is typed may be shown). All text has been cleaned.
        """
        ...


class NoPrompter:
    """Nobody is there to ask: cron, CI, a pipe."""

    async def passphrase(self, server: str, key_path: str) -> str | None:
        """Never an answer."""
        return None

    async def answers(
        self, server: str, title: str, instructions: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Never an answer."""
        return None
