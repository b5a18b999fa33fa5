"""Git repositories as the user defines them, and what can be done with their clones. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from komodo_agent.wire.repo_checks import wrong_name, wrong_path, wrong_source
from komodo_agent.wire.repos import RepoChange, RepoSource, RepoVerb
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.pushes import OnPush, check_on_push
from komodo_tui.domain.servers import named_servers
from komodo_tui.domain.stacks import split_command
from komodo_tui.domain.values import check_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from komodo_agent.wire.repos import RepoState
    from komodo_tui.domain.pushes import SeenBranch
    from komodo_tui.domain.servers import ServerDefinition


AUTHOR = re.compile(r"[^<>\x00-\x1f]{1,100} <[^<>\s\x00-\x1f]{1,200}>")
"""Who commits: a name and a mail address."""


class RepoDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A git repository and the servers it is cloned on."""

    name: str
    url: str
    """https, ssh (both forms), or a folder of the server."""
    branch: str = ""
    """Empty = the repository's main one."""
    commit: str = ""
    """Stay at this commit; empty = follow the branch."""
    servers: tuple[str, ...] = ()
    """Names, or ``tag:TAG``."""
    description: str = ""
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    token: str = ""
    """The name of the secret that is the token, for https; the token itself never stands here."""
    username: str = ""
    """Of the token, where its server wants one."""
    ssh_key: str = ""
    """A private key on the servers, for ssh; empty = what ssh there uses by itself."""
    key: str = ""
    """Instead of ``ssh_key``: the name of the secret that is the private key. It is in no file on the servers."""
    ssh_agent: bool = False
    """Lend the ssh-agent of who acts to the servers, while git runs."""
    host_keys: tuple[str, ...] = ()
    """Lines of a known_hosts file; empty = the servers' own files."""
    on_clone: tuple[str, ...] = ()
    """Commands run in the clone's folder on the server after it was cloned; no shell reads them."""
    on_pull: tuple[str, ...] = ()
    """The same after each pull."""
    poll: str = ""
    """How often to look for pushes: ``1m``; empty = never."""
    webhook: str = ""
    """The name of the secret that signs webhooks; empty = none is taken for this repo."""
    on_push: tuple[OnPush, ...] = ()
    """What a push sets off, after the clones were pulled, one after the other."""

    @property
    def source(self) -> RepoSource:
        """What an agent is told of it; without the token."""
        return RepoSource(
            url=self.url, branch=self.branch, commit=self.commit, ssh_key=self.ssh_key, host_keys=self.host_keys,
            username=self.username, secret=self.token, key_secret=self.key, ssh_agent=self.ssh_agent,
        )  # fmt: skip


class RepoOperation(msgspec.Struct, frozen=True, kw_only=True, tag="repo", tag_field="operation"):
    """One verb on the clones of a repo."""

    verb: RepoVerb
    repo: RepoDefinition
    servers: tuple[str, ...]
    """Names alone."""
    discard: bool = False
    """Throw away what was changed in the clones."""
    make: bool = False
    """For pull: clone where there is no clone yet."""
    changes: tuple[RepoChange, ...] = ()
    """For commit; none = what was changed in the clone."""
    message: str = ""
    """Of the commit."""
    author: str = ""
    """``Ana Lee <ana@example.com>``"""
    diff: str = ""
    """The changes as a person reads them, for the plan."""


class DefineRepoOperation(msgspec.Struct, frozen=True, kw_only=True, tag="define_repo", tag_field="operation"):
    """Change a repo's definition. Nothing on a server is touched."""

    verb: Literal["add", "edit", "remove"]
    name: str
    definition: RepoDefinition | None = None
    """For add and edit."""
    rev: int | None = None
    """For edit and remove: the revision it was based on."""


def check_repo(repo: RepoDefinition) -> RepoDefinition:
    """Return it, or raise :class:`UsageError` saying which field is wrong and what it takes."""
    wrong = wrong_name(repo.name)
    if wrong:
        hint = "letters, digits, dot, dash and underscore, at most 63, the first a letter or digit"
        raise UsageError(wrong, hint=hint)
    wrong = wrong_source(repo.source)
    if wrong:
        raise UsageError(f"repo {repo.name}: {wrong}", hint="https://host/path, git@host:path, or file:///path")
    for command in (*repo.on_clone, *repo.on_pull):
        if not split_command(command, f"repo {repo.name}"):
            raise UsageError(f"repo {repo.name}: one of the commands is empty")
    for name in filter(None, (repo.token, repo.key, repo.webhook)):
        check_name(name)
    check_on_push(f"repo {repo.name}", repo.poll, repo.on_push)
    return repo


