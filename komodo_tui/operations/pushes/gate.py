"""Decides about one delivery: whose it is, whether it may be believed, whether it is a copy, and what it tells."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.pushes import Push, SeenBranch
from komodo_tui.domain.webhooks import ForgedError, MalformedError, read, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.domain.webhooks import Delivery, Pushed
    from komodo_tui.operations.values import StoredValues
    from komodo_tui.store.pushes import PushStore

_FRESH = 5.0
"""Seconds for which a secret that was looked up is used again: unsigned floods must not open the secrets file."""
_KEPT = 1000


class NotHereError(Exception):
    """There is no such repo, it takes none, or the sender does not know its secret: nobody is told which."""


class BadSenderError(Exception):
    """Signed, and of no use."""


class Said(NamedTuple):
    """What the sender is told."""

    taken: bool
    text: str


class WebhookGate:
    """The one way from a delivery to the queue."""

    def __init__(
        self,
        repos: Callable[[], Mapping[str, RepoDefinition]],
        values: StoredValues,
        store: PushStore,
        pushed: Callable[[str, Sequence[str]], None],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``pushed`` is called when there is a push to act on: the repo's name, and some files that changed."""
        self._repos = repos
        self._values = values
        self._store = store
        self._pushed = pushed
        self._now = now
        self._secrets: dict[str, tuple[float, str]] = {}
        self._known: tuple[float, Mapping[str, RepoDefinition]] = (-_FRESH, {})

    async def take(self, name: str, headers: Mapping[str, str], body: bytes) -> Said:
        """One delivery for the repo of this name. When this returns, it is on disk.

        Raises:
            NotHereError: it must not be believed. BadSenderError: it cannot be read.
            StoreError: it cannot be kept.
        """
        repo = await self._repo(name)
        secret = await self._secret(repo.webhook) if repo is not None and repo.webhook else ""
        try:
            service, given = verify(headers, body, secret, self._now())
            assert repo is not None
            delivery = await asyncio.to_thread(read, headers, body, service, given)
        except ForgedError as error:
            raise NotHereError from error
        except MalformedError as error:
            raise BadSenderError(str(error)) from error
        return await self._entered(repo, delivery)

    async def _entered(self, repo: RepoDefinition, delivery: Delivery) -> Said:
        if delivery.ignored:
            return Said(taken=False, text=f"ignored: {delivery.ignored}")
        if repo.commit:
            return Said(taken=False, text=f"ignored: the repo stays at {repo.commit[:12]}")
        pushed = next((one for one in delivery.pushed if _concerns(repo, delivery, one)), None)
        if pushed is None:
            return Said(taken=False, text=f"ignored: the repo follows {repo.branch or 'the main branch'}")
        # Which branch is the main one is not known here: the pull finds out whether it has moved.
        sure = bool(repo.branch or pushed.main) and bool(pushed.branch)
        push = Push(
            repo=repo.name, branch=pushed.branch, commit=pushed.commit if sure else "", source=delivery.service,
            delivery=delivery.ids[0][:128], who=pushed.who, subject=pushed.subject,
        )  # fmt: skip
        seen = SeenBranch(repo=repo.name, url=repo.url, branch=repo.branch, commit=push.commit)
        taken = await asyncio.to_thread(self._store.delivered, push, seen, delivery.ids, self._now())
        if taken == "duplicate":
            why = "" if pushed.commit else ": this body came before, and names no commit"
            return Said(taken=False, text=f"a copy of a delivery{why}")
        if taken == "known":
            return Said(taken=False, text="the commit is known")
        self._pushed(repo.name, pushed.files)
        return Said(taken=True, text=f"accepted: {pushed.branch} {pushed.commit[:12]}".rstrip(": "))

    async def _repo(self, name: str) -> RepoDefinition | None:
        now = time.monotonic()
        if now - self._known[0] >= 1.0:
            self._known = (now, await asyncio.to_thread(self._repos))
        return self._known[1].get(name)

    async def _secret(self, name: str) -> str:
        now = time.monotonic()
        kept = self._secrets.get(name)
        if kept is not None and now - kept[0] < _FRESH:
            return kept[1]
        value = await asyncio.to_thread(lambda: self._values.lookup("", "")(name))
        found = value.text.strip() if value is not None and value.secret else ""
        if len(self._secrets) >= _KEPT:
            self._secrets.clear()
        self._secrets[name] = (now, found)
        return found


def _concerns(repo: RepoDefinition, delivery: Delivery, pushed: Pushed) -> bool:
    """Whether it is the branch the repo follows; where neither side names the main one, it may be."""
    if not pushed.branch:
        return True
    if repo.branch:
        return pushed.branch == repo.branch
    return pushed.main or delivery.service in ("bitbucket", "generic")
