"""One SSH login: the questions asyncssh asks back while it is under way, and what was tried."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncssh

from komodo_tui.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from komodo_tui.fleet.keys import KeyRing
    from komodo_tui.fleet.prompts import Prompter
    from komodo_tui.fleet.sshhost import SshHost

_BANNER_LIMIT = 2048
_QUESTION_LIMIT = 512
_QUESTIONS = 3
"""Times a password may be wrong."""


class Attempt:
    """A handshake: one of few at a time, and limited in time. Both stand still while a person is asked."""

    def __init__(self, gate: asyncio.Semaphore, seconds: float) -> None:
        self._gate = gate
        self._seconds = seconds
        self._holds = False
        self._deadline: asyncio.Timeout | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Wait for a slot, then allow ``seconds``.

        Raises:
            TimeoutError: they were not enough.
        """
        await self._gate.acquire()
        self._holds = True
        try:
            async with asyncio.timeout(self._seconds) as self._deadline:
                yield
        finally:
            self._deadline = None
            self._release()

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """While a person is asked. The slot goes to somebody else for good: people take minutes."""
        self._release()
        self._reschedule(None)
        try:
            yield
        finally:
            self._reschedule(asyncio.get_running_loop().time() + self._seconds)

    def _reschedule(self, when: float | None) -> None:
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(when)

    def _release(self) -> None:
        if self._holds:
            self._holds = False
            self._gate.release()


class Passwords:
    """Passwords that worked, kept in memory for reconnects: nobody wants to be asked at three in the morning."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def get(self, host: SshHost, question: str) -> str | None:
        """The answer that worked last time; used once, so that a wrong one is not tried for ever."""
        return self._known.pop((f"{host.user}@{host.host}:{host.port}", question), None)

    def keep(self, host: SshHost, answers: dict[str, str]) -> None:
        """These worked."""
        for question, answer in answers.items():
            self._known[(f"{host.user}@{host.host}:{host.port}", question)] = answer


class Login(asyncssh.SSHClient):
    """Answers asyncssh's questions during one login, and learns when the connection ends."""

    def __init__(
        self, host: SshHost, server: str, ring: KeyRing, passwords: Passwords, prompter: Prompter, attempt: Attempt
    ) -> None:
        self.host_key: asyncssh.SSHKey | None = None
        """The key the server showed, when it was not accepted."""
        self.tried: list[str] = []
        """What was offered, for people to read."""
        self.banner = ""
        self.declined = False
        """Somebody was asked and did not answer, or nobody is there to ask."""
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._host, self._server = host, server
        self._ring, self._passwords, self._prompter, self._attempt = ring, passwords, prompter, attempt
        self._offers: AsyncIterator[asyncssh.SSHKeyPair] | None = None
        self._agent: asyncssh.SSHAgentClient | None = None
        self._asked = 0
        self._given: dict[str, str] = {}

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection ended."""
        self._close_agent()
        if not self.lost.done():
            self.lost.set_result(exc)

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Not on record: note it and say no. Whoever connects asks a person, or cries out."""
        self.host_key = key
        return False

    def auth_banner_received(self, msg: str, lang: str) -> None:
        """Keep what the server says to all who log in."""
        self.banner = clean(msg[:_BANNER_LIMIT], keep_newlines=True)

    def auth_completed(self) -> None:
        """We are in."""
        self._close_agent()
        self._passwords.keep(self._host, self._given)

    async def public_key_auth_requested(self) -> asyncssh.SSHKeyPair | None:
        """The next key to offer."""
        if self._offers is None:
            if self._host.identity_agent is not None:
                self._agent = asyncssh.SSHAgentClient(self._host.identity_agent)
            self._offers = self._ring.offers(self._host, self, self._agent)
        pair = await anext(self._offers, None)
        if pair is not None:
            self.tried.append(_describe(pair))
        return pair

    async def password_auth_requested(self) -> str | None:
        """The password, when the server takes one."""
        question = f"{self._host.user}@{self._host.host}'s password: "
        answers = await self._answers("", "", [(question, False)])
        return answers[0] if answers else None

    def kbdint_auth_requested(self) -> str | None:
        """Whether to let the server ask."""
        return "" if not self.declined and self._asked < _QUESTIONS else None

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> Sequence[str] | None:
        """The server's own questions: a password, a code."""
        if not prompts:
            return []
        return await self._answers(name, instructions, prompts)

    def asking(self) -> AbstractAsyncContextManager[None]:
        """While a person is asked, on behalf of whom ever."""
        return self._attempt.asking()

    async def passphrase(self, path: str) -> str | None:
        """Ask for the passphrase of a key."""
        answer = await self._prompter.passphrase(self._server, path)
        self.declined = self.declined or answer is None
        return answer

    async def _answers(self, title: str, instructions: str, prompts: Sequence[tuple[str, bool]]) -> list[str] | None:
        questions = [(clean(question[:_QUESTION_LIMIT]).strip(), echo) for question, echo in prompts]
        if len(questions) == 1 and (known := self._passwords.get(self._host, questions[0][0])) is not None:
            self._given = {questions[0][0]: known}
            return [known]
        self._given = {}
        if self.declined or self._asked >= _QUESTIONS:
            return None
        self._asked += 1
        self.tried.append("answers to its questions")
        async with self._attempt.asking():
            answers = await self._prompter.answers(
                self._server, clean(title[:_QUESTION_LIMIT]),
                clean(instructions[:_BANNER_LIMIT], keep_newlines=True), questions,
            )  # fmt: skip
        if answers is None:
            self.declined = True
        elif len(questions) == 1 and not questions[0][1] and "password" in questions[0][0].lower():
            self._given = {questions[0][0]: answers[0]}
        return answers

    def _close_agent(self) -> None:
        if self._agent is not None:
            self._agent.close()
            self._agent = None


def _describe(pair: asyncssh.SSHKeyPair) -> str:
    comment = clean(pair.get_comment(errors="replace") or "")
    if pair.get_key_type() == "agent":
        return f"{comment or pair.get_algorithm()} of the ssh-agent"
    return f"{comment}, certified" if pair.has_cert else comment