def check_commit(operation: RepoOperation) -> None:
    """Raise UsageError where a commit cannot be made like this."""
    name = f"repo {operation.repo.name}"
    if len(operation.servers) != 1:
        raise UsageError(f"{name}: a commit is made in the clone of one server", hint="name that server")
    if operation.repo.commit:
        raise UsageError(f"{name}: it stays at {operation.repo.commit[:12]}", hint="follow a branch to commit to it")
    if not operation.message.strip():
        raise UsageError(f"{name}: a commit has a message")
    if not AUTHOR.fullmatch(operation.author):
        raise UsageError(f"{name}: who commits is written as: Ana Lee <ana@example.com>")
    for change in operation.changes:
        if wrong := wrong_path(change.path):
            raise UsageError(f"{name}: {wrong}")


def servers_of(repo: RepoDefinition, known: Mapping[str, ServerDefinition]) -> tuple[str, ...]:
    """The servers a repo is cloned on, in the order it names them.

    Raises:
        UsageError: it names none, or one that is not defined.
    """
    found = named_servers(f"repo {repo.name}", repo.servers, known)
    if not found:
        raise UsageError(
            f"repo {repo.name} is on no server", hint="name servers, or a tag that one has, in its definition"
        )
    return found


class BranchHead(NamedTuple):
    """What a branch was at the repository's own server, whoever looked."""

    commit: str = ""
    when: float = 0.0
    """Unix time of the look."""


UNKNOWN_HEAD = BranchHead()
"""Nobody has looked."""


def newest_head(repo: RepoDefinition, states: Iterable[RepoState | None], seen: SeenBranch | None) -> BranchHead:
    """The newest of what is known of the repo's branch: by its clones, and by who looks for pushes or was told."""
    found = [UNKNOWN_HEAD]
    if seen is not None and (seen.url, seen.branch) == (repo.url, repo.branch):
        found.append(BranchHead(seen.commit, seen.checked))
    for state in states:
        if state is not None and state.remote is not None and (state.url, state.branch) == (repo.url, repo.branch):
            found.append(BranchHead(state.remote.id, state.fetched))
    return max(found, key=lambda head: head.when)


def news_of(repo: RepoDefinition | None, state: RepoState | None, head: BranchHead) -> bool:
    """Whether others know of a commit that the clone has not heard of."""
    if repo is None or repo.commit or state is None or (state.url, state.branch) != (repo.url, repo.branch):
        return False
    known = {commit.id for commit in (state.remote, state.commit) if commit is not None}
    return bool(head.commit) and head.commit not in known and head.when > state.fetched


def standing(repo: RepoDefinition | None, state: RepoState | None, head: BranchHead = UNKNOWN_HEAD) -> tuple[str, str]:
    """How a clone stands in a few words, and their tone: ``ok``, ``warn``, ``bad`` or ``dim``.

    ``head``: what is known of the branch by others than the clone.
    """
    if state is None:
        return "not cloned", "dim"
    if state.problem or state.commit is None:
        return state.problem or "nothing is checked out", "bad"
    words = []
    if repo is None:
        words.append("no repo of this name is defined")
    elif state.url != repo.url:
        words.append("of another URL")
    elif repo.commit and not state.commit.id.startswith(repo.commit):
        words.append(f"not at {repo.commit[:10]}")
    elif not repo.commit and state.branch != repo.branch:
        words.append(f"not of branch {repo.branch or '(main)'}")
    pinned = repo is not None and repo.commit
    words += [f"{state.behind} behind"] if state.behind and not pinned else []
    words += ["new commits"] if news_of(repo, state, head) else []
    words += [f"{state.ahead} ahead"] if state.ahead and not pinned else []
    words += [f"{state.dirty_count} changed"] if state.dirty_count else []
    words += ["warning"] if state.warnings else []
    return ", ".join(words) or ("pinned" if pinned else "up to date"), "warn" if words else "ok"
